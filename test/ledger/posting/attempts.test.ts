import { beforeEach, describe, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import type { EntryChange } from '../../../src/ledger/reversals/correction.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import type { TestDatabase } from '../../support/database.ts';
import { count, freshDatabase, textRows } from '../../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

/** Attempts of one call (R8): what the answer is charged on, in whatever order its attempts arrive. */

const failed = nativeEvent({
  event_id: 'first',
  occurred_at: '2026-10-15T12:00:00Z',
  status: 'error',
  error_type: 'rate_limit',
  usage: { input_tokens: 0, output_tokens: 0 },
  requested_model: 'gpt-4o',
  trace_id: 'trace-1',
  parent_span_id: 'run-1',
  attempt: 1,
});

const answer = nativeEvent({
  event_id: 'second',
  occurred_at: '2026-10-15T12:00:05Z',
  requested_model: 'gpt-4o-mini',
  executed_model: 'gpt-4o-mini',
  trace_id: 'trace-1',
  parent_span_id: 'run-1',
  attempt: 2,
});

/** LiteLLM numbers no attempts, and its requested model may be the one that it fell back to. */
const weakAnswer = { ...answer, attempt: 1, tags: { requested_model_source: 'model_group' } };

let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
});

describe.each([
  ['numbered attempts', answer],
  ['a weak model name', weakAnswer],
])('an answer with %s', (_what, second) => {
  it.each([
    ['in one batch', [[failed, second]]],
    ['in one batch, reversed', [[second, failed]]],
    ['in batches in order', [[failed], [second]]],
  ])('is charged on the model first requested, %s', async (_order, batches) => {
    for (const batch of batches) await receiveEvents(database, batch);
    await fold();
    expect(await standing()).toEqual([FREE, CHARGED]);
    expect(await count(database, 'entries')).toBe(2);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('is corrected when its failed attempt comes after it was posted and folded', async () => {
    await receiveEvents(database, [second]);
    await fold();
    // 1000 × 0.20 µ + 100 × 0.80 µ = 0.00028, as far as anybody knows.
    expect(await standing()).toMatchObject([{ requested_model: 'gpt-4o-mini', charge: '0.00028' }]);
    await receiveEvents(database, [failed]);
    await fold();
    expect(await standing()).toEqual([FREE, CHARGED]);
    const [reversal] = await textRows(database, 'select * from audit.entries where is_reversal');
    expect(reversal).toMatchObject({ charge: '-0.00028', actor: 'spanledger:attempts' });
    expect(reversal?.['reason']).toContain('the call first requested gpt-4o');
    await fold();
    // First, second, and one correction of two entries.
    expect(await count(database, 'entries')).toBe(4);
    expect(await brokenLaws(database)).toEqual([]);
  });
});

// 1000 × 3.00 µ + 100 × 12.00 µ = 0.0042 charged; 1000 × 0.15 µ + 100 × 0.60 µ = 0.00021 paid.
const CHARGED = {
  event_id: 'second',
  outcome: 'charged',
  requested_model: 'gpt-4o',
  executed_model: 'gpt-4o-mini',
  charge: '0.0042',
  cost: '0.00021',
};
const FREE = {
  event_id: 'first',
  outcome: 'failed',
  requested_model: 'gpt-4o',
  executed_model: 'gpt-4o',
  charge: '0',
  cost: '0',
};

it.each([
  ['in another trace', { trace_id: 'trace-2' }],
  ['under another parent', { parent_span_id: 'run-2' }],
  ['of another tenant', { tenant_id: 'birch' }],
  ['from another source', { source: 'gateway' }],
  ['that completed later', { occurred_at: '2026-10-15T12:00:06Z' }],
  ['with a later number', { attempt: 3 }],
  ['that did not fail', { status: 'ok' }],
])('an answer is not joined to an attempt %s', async (_what, change) => {
  await receiveEvents(database, [{ ...failed, ...change }, answer]);
  await fold();
  const [row] = await textRows(
    database,
    "select requested_model, charge from audit.entries where event_id = 'second'",
  );
  expect(row).toEqual({ requested_model: 'gpt-4o-mini', charge: '0.00028' });
  expect(await count(database, "entries where kind = 'correction'")).toBe(0);
});

it('an answer whose hedged first attempt was cancelled after it is charged on the model first requested', async () => {
  const cancelled = { ...failed, status: 'cancelled', occurred_at: '2026-10-15T12:00:06Z' };
  await receiveEvents(database, [answer]);
  await fold();
  await receiveEvents(database, [cancelled]);
  await fold();
  expect(await standing()).toEqual([{ ...FREE, outcome: 'cancelled' }, CHARGED]);
  expect(await brokenLaws(database)).toEqual([]);
});

describe.each([
  ['was known when it was posted', [failed, answer]],
  ['was posted after it', [answer, failed]],
])('an answer whose first attempt %s', (_what, events) => {
  it('keeps nothing of it once it is voided', async () => {
    for (const event of events) {
      await receiveEvents(database, [event]);
      await fold();
    }
    expect(await requestedOf('second')).toBe('gpt-4o');
    await correct('first', null);
    await fold();
    // 1000 × 0.20 µ + 100 × 0.80 µ = 0.00028, on the model that it requested itself.
    expect(await standing()).toMatchObject([
      { event_id: 'second', requested_model: 'gpt-4o-mini', charge: '0.00028' },
    ]);
    await fold();
    expect(await brokenLaws(database)).toEqual([]);
  });
});

it('a first attempt that answers keeps the model that it requested', async () => {
  await receiveEvents(database, [
    { ...failed, event_id: 'other' },
    { ...answer, attempt: 1 },
  ]);
  const [row] = await textRows(
    database,
    "select charge from audit.entries where event_id = 'second'",
  );
  expect(row?.['charge']).toBe('0.00028');
});

it('of several calls in one trace each answer belongs to the first attempt nearest before it', async () => {
  const at = (second: number) => ({ occurred_at: `2026-10-15T12:00:0${second}Z` });
  await receiveEvents(database, [
    { ...failed, ...at(0) },
    { ...answer, ...at(1) },
    { ...failed, ...at(2), event_id: 'third', requested_model: 'text-embedding-3-small' },
    { ...answer, ...at(3), event_id: 'fourth' },
  ]);
  const rows = await textRows(
    database,
    "select event_id, requested_model from audit.entries where outcome = 'charged' order by event_id",
  );
  expect(rows).toEqual([
    { event_id: 'fourth', requested_model: 'text-embedding-3-small' },
    { event_id: 'second', requested_model: 'gpt-4o' },
  ]);
});

describe('a second report of one provider response', () => {
  const report = nativeEvent({ response_id: 'chatcmpl-1' });
  const again = { ...report, event_id: 'evt-2', source: 'gateway' };

  it('is a duplicate in the same batch, in a later one and for ever', async () => {
    expect(await receiveEvents(database, [report, again])).toEqual(['posted', 'duplicate']);
    expect(await receiveEvents(database, [again], '2027-10-20T12:00:00Z')).toEqual(['duplicate']);
    expect(await count(database, 'entries')).toBe(1);
  });

  it('charges when a gateway cache answered with it, or another provider did', async () => {
    const hit = { ...again, gateway_cache: 'exact' };
    const other = { ...again, event_id: 'evt-3', provider: 'groq' };
    expect(await receiveEvents(database, [report, hit, other])).toEqual([
      'posted',
      'posted',
      'posted',
    ]);
    // A hit is charged in full under work_done, and costs nothing (R6).
    const rows = await textRows(
      database,
      'select charge, cost from audit.entries order by event_id',
    );
    expect(rows).toMatchObject([
      { charge: '0.0042', cost: '0.0035' },
      { charge: '0.0042', cost: '0' },
      { charge: '0.0042' },
    ]);
  });

  it('charges once when eight workers have it at once', async () => {
    const reports = Array.from({ length: 8 }, (_, n) => ({ ...report, event_id: `evt-${n}` }));
    const outcomes = await Promise.all(reports.map((one) => receiveEvents(database, [one])));
    expect(outcomes.flat().sort()).toEqual([...Array(7).fill('duplicate'), 'posted']);
    expect(await count(database, 'entries')).toBe(1);
    expect(await brokenLaws(database)).toEqual([]);
  });
});

it('answer and failed attempt that eight workers post at once come to one charge on the first model', async () => {
  const pairs = Array.from({ length: 8 }, (_, n) => {
    const trace_id = `trace-${n}`;
    return [
      { ...answer, event_id: `second-${n}`, trace_id },
      { ...failed, event_id: `first-${n}`, trace_id },
    ];
  });
  await Promise.all(pairs.flat().map((one) => receiveEvents(database, [one])));
  await Promise.all([fold(), fold()]);
  const rows = await standing();
  expect(rows.filter((row) => row['outcome'] === 'charged').map((row) => row['charge'])).toEqual(
    Array(8).fill('0.0042'),
  );
  expect(await brokenLaws(database)).toEqual([]);
});

describe('a correction between the attempts of one call', () => {
  const zeroth = { ...failed, event_id: 'zeroth', requested_model: 'gpt-4o' };
  const middle = {
    ...failed,
    event_id: 'middle',
    requested_model: 'gpt-4o-2024-11-20',
    occurred_at: '2026-10-15T12:00:02Z',
    attempt: 2,
  };
  const last = { ...answer, attempt: 3 };

  it('of its tokens leaves the model to the attempts that are still to come', async () => {
    await receiveEvents(database, [last]);
    await receiveEvents(database, [middle]);
    await fold();
    expect(await requestedOf('second')).toBe('gpt-4o-2024-11-20');
    await correct('second', { outputTokens: 200 });
    await receiveEvents(database, [zeroth]);
    await fold();
    expect(await requestedOf('second')).toBe('gpt-4o');
    // Taken back by a person, the attempt is the first no longer.
    await correct('zeroth', null);
    await fold();
    expect(await requestedOf('second')).toBe('gpt-4o-2024-11-20');
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('of the model itself stands, whatever is corrected and whoever reports afterwards', async () => {
    await receiveEvents(database, [last]);
    await receiveEvents(database, [middle]);
    await fold();
    // Back to what the event said at first, which the ledger had taken for a fallback's model.
    await correct('second', { requestedModel: 'gpt-4o-mini' });
    await correct('second', { outputTokens: 200 });
    await receiveEvents(database, [zeroth]);
    await fold();
    expect(await requestedOf('second')).toBe('gpt-4o-mini');
    expect(await brokenLaws(database)).toEqual([]);
  });
});

async function correct(eventId: string, change: EntryChange | null) {
  const [row] = await textRows(database, `${STANDING} and event_id = $1`, [eventId]);
  const entryId = BigInt(String(row?.['entry_id']).replace('ent_', ''));
  const note = { reason: 'a test', actor: 'ada' };
  const at = () => parseInstant('2026-10-20T12:00:00Z');
  await postCorrections(database, at, [{ entryId, change, note }]);
}

async function requestedOf(eventId: string) {
  const [row] = await textRows(database, `${STANDING} and event_id = $1`, [eventId]);
  return row?.['requested_model'];
}

function fold() {
  return foldAll(database, () => parseInstant('2026-10-20T12:00:00Z'));
}

const STANDING = `select entry_id, event_id, outcome, requested_model, executed_model, charge, cost
  from audit.entries e where not is_reversal
    and not exists (select 1 from audit.entries c where c.corrects_entry_id = e.entry_id)`;

async function standing() {
  const rows = await textRows(database, `${STANDING} order by event_id`);
  return rows.map(({ entry_id: _, ...row }) => row);
}
