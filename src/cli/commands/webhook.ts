import { type Command, InvalidArgumentError } from 'commander';
import { readRequest } from '../../request.ts';
import { counted, figureOf } from '../../text/counted.ts';
import {
  addEndpoint,
  endEndpoint,
  listEndpoints,
  removeEndpoint,
  replayEvents,
  testEndpoint,
} from '../../webhooks/manage-endpoints.ts';
import {
  addEndpointRequest,
  endpointRequest,
  replayEventsRequest,
  WEBHOOK_KINDS,
  type WebhookKind,
} from '../../webhooks/webhook-answer.ts';
import { deliverWebhooks } from '../../webhooks/webhook-loop.ts';
import { addActor } from '../terminal/actor.ts';
import { readId, readInstant } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { timeOf } from '../terminal/figures.ts';
import { webhookParts } from '../terminal/webhook-parts.ts';

export function addWebhook(program: Command): void {
  const group = program
    .command('webhook')
    .description('who is told of budgets, closes and months that are not whole');
  addAdd(group);
  addList(group);
  addTest(group);
  addReplay(group);
  addEnds(group);
  addDeliver(group);
}

function addAdd(group: Command): void {
  const command = group
    .command('add')
    .argument('<url>', 'where signed requests go; https, unless SPANLEDGER_WEBHOOK_PRIVATE=yes')
    .description('add a receiver; its secret is shown once')
    .option(
      '--events <kinds>',
      `only these, as budget.threshold,period.closed; of ${KINDS}`,
      readKinds,
    );
  perform<{ events?: readonly WebhookKind[]; actor: string }>(
    addActor(command),
    async (session, { args: [url = ''], options: { events = null, actor } }) => {
      const request = readRequest(addEndpointRequest, { url, events, actor });
      const answer = await addEndpoint(webhookParts(session), request);
      const said = `${answer.endpoint_id}; the secret is shown this once, so give it to the receiver now`;
      session.out.answer(answer, `${answer.secret}\n${said}`);
    },
  );
}

const KINDS = WEBHOOK_KINDS.join(', ');

function readKinds(text: string): readonly WebhookKind[] {
  return text.split(',').map((name) => {
    const kind = WEBHOOK_KINDS.find((known) => known === name);
    if (kind === undefined) throw new InvalidArgumentError(`there are ${KINDS}.`);
    return kind;
  });
}

function addList(group: Command): void {
  const command = group.command('list').description('all receivers, and what they were told');
  perform(command, async (session) => {
    const endpoints = await listEndpoints(session.parts());
    const text = session.out.table(endpoints, [
      { title: 'ENDPOINT', value: (row) => row.endpoint_id },
      { title: 'URL', value: (row) => row.url },
      { title: 'EVENTS', value: (row) => row.events?.join(',') ?? '(all)', spare: true },
      { title: 'TOLD', value: (row) => figureOf(row.delivered), figure: true },
      { title: 'WAITING', value: (row) => figureOf(row.pending), figure: true },
      { title: 'DEAD', value: (row) => figureOf(row.dead), figure: true },
      { title: 'DISABLED', value: (row) => timeOf(row.disabled_at ?? ''), spare: true },
      { title: '', value: (row) => row.last_failure ?? '', below: true },
    ]);
    session.out.answer(endpoints, endpoints.length === 0 ? 'nobody is told of anything' : text);
  });
}

function addTest(group: Command): void {
  const command = group
    .command('test')
    .argument('<endpoint>', 'its id')
    .description(
      'send a receiver an event that says nothing, now; exit 1 where it does not take it',
    );
  perform<{ actor: string }>(
    addActor(command),
    async (session, { args: [endpoint_id = ''], options: { actor } }) => {
      const request = readRequest(endpointRequest, { endpoint_id, actor });
      const answer = await testEndpoint(webhookParts(session), request);
      if (answer.state !== 'delivered') session.foundWrong();
      session.out.answer(answer, `${answer.state}: ${answer.answer}`);
    },
  );
}

interface ReplayFlags {
  readonly since?: string;
  readonly endpoint?: string;
  readonly actor: string;
}

function addReplay(group: Command): void {
  const command = group
    .command('replay')
    .argument('[event]', 'the number in its webhook-id', readId)
    .description('deliver an event once more, or all since an instant')
    .option('--since <instant>', 'all from then on', readInstant)
    .option('--endpoint <endpoint>', 'to this receiver only');
  perform<ReplayFlags>(addActor(command), async (session, { args: [event], options }) => {
    const { since = null, endpoint = null, actor } = options;
    const request = readRequest(replayEventsRequest, {
      event_id: event ?? null,
      since,
      endpoint_id: endpoint,
      actor,
    });
    const answer = await replayEvents(session.parts(), request);
    session.out.answer(
      answer,
      `${counted(answer.deliveries, 'delivery is', 'deliveries are')} made again`,
    );
  });
}

function addEnds(group: Command): void {
  const disable = group
    .command('disable')
    .argument('<endpoint>', 'its id')
    .description('tell a receiver nothing any more, and keep what it was told');
  perform<{ actor: string }>(
    addActor(disable),
    async (session, { args: [endpoint_id = ''], options: { actor } }) => {
      const request = readRequest(endpointRequest, { endpoint_id, actor });
      const answer = await endEndpoint(session.parts(), request);
      session.out.answer(answer, `${answer.endpoint_id} is told nothing any more`);
    },
  );
  const remove = group
    .command('remove')
    .argument('<endpoint>', 'its id')
    .description('take a receiver away, with what it was told');
  perform<{ actor: string }>(
    addActor(remove),
    async (session, { args: [endpoint_id = ''], options: { actor } }) => {
      const request = readRequest(endpointRequest, { endpoint_id, actor });
      const answer = await removeEndpoint(session.parts(), request);
      session.out.answer(answer, `${answer.endpoint_id} is removed`);
    },
  );
}

function addDeliver(group: Command): void {
  const command = group
    .command('deliver')
    .description('find what is new and deliver what is due, where no server runs that does')
    .option('--until-empty', 'go on until nothing waits');
  perform<{ untilEmpty?: boolean }>(
    command,
    async (session, { options: { untilEmpty = false } }) => {
      const answer = await deliverWebhooks(webhookParts(session), { untilEmpty });
      if (answer.dead > 0) session.foundWrong();
      const { found, delivered, failed, dead } = answer;
      const text = `${found} new, ${delivered} delivered, ${failed} to be tried again, ${dead} given up`;
      session.out.answer(answer, text);
    },
  );
}
