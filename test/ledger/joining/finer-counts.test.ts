import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseInstant, systemClock } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import type { EntryChange } from '../../../src/ledger/reversals/correction.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import type { TestDatabase } from '../../support/database.ts';
import { createDatabase, resetTables, textRows } from '../../support/database.ts';
import { importBook, makeTenant, receive } from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

/** Nested spans of one call, of which an outer one counts more exactly (R5, R8), in whichever messages they come. */

let database: TestDatabase;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ database, drop } = await createDatabase({ connections: 4 }));
});
afterAll(() => drop());

beforeEach(() => begin());

async function begin(): Promise<void> {
  await resetTables(database);
  await importBook(database, {
    ...{ book: 'standard', kind: 'charge', currency: 'USD', caching: 'pass_through' },
    effective_from: '2026-01-01T00:00:00Z',
    models: [
      {
        model: 'gemini-2.5-flash',
        per_million: { input: '0.30', output: '2.50', cache_read: '0.03' },
      },
    ],
  });
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const AT = '2026-10-20T12:00:00Z';

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Half a second longer with each step outwards. */
function span(ids: readonly [id: number, parent: number | null], given: Attributes): object {
  const [id, parent] = ids;
  const attributes = {
    'gen_ai.request.model': 'gemini-2.5-flash',
    tenant_id: 'acme',
    ...given,
  };
  const around = 20 - id;
  return {
    traceId: TRACE,
    spanId: `00000000000000${id}`,
    ...(parent === null ? {} : { parentSpanId: `00000000000000${parent}` }),
    startTimeUnixNano: String(1_792_065_598_000_000_000n - BigInt(around) * 500_000_000n),
    endTimeUnixNano: String(1_792_065_600_000_000_000n + BigInt(around) * 500_000_000n),
    attributes: Object.fromEntries(
      Object.entries(attributes).filter(([, value]) => value !== undefined),
    ),
  };
}

const PLAIN = { 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 80 };
const FINE = {
  'gen_ai.usage.input_tokens': 1000,
  'gen_ai.usage.cache_read.input_tokens': 600,
  'gen_ai.usage.output_tokens': 120,
  'gen_ai.usage.reasoning.output_tokens': 40,
};
const NAMED = { 'gen_ai.operation.name': 'chat' };
/** As the Google ADK has it, which names no operation. */
const UNNAMED = {
  ...PLAIN,
  'gen_ai.system': 'gcp.vertex.agent',
  'gcp.vertex.agent.llm_response':
    '{"usage_metadata":{"prompt_token_count":1000,"candidates_token_count":80,"thoughts_token_count":40,"cached_content_token_count":600}}',
};

const COARSE_CHARGE = '0.0005';
const FINER_CHARGE = '0.000438';

type Message = readonly object[];

/** Each batch is folded before the next one comes. */
async function send(...batches: readonly (readonly Message[])[]): Promise<readonly string[]> {
  const outcomes: string[] = [];
  for (const batch of batches) {
    const bodies = batch.map((spans) =>
      JSON.stringify({ resourceSpans: [{ scopeSpans: [{ scope: { name: 'a' }, spans }] }] }),
    );
    outcomes.push(...(await receive(database, bodies, AT)));
    await fold();
  }
  return outcomes;
}

async function fold(): Promise<void> {
  for (const _ of ['what came', 'what that made']) await foldAll(database, systemClock);
}

/** What stands, as the last two digits of its span, with its charge. */
async function standing(): Promise<readonly string[]> {
  const rows = await textRows(
    database,
    `select right(e.span_id, 2) as span, e.tenant_id, trim_scale(e.charge / 1e12)::text as charge from entries e
     where not e.is_reversal and not exists (select from entries c where c.corrects_entry_id = e.entry_id)
     order by e.span_id`,
  );
  return rows.map(({ span: id, tenant_id: tenant, charge }) => `${tenant} ${id} ${charge}`);
}

const ANSWERED = { 'gen_ai.response.id': 'resp-9f8e7d6c5b4a39281706' };

describe.each<[string, Attributes, Attributes, string]>([
  ['a call that names its operation', { ...NAMED, ...FINE }, {}, '11'],
  // Of two reports of one answer the earlier stands, which is either.
  ['a call of the same answer', { ...NAMED, ...FINE, ...ANSWERED }, ANSWERED, '1[01]'],
  ['a span that names none', UNNAMED, {}, '11'],
])('of two nested spans the outer one counts more exactly, and is %s', (_, given, also, stands) => {
  const inner = span([11, 10], { ...NAMED, ...PLAIN, ...also });
  const outer = span([10, null], given);

  it.each<[string, readonly (readonly Message[])[]]>([
    ['in one message', [[[inner, outer]]]],
    ['in two, the inner one first', [[[inner]], [[outer]]]],
    ['in two, the outer one first', [[[outer]], [[inner]]]],
    ['in two of one batch', [[[inner], [outer]]]],
    ['in two of one batch, reversed', [[[outer], [inner]]]],
    ['each twice, in turns', [[[inner]], [[outer]], [[inner]], [[outer]], [[outer]], [[inner]]]],
    [
      'each twice at once',
      [
        [[outer], [outer]],
        [[inner], [inner]],
      ],
    ],
  ])('is charged once and by those counts, %s', async (_name, batches) => {
    expect(await send(...batches)).not.toContain('conflict');
    const one = expect.stringMatching(new RegExp(`^acme ${stands} ${FINER_CHARGE}$`));
    expect(await standing()).toEqual([one]);
    expect(await brokenLaws(database)).toEqual([]);
  });
});

it('a second report of a message is a duplicate when it comes alone, and the other way round', async () => {
  const inner = span([11, 10], { ...NAMED, ...PLAIN });
  for (const given of [{ ...NAMED, ...PLAIN }, { ...PLAIN }]) {
    const outer = span([10, null], given);
    await begin();
    expect(await send([[inner, outer]], [[outer]], [[inner, outer]])).toEqual([
      ...['posted', 'posted', 'duplicate', 'duplicate', 'duplicate'],
    ]);
    await begin();
    expect(await send([[outer]], [[inner, outer]])).toEqual(['posted', 'posted', 'duplicate']);
    expect(await standing()).toEqual([`acme 11 ${COARSE_CHARGE}`]);
  }
});

describe('three spans of one call', () => {
  const inner = span([12, 11], { ...NAMED, ...PLAIN });
  const middle = span([11, 10], { ...NAMED, ...PLAIN });
  const orders = [
    ['inner', 'middle', 'outer'],
    ['inner', 'outer', 'middle'],
    ['middle', 'inner', 'outer'],
    ['middle', 'outer', 'inner'],
    ['outer', 'inner', 'middle'],
    ['outer', 'middle', 'inner'],
  ] as const;

  it.each<[string, Attributes, string]>([
    ['all count the same', { ...NAMED, ...PLAIN }, COARSE_CHARGE],
    ['the outer one counts more exactly', { ...NAMED, ...FINE }, FINER_CHARGE],
    ['the outer one counts more exactly and names no operation', UNNAMED, FINER_CHARGE],
  ])('are one charge in any order: %s', async (_, given, charge) => {
    const spans = { inner, middle, outer: span([10, null], given) };
    for (const order of orders) {
      await begin();
      const outcomes = await send(...order.map((name) => [[spans[name]]]));
      expect(outcomes, order.join()).not.toContain('conflict');
      expect(await standing(), order.join()).toEqual([`acme 12 ${charge}`]);
      expect(await brokenLaws(database), order.join()).toEqual([]);
    }
  });

  it('takes the input from one of the others, and the output from another', async () => {
    const cached = { ...PLAIN, 'gen_ai.usage.cache_read.input_tokens': 600 };
    const thoughts = {
      ...PLAIN,
      'gen_ai.usage.output_tokens': 120,
      'gen_ai.usage.reasoning.output_tokens': 40,
    };
    const spans = {
      inner,
      middle: span([11, 10], { ...NAMED, ...cached }),
      outer: span([10, null], { ...NAMED, ...thoughts }),
    };
    for (const order of orders) {
      await begin();
      await send(...order.map((name) => [[spans[name]]]));
      expect(await standing(), order.join()).toEqual([`acme 12 ${FINER_CHARGE}`]);
    }
  });
});

it('a call without a tenant that is counted anew is given the one of a span around it', async () => {
  const nobodys = { tenant_id: undefined };
  const agent = { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.request.model': undefined };
  const around = span([10, null], agent);
  const outer = span([11, 10], { ...NAMED, ...FINE, ...nobodys });
  const inner = span([12, 11], { ...NAMED, ...PLAIN, ...nobodys });
  for (const order of [
    [around, inner, outer],
    [inner, around, outer],
    [inner, outer, around],
    [outer, inner, around],
  ]) {
    await begin();
    await send(...order.map((one) => [[one]]));
    expect(await standing()).toEqual([`acme 12 ${FINER_CHARGE}`]);
  }
  expect(await brokenLaws(database)).toEqual([]);
});

it.each([
  ['that names no operation', UNNAMED],
  ['of the same call', { ...NAMED, ...FINE }],
])(
  'a call that was moved to its tenant is counted anew by a span around it %s',
  async (_, given) => {
    await makeTenant(database, 'acme');
    const inner = span([11, 10], { ...NAMED, ...PLAIN, ...ANSWERED, tenant_id: undefined });
    await send([[inner]]);
    await correctStanding({ tenantId: 'acme' });
    await fold();
    await send([[span([10, null], given)]]);
    expect(await standing()).toEqual([`acme 11 ${FINER_CHARGE}`]);
    expect(await brokenLaws(database)).toEqual([]);
  },
);

describe('stays as it is', () => {
  const outer = span([10, null], { ...NAMED, ...FINE });

  it('where two calls beside one another count the same', async () => {
    const one = span([11, 9], { ...NAMED, ...PLAIN });
    const other = span([12, 9], { ...NAMED, ...FINE });
    await send([[one]], [[other]]);
    expect(await standing()).toEqual([`acme 11 ${COARSE_CHARGE}`, `acme 12 ${FINER_CHARGE}`]);
  });

  it('where a span that names no operation has two calls within it', async () => {
    const [one, other] = [11, 12].map((id) => span([id, 10], { ...NAMED, ...PLAIN }));
    await send([[one ?? {}], [other ?? {}]], [[span([10, null], UNNAMED)]]);
    expect(await standing()).toEqual([`acme 11 ${COARSE_CHARGE}`, `acme 12 ${COARSE_CHARGE}`]);
  });

  it.each<[string, Attributes]>([
    ['is of another tenant', { tenant_id: 'birch' }],
    ['is of another output', { 'gen_ai.usage.output_tokens': 81 }],
    ['is of other cached input', { 'gen_ai.usage.cache_read.input_tokens': 500 }],
    ['failed', { 'error.type': 'Timeout' }],
  ])('where the call within %s', async (_, change) => {
    await send([[span([11, 10], { ...NAMED, ...PLAIN, ...change })]], [[outer]]);
    const [first] = await standing();
    expect(first).toBe(`acme 10 ${FINER_CHARGE}`);
    expect(await standing()).toHaveLength(2);
  });

  it('where a person corrected what was counted, whatever comes again', async () => {
    const inner = span([11, 10], { ...NAMED, ...PLAIN });
    await send([[inner]]);
    await correctStanding({ outputTokens: 10 });
    await send([[outer]], [[outer]], [[inner]]);
    expect(await standing()).toEqual(['acme 11 0.000325']);
  });
});

describe('a call that is counted anew', () => {
  const inner = span([11, 10], { ...NAMED, ...PLAIN });
  const outer = span([10, null], { ...NAMED, ...FINE });

  it('says why, and what repeats it', async () => {
    await send([[inner]], [[outer]]);
    const entries = await textRows(
      database,
      `select right(event_id, 2) as event, is_reversal, actor, reason from audit.entries
       where kind = 'correction' order by entry_id`,
    );
    const [counted, repeated] = [
      { event: '11', actor: 'spanledger:reports', reason: COUNTED },
      { event: '10', actor: 'spanledger:reports', reason: REPEATED },
    ];
    expect(entries).toEqual([
      { ...repeated, is_reversal: 'true' },
      { ...counted, is_reversal: 'true' },
      { ...counted, is_reversal: 'false' },
    ]);
    expect(
      await textRows(
        database,
        `select right(event_id, 2) as event, right(repeats_event_id, 2) as repeats, because
         from audit.second_reports`,
      ),
    ).toEqual([{ event: '10', repeats: '11', because: 'nested' }]);
  });

  it('has the tags that a person gave it, and is whose a person said', async () => {
    await makeTenant(database, 'birch');
    await send([[inner]]);
    await correctStanding({ tenantId: 'birch', feature: 'search' });
    await send([[outer]]);
    expect(await standing()).toEqual([`birch 11 ${FINER_CHARGE}`]);
  });

  it('is put right in the open period, where its own is closed', async () => {
    await send([[inner]]);
    const clock = () => parseInstant('2026-11-20T12:00:00Z');
    await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
    await send([[outer]]);
    expect(await standing()).toEqual([`acme 11 ${FINER_CHARGE}`]);
    expect(
      await textRows(
        database,
        `select period_start, trim_scale(sum(charge) / 1e12)::text as charge from entries group by 1 order by 1`,
      ),
    ).toEqual([
      { period_start: '2026-10-01', charge: COARSE_CHARGE },
      { period_start: '2026-11-01', charge: '-0.000062' },
    ]);
    expect(await brokenLaws(database)).toEqual([]);
  });
});

it('a name without a price around a call, which may be only that of its deployment, is not charged', async () => {
  const inner = span([11, 10], { ...NAMED, ...PLAIN });
  const named = { ...PLAIN, 'gen_ai.request.model': undefined, 'llm.model_name': 'eu-1' };
  for (const given of [{ ...NAMED, ...named }, named]) {
    const outer = span([10, null], given);
    for (const batches of [[[[inner, outer]]], [[[inner]], [[outer]]], [[[outer]], [[inner]]]]) {
      await begin();
      await send(...batches);
      expect(await standing()).toEqual([`acme 11 ${COARSE_CHARGE}`]);
      expect(await brokenLaws(database)).toEqual([]);
    }
  }
});

const COUNTED = `a second report of the call counts it more exactly: event ${TRACE}:0000000000000010 of source otlp`;
const REPEATED = `a second report of one call: event ${TRACE}:0000000000000011 of source otlp is a span of the same call, one within the other`;

/** As a person does. */
async function correctStanding(change: EntryChange): Promise<void> {
  const [row] = await textRows(database, 'select max(entry_id)::text as id from entries');
  const note = { reason: 'as the provider says', actor: 'ann' };
  const entryId = BigInt(row?.['id'] ?? 0);
  await postCorrections(database, systemClock, [{ entryId, change, note }]);
  await fold();
}
