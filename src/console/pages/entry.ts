import { html } from 'hono/html';
import {
  entryStoryRequest,
  eventStoryRequest,
  type StoryAnswer,
  type StoryEntry,
  type StoryLine,
} from '../../audit/story-answer.ts';
import { tellEntryStory, tellEventStory } from '../../audit/tell-story.ts';
import { readRequest } from '../../request.ts';
import { meterName, rateUnitOf } from '../../statements/line-groups.ts';
import { amountOr, countText, dayText, type Html, instantOr } from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import {
  actLink,
  chip,
  dataTable,
  facts,
  headOf,
  link,
  NOTHING,
  panel,
  type Tone,
  tenantLink,
} from '../view/table.ts';
import type { ConsolePage, PageAsked } from './page-asked.ts';

/** The story of the event behind one entry. */
export const entryPage: ConsolePage = {
  path: '/console/entries/:entry',
  async render(asked): Promise<Page> {
    const request = { entry_id: asked.path['entry'] ?? '', as_of: null };
    const story = await tellEntryStory(asked.parts, readRequest(entryStoryRequest, request));
    return pageOf(asked, story);
  },
};

/** The same by the ids of its producer, whether it came into the ledger or waits. */
export const eventPage: ConsolePage = {
  path: '/console/events/:source/:event',
  async render(asked): Promise<Page> {
    const { source = '', event = '' } = asked.path;
    const request = { source, event_id: event, as_of: null };
    return pageOf(
      asked,
      await tellEventStory(asked.parts, readRequest(eventStoryRequest, request)),
    );
  },
};

function pageOf(asked: PageAsked, story: StoryAnswer): Page {
  const { source, event_id } = story;
  const [first] = story.entries;
  const sub = html`source <bdi>${source}</bdi>${first === undefined ? '' : html` · of ${tenantLink(first.tenant_id)} · completed ${instantOr(first.occurred_at, '')}`}`;
  return {
    title: `Event ${event_id}`,
    nav: null,
    body: html`${headOf(html`Event <bdi>${event_id}</bdi>`, sub)}
${story.entries.map((entry) => entryPanel(asked, story, entry))}
${structurePanel(story)}${repeatsPanel(story)}${quarantinePanel(story)}${ratesPanel(story)}${billedPanel(story)}${sealsPanel(story)}`,
  };
}

const OUTCOME_TONES: Readonly<Record<string, Tone>> = {
  charged: 'good',
  unrated: 'bad',
  unmeasured: 'warn',
  unattributed: 'warn',
};

function entryPanel({ mayAct }: PageAsked, story: StoryAnswer, entry: StoryEntry): Html {
  const { entry_id, currency } = entry;
  const rules = story.rules.filter((rule) => rule.entry_id === entry_id);
  const lines = story.lines.filter((line) => line.entry_id === entry_id);
  const isCorrected = story.entries.some(({ corrects_entry_id: of }) => of === entry_id);
  const beside = html`${chip(entry.outcome, OUTCOME_TONES[entry.outcome] ?? 'plain')} ${entry.is_reversal ? chip('reversal', 'plain') : ''} ${entry.late ? chip('late', 'warn') : ''} ${isCorrected || entry.is_reversal || entry.kind !== 'usage' ? '' : actLink({ mayAct }, 'Correct', { act: 'correct', query: { entry_id } })}`;
  const corrected = entry.corrects_entry_id;
  return panel(
    `Entry ${entry_id}`,
    html`${facts([
      ['Charge', amountOr(entry.charge, currency, 'no price')],
      ['Cost', amountOr(entry.cost, currency, 'unknown')],
      ['Model requested', entry.requested_model],
      ['Model that answered', entry.executed_model],
      ['Provider', entry.provider ?? 'not said'],
      [
        'Input tokens',
        `${countText(entry.input_tokens)} (${countText(entry.cache_read_tokens)} cached)`,
      ],
      [
        'Output tokens',
        `${countText(entry.output_tokens)} (${countText(entry.reasoning_tokens)} reasoning)`,
      ],
      [
        'Other units',
        entry.units === null
          ? 'none'
          : Object.entries(entry.units)
              .map(([name, of]) => `${name} ${of}`)
              .join(', '),
      ],
      [
        'Run',
        entry.agent_run_id === null
          ? 'none'
          : link(`/console/runs/${encodeURIComponent(entry.agent_run_id)}`, entry.agent_run_id),
      ],
      ['User', entry.user_id ?? 'not said'],
      ['Feature', entry.feature ?? 'not said'],
      ['Prompt version', entry.prompt_version ?? 'not said'],
      ['Attempt', String(entry.attempt)],
      ['Recorded', instantOr(entry.recorded_at, '')],
      ['Period', dayText(entry.period_start)],
      ...(corrected === null
        ? []
        : [['Corrects', link(`/console/entries/${corrected}`, corrected)] as const]),
      ...(entry.reason === null ? [] : [['Because', entry.reason] as const]),
      ...(entry.actor === null ? [] : [['By', entry.actor] as const]),
    ])}
<h3>Why these amounts</h3>${rules.map(({ rule }) => html`<p>${rule}</p>`)}
${lines.length === 0 ? '' : html`<h3>The charge, written out</h3>${formulaOf(lines, currency)}`}`,
    beside,
  );
}

/** Each line is a quantity times a rate; together they are the charge. */
function formulaOf(lines: readonly StoryLine[], currency: string): Html {
  return dataTable({
    caption: 'The charge, written out',
    rows: lines,
    empty: '',
    columns: [
      { title: 'Unit', cell: ({ meter }) => meterName(meter as Parameters<typeof meterName>[0]) },
      {
        title: 'Quantity × rate',
        figure: true,
        cell: ({ quantity, rate, meter }) => `${countText(quantity)} × ${rate} ${perText(meter)}`,
      },
      {
        title: '= exact',
        figure: true,
        cell: ({ exact }) => html`<data value="${exact}">${exact} ${currency}</data>`,
      },
      {
        title: 'Statement',
        figure: true,
        cell: ({ tenant_id: tenant, period_start: start, line }) =>
          line === null
            ? NOTHING
            : link(
                `/console/statements/${encodeURIComponent(tenant)}/${start.slice(0, 7)}/lines/${line}`,
                `line ${line}`,
              ),
      },
    ],
  });
}

function perText(meter: string): string {
  const unit = rateUnitOf(meter as Parameters<typeof rateUnitOf>[0]);
  return PER_WORDS[unit] ?? `a ${unit}`;
}

const PER_WORDS: Readonly<Record<string, string>> = {
  million: 'a million',
  thousand: 'a thousand',
};

function structurePanel({ structure }: StoryAnswer): Html {
  if (structure.length === 0) return html``;
  return panel(
    'A span that is not a call',
    html`${structure.map((span) =>
      facts([
        ['Operation', span.operation],
        ['Status', span.status],
        ['Completed', instantOr(span.occurred_at, '')],
        ['Run', span.agent_run_id ?? 'none'],
        ['Trace', span.trace_id ?? 'none'],
      ]),
    )}`,
  );
}

function repeatsPanel({ second_reports: repeats }: StoryAnswer): Html {
  if (repeats.length === 0) return html``;
  return panel(
    'A second report of a call',
    html`${repeats.map((repeat) => html`<p>It repeats event ${link(`/console/events/${encodeURIComponent(repeat.repeats_source)}/${encodeURIComponent(repeat.repeats_event_id)}`, repeat.repeats_event_id)} of source ${repeat.repeats_source}, known by its ${repeat.because}.</p>`)}`,
  );
}

function quarantinePanel({ quarantine }: StoryAnswer): Html {
  if (quarantine.length === 0) return html``;
  return panel(
    'In quarantine',
    dataTable({
      caption: 'What of it was quarantined',
      rows: quarantine,
      empty: '',
      columns: [
        { title: 'Number', cell: ({ quarantine_id: id }) => link(`/console/quarantine/${id}`, id) },
        { title: 'Reason', cell: ({ reason }) => reason },
        { title: 'Detail', cell: ({ detail }) => detail },
        { title: 'Received', cell: ({ received_at: at }) => instantOr(at, '') },
        {
          title: 'Became',
          cell: ({ replay_outcome: of, dismissed_at: at }) =>
            of ?? (at === null ? 'waits' : 'dismissed'),
        },
      ],
    }),
  );
}

function ratesPanel({ rates }: StoryAnswer): Html {
  if (rates.length === 0) return html``;
  return panel(
    'Rates, as the books hold them',
    dataTable({
      caption: 'Rates that its entries name',
      rows: rates,
      empty: '',
      columns: [
        {
          title: 'Book',
          cell: ({ book }) => link(`/console/prices/${encodeURIComponent(book)}`, book),
        },
        { title: 'Holds from', cell: ({ effective_from: at }) => instantOr(at, '') },
        {
          title: 'Model',
          cell: ({ model, provider }) =>
            html`<bdi>${model}</bdi>${provider === null ? '' : html` <span class="soft">${provider}</span>`}`,
        },
        { title: 'Input / 1M', figure: true, cell: ({ input_per_million: rate }) => rate ?? '—' },
        {
          title: 'Cache read',
          figure: true,
          cell: ({ cache_read_per_million: rate }) => rate ?? '—',
        },
        {
          title: 'Cache write',
          figure: true,
          cell: ({ cache_write_per_million: rate }) => rate ?? '—',
        },
        { title: 'Output / 1M', figure: true, cell: ({ output_per_million: rate }) => rate ?? '—' },
        { title: 'A call', figure: true, cell: ({ per_call: rate }) => rate },
        {
          title: 'Other units',
          minor: true,
          cell: ({ unit_prices: of }) =>
            of === null
              ? '—'
              : Object.entries(of)
                  .map(([name, rate]) => `${name} ${rate}`)
                  .join(', '),
        },
      ],
    }),
  );
}

function billedPanel({ periods, pushes }: StoryAnswer): Html {
  return panel(
    'Where it is billed',
    html`${dataTable({
      caption: 'Periods',
      rows: periods,
      empty: 'In no period.',
      columns: [
        {
          title: 'Period',
          cell: ({ tenant_id: tenant, period_start: start, state }) =>
            state === 'closed'
              ? link(
                  `/console/statements/${encodeURIComponent(tenant)}/${start.slice(0, 7)}`,
                  dayText(start),
                )
              : dayText(start),
        },
        { title: 'State', cell: ({ state }) => chip(state, state === 'closed' ? 'good' : 'plain') },
        {
          title: 'Total',
          figure: true,
          cell: ({ charge_total: total, currency }) => amountOr(total, currency, 'open'),
        },
        { title: 'Told', cell: ({ told }) => told ?? '—' },
        { title: 'Invoice', cell: ({ invoice_id: id }) => id ?? '—' },
        {
          title: 'Manifest',
          minor: true,
          cell: ({ manifest_hash: of }) =>
            html`<span class="hash">${of?.slice(0, 16) ?? '—'}</span>`,
        },
      ],
    })}${
      pushes.length === 0
        ? ''
        : html`<h3>What Stripe was told</h3>${dataTable({
            caption: 'Pushes',
            rows: pushes,
            empty: '',
            columns: [
              {
                title: 'Identifier',
                cell: ({ identifier }) => html`<span class="hash">${identifier}</span>`,
              },
              { title: 'Meter', cell: ({ meter }) => meter },
              { title: 'Millionths', figure: true, cell: ({ value }) => countText(value) },
              {
                title: 'State',
                cell: ({ state }) => chip(state, state === 'confirmed' ? 'good' : 'warn'),
              },
              { title: 'Found in Stripe', cell: ({ proven_at: at }) => instantOr(at, 'not yet') },
            ],
          })}`
    }`,
  );
}

function sealsPanel({ seals }: StoryAnswer): Html {
  return panel(
    'Sealed',
    dataTable({
      caption: 'Seals',
      rows: seals,
      empty: 'It is not sealed yet.',
      columns: [
        {
          title: 'Seal',
          cell: ({ seal_number: number }) => (number === null ? 'not yet' : `number ${number}`),
        },
        { title: 'Sealed', cell: ({ sealed_at: at }) => instantOr(at, 'not yet') },
        {
          title: 'Place',
          figure: true,
          cell: ({ position, entries }) => `${position + 1} of ${entries ?? '?'}`,
        },
        {
          title: 'Hash of the entry',
          cell: ({ entry_hash: of }) => html`<span class="hash">${of}</span>`,
        },
      ],
    }),
  );
}
