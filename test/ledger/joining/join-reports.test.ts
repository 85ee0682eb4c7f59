import { beforeEach, describe, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { inTransaction } from '../../../src/database/database.ts';
import { readBody } from '../../../src/events/read-body.ts';
import { recordItems } from '../../../src/ingest/record-batch.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { ReferenceCache } from '../../../src/ledger/posting/reference-cache.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { nameMissing } from '../../../src/month/completeness/name-missing.ts';
import { countSecondReports } from '../../../src/month/status/status-store.ts';
import type { TestDatabase } from '../../support/database.ts';
import { freshDatabase, textRows } from '../../support/database.ts';
import { importBooks, nativeEvent, receive, receiveEvents } from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

/** Second reports of one call (R8): which stands, whatever brought them, in whatever order. */

let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
});

const TRACE = '0000000000000000000000000000000a';
const started = '2026-10-15T11:59:58Z';
const tagged = nativeEvent({ event_id: 'gateway', source: 'gateway', response_id: 'r1' });
const untagged = nativeEvent({
  event_id: 'client',
  response_id: 'r1',
  tenant_id: undefined,
  provider: 'OpenAI',
});
const inner = nativeEvent({
  event_id: 'inner',
  ...{ trace_id: 't', span_id: 'in', parent_span_id: 'out', started_at: started },
});
const outer = nativeEvent({
  event_id: 'outer',
  ...{ trace_id: 't', span_id: 'out', started_at: started, occurred_at: '2026-10-15T12:00:01Z' },
});
const logged = nativeEvent({ event_id: 'log', call_id: 'c1', started_at: started });
const bridged = nativeEvent({ event_id: 'bridge', call_id: 'c1', started_at: started });

const CASES: readonly [string, readonly [object, object], readonly string[]][] = [
  ['with a tenant and without one', [tagged, untagged], ['gateway']],
  ['nested', [inner, outer], ['inner']],
  ['of one call of a gateway', [logged, bridged], ['log', 'bridge']],
];

describe.each(CASES)('two reports %s', (_what, [one, other], kept) => {
  it.each<[string, readonly (readonly object[])[]]>([
    ['in one batch', [[one, other]]],
    ['in one batch, reversed', [[other, one]]],
    ['in two batches', [[one], [other]]],
    ['in two batches, reversed', [[other], [one]]],
  ])('are one charge, %s', async (_order, batches) => {
    for (const batch of batches) await receiveEvents(database, batch);
    await fold();
    await fold();
    expect(await standing()).toEqual([{ event_id: expect.toBeOneOf([...kept]), charge: '0.0042' }]);
    expect(await sums()).toEqual({ charge: '0.0042', cost: '0.0035' });
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('are one charge when two workers post them at the same time', async () => {
    await Promise.all([receiveEvents(database, [one]), receiveEvents(database, [other])]);
    await Promise.all([fold(), fold()]);
    expect(await standing()).toHaveLength(1);
    expect(await sums()).toEqual({ charge: '0.0042', cost: '0.0035' });
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('say which of them repeats the other, and why', async () => {
    await receiveEvents(database, [one]);
    await receiveEvents(database, [other]);
    await fold();
    const [stands] = await standing();
    const seconds = await textRows(
      database,
      'select repeats_event_id, repeats_entry_id from audit.second_reports',
    );
    expect(seconds).toEqual([
      { repeats_event_id: stands?.['event_id'], repeats_entry_id: expect.stringMatching(/^ent_/) },
    ]);
  });
});

it('a second report within one message says what it repeats, and is counted for its producer', async () => {
  const spanOf = (spanId: string, parentSpanId: string | null, of: Record<string, unknown>) => ({
    ...{ traceId: TRACE, spanId, startTimeUnixNano: '1760529598000000000' },
    ...(parentSpanId === null ? {} : { parentSpanId }),
    endTimeUnixNano: '1760529600000000000',
    attributes: Object.entries({ 'gen_ai.operation.name': 'chat', ...of }).map(([key, value]) => ({
      key,
      value: typeof value === 'number' ? { intValue: value } : { stringValue: value },
    })),
  });
  const counts = { 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 100 };
  const call = { 'gen_ai.request.model': 'gpt-4o', 'gen_ai.provider.name': 'openai', ...counts };
  const answered = { ...call, 'gen_ai.response.id': 'resp-1' };
  const spans = [
    spanOf('00000000000000a1', null, { ...call, tenant_id: 'acme' }),
    spanOf('00000000000000a2', '00000000000000a1', answered),
    spanOf('00000000000000a3', null, { ...answered, 'spanledger.source': 'sidecar' }),
  ];
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
  for (const _ of ['once', 'and again']) await receive(database, [body], '2026-10-20T12:00:00Z');
  const seconds = await textRows(
    database,
    `select source, event_id, because, repeats_tenant_id, repeats_event_id,
       repeats_entry_id is not null as has_entry from audit.second_reports order by event_id`,
  );
  const repeats = { repeats_tenant_id: 'acme', repeats_event_id: `${TRACE}:00000000000000a2` };
  expect(seconds).toEqual([
    {
      ...{ source: 'otlp', event_id: `${TRACE}:00000000000000a1`, because: 'nested' },
      ...{ ...repeats, has_entry: 'true' },
    },
    {
      ...{ source: 'sidecar', event_id: `${TRACE}:00000000000000a3`, because: 'response' },
      ...{ ...repeats, has_entry: 'true' },
    },
  ]);
  expect(await countSecondReports(database)).toEqual([
    { source: 'otlp', because: 'nested', count: 1n },
    { source: 'sidecar', because: 'response', count: 1n },
  ]);
});

it('three reports of one call are one charge, and the one with the tenant stands', async () => {
  const third = { ...untagged, event_id: 'third', source: 'sidecar' };
  for (const event of [untagged, third, tagged]) {
    await receiveEvents(database, [event]);
    await fold();
  }
  expect(await standing()).toEqual([{ event_id: 'gateway', charge: '0.0042' }]);
  expect(await sums()).toEqual({ charge: '0.0042', cost: '0.0035' });
});

it('a report without a tenant that contradicts a tenant’s at the same moment is named until it is taken back', async () => {
  const other = { ...untagged, usage: { input_tokens: 900, output_tokens: 90 } };
  const at = parseInstant('2026-10-20T12:00:00Z');
  const settings = { receivedAt: at, litellmKey: null, attributes: {} };
  // One worker has posted and not committed when the other posts, so that neither sees the other's.
  await inTransaction(database, async (transaction) => {
    const items = readBody(JSON.stringify(other), settings);
    const batch = { items, recordedAt: at, kind: 'ingest' } as const;
    await recordItems(transaction, new ReferenceCache(), batch);
    expect(await receiveEvents(database, [tagged])).toEqual(['posted']);
  });
  await fold();
  expect(await standing()).toHaveLength(2);
  const parts = { database, clock: () => parseInstant('2026-11-03T12:00:00Z') };
  const contradicting = async (month: string | null = '2026-10') =>
    (await nameMissing(parts, { month, tenant_id: null })).filter(
      ({ kind }) => kind === 'contradicting',
    );
  const ids = await textRows(database, 'select event_id, entry_id from audit.entries');
  const idOf = (event: string) => ids.find((row) => row['event_id'] === event)?.['entry_id'] ?? '';
  expect(await contradicting()).toMatchObject([
    {
      tenant_id: 'acme',
      detail: `response "r1" is ${idOf('gateway')}, which stands, and ${idOf('client')} without a tenant, which counted something else`,
    },
  ]);
  expect(await contradicting(null)).toHaveLength(1);
  expect(await contradicting('2026-09')).toEqual([]);
  const note = { reason: 'counted wrong', actor: 'ada' };
  const entryId = BigInt(idOf('client').replace('ent_', ''));
  await postCorrections(database, parts.clock, [{ entryId, change: null, note }]);
  expect(await contradicting()).toEqual([]);
});

it('a report that measured nothing gives way to one that did', async () => {
  await receiveEvents(database, [{ ...tagged, event_id: 'bare', usage: undefined }]);
  await receiveEvents(database, [tagged]);
  await fold();
  expect(await standing()).toEqual([{ event_id: 'gateway', charge: '0.0042' }]);
});

it('two nobodys’ reports beside two tenants’ leave both tenants theirs', async () => {
  await receiveEvents(database, [untagged]);
  await receiveEvents(database, [tagged]);
  await receiveEvents(database, [{ ...tagged, tenant_id: 'birch' }]);
  await fold();
  expect(await standing()).toHaveLength(2);
});

it('a second report after a close leaves the closed month as it is, and the open one at nothing', async () => {
  await receiveEvents(database, [untagged]);
  await fold();
  const at = '2026-11-02T12:00:00Z';
  await closePeriods(
    { database, clock: () => parseInstant(at) },
    { month: '2026-10', tenant_id: null },
  );
  await receiveEvents(database, [inner], at);
  await receiveEvents(database, [tagged], at);
  await receiveEvents(database, [outer], at);
  await fold();
  expect(await standing()).toEqual([
    { event_id: 'gateway', charge: '0.0042' },
    { event_id: 'inner', charge: '0.0042' },
  ]);
  const late = await textRows(
    database,
    `select event_id from audit.entries where late and is_reversal`,
  );
  expect(late).toEqual([{ event_id: 'client' }]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('parallel calls of one parent with equal counts are as many charges', async () => {
  const siblings = ['a', 'b', 'c'].map((id) => ({
    ...inner,
    event_id: id,
    span_id: id,
    parent_span_id: 'agent',
  }));
  for (const event of siblings) await receiveEvents(database, [event]);
  await fold();
  expect(await standing()).toHaveLength(3);
});

function fold() {
  return foldAll(database, () => parseInstant('2026-11-03T12:00:00Z'));
}

function standing() {
  return textRows(
    database,
    `select event_id, charge from audit.entries a
     where not is_reversal and not exists (
       select from audit.entries c where c.corrects_entry_id = a.entry_id)
     order by event_id`,
  );
}

async function sums() {
  const [row] = await textRows(
    database,
    'select trim_scale(sum(charge)) as charge, trim_scale(sum(cost)) as cost from audit.entries',
  );
  return row;
}
