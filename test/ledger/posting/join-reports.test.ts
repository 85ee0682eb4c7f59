import { beforeEach, describe, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import type { TestDatabase } from '../../support/database.ts';
import { freshDatabase, textRows } from '../../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

/** Second reports of one call (R8): which stands, whatever brought them, in whatever order. */

let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
});

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

it('three reports of one call are one charge, and the one with the tenant stands', async () => {
  const third = { ...untagged, event_id: 'third', source: 'sidecar' };
  for (const event of [untagged, third, tagged]) {
    await receiveEvents(database, [event]);
    await fold();
  }
  expect(await standing()).toEqual([{ event_id: 'gateway', charge: '0.0042' }]);
  expect(await sums()).toEqual({ charge: '0.0042', cost: '0.0035' });
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
