import { html } from 'hono/html';
import { Refusal } from '../../refusal.ts';
import { listEndpoints } from '../../webhooks/manage-endpoints.ts';
import {
  type AddedEndpointAnswer,
  type EndpointTold,
  type ReplayedEventsAnswer,
  type TestedEndpointAnswer,
  WEBHOOK_KINDS,
} from '../../webhooks/webhook-answer.ts';
import { countText, type Html } from '../view/amounts.ts';
import { chip, facts } from '../view/table.ts';
import type { Act, ActAsked } from './act.ts';

const RECEIVER = { name: 'endpoint_id', label: 'Receiver', isRequired: true, hint: 'whk_…' };

const backToWebhooks = () => '/console/webhooks';

const addWebhook: Act = {
  name: 'add-webhook',
  title: 'Add a receiver',
  words: 'It is told by signed requests of what happens from now on. Its secret is shown once.',
  route: 'POST /v1/webhooks',
  fields: [
    { name: 'url', label: 'Address', isRequired: true, hint: 'https://…' },
    { name: 'events', label: 'Hears of', hint: `all where it is empty; ${WEBHOOK_KINDS[0]}, …` },
  ],
  preview: async ({ said }) =>
    facts([
      ['Address', html`<bdi>${said['url']}</bdi>`],
      ['Hears of', said['events'] ?? 'everything'],
    ]),
  done(answer) {
    const added = answer as AddedEndpointAnswer;
    return html`${receiverOf(added)}<p>Its secret, shown this once:</p><pre>${added.secret}</pre>`;
  },
  back: backToWebhooks,
};

const testWebhook: Act = {
  name: 'test-webhook',
  title: 'Send a test',
  words: 'The receiver is sent an event that says nothing, now.',
  route: 'POST /v1/webhooks/{endpoint}/test',
  fields: [RECEIVER],
  preview: receiverMeant,
  done(answer) {
    const { endpoint_id, state, answer: text } = answer as TestedEndpointAnswer;
    return facts([
      ['Receiver', endpoint_id],
      ['Became', chip(state, state === 'delivered' ? 'good' : 'bad')],
      ['It answered', text],
    ]);
  },
  back: backToWebhooks,
};

const disableWebhook: Act = {
  name: 'disable-webhook',
  title: 'Disable a receiver',
  words: 'It is told nothing any more; what it was told is kept.',
  route: 'POST /v1/webhooks/{endpoint}/disable',
  fields: [RECEIVER],
  preview: receiverMeant,
  done: (answer) => receiverOf(answer as EndpointTold),
  back: backToWebhooks,
};

const removeWebhook: Act = {
  name: 'remove-webhook',
  title: 'Remove a receiver',
  words: 'It goes with everything that it was told, and with what it still waits for.',
  route: 'DELETE /v1/webhooks/{endpoint}',
  fields: [RECEIVER],
  preview: receiverMeant,
  done: () => html`<p>The receiver is removed.</p>`,
  back: backToWebhooks,
};

const replayWebhooks: Act = {
  name: 'replay-webhooks',
  title: 'Deliver once more',
  words: 'One event, or all since an instant, is delivered again to whoever hears of it.',
  route: 'POST /v1/webhooks/replay',
  oneOf: ['event_id', 'since'],
  fields: [
    { name: 'event_id', label: 'Event', kind: 'number', hint: 'its number, or else an instant' },
    { name: 'since', label: 'All since', hint: 'such as 2026-11-18T00:00:00Z' },
    { ...RECEIVER, isRequired: false, hint: 'every one where it is empty' },
  ],
  async preview(asked) {
    const { said } = asked;
    const what =
      said['event_id'] === undefined
        ? `Every event since ${said['since'] ?? '…'}`
        : `Event ${said['event_id']}`;
    const to =
      said['endpoint_id'] === undefined
        ? html`every receiver that hears of it`
        : await receiverMeant(asked);
    return html`<p>${what} is delivered again to:</p>${to}`;
  },
  done: (answer) =>
    html`<p>${countText((answer as ReplayedEventsAnswer).deliveries)} deliveries are under way.</p>`,
  back: backToWebhooks,
};

async function receiverMeant({ parts, said }: ActAsked): Promise<Html> {
  const all = await listEndpoints(parts);
  const receiver = all.find(({ endpoint_id: id }) => id === said['endpoint_id']);
  if (receiver !== undefined) return receiverOf(receiver);
  throw new Refusal(
    'not_found',
    `there is no receiver ${said['endpoint_id']}`,
    'choose one on the page of webhooks',
  );
}

function receiverOf({ endpoint_id, url, events, disabled_at: disabled }: EndpointTold): Html {
  return facts([
    ['Receiver', endpoint_id],
    ['Address', html`<bdi>${url}</bdi>`],
    ['Hears of', events === null ? 'everything' : events.join(', ')],
    ['State', disabled === null ? chip('told', 'good') : chip('disabled', 'plain')],
  ]);
}

export const WEBHOOK_ACTS: readonly Act[] = [
  addWebhook,
  testWebhook,
  disableWebhook,
  removeWebhook,
  replayWebhooks,
];
