import { beforeEach, expect, it } from 'vitest';
import { parseInstant, systemClock } from '../../../src/clock.ts';
import type { ReattributeRequest } from '../../../src/ledger/corrections/correction-answer.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { reattributeEntries } from '../../../src/ledger/corrections/reattribute-entries.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { readCoverage } from '../../../src/reports/coverage-store.ts';
import type { TestDatabase } from '../../support/database.ts';
import { count, freshDatabase, textRows } from '../../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
  sharedBook,
} from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme', { timeZone: 'Asia/Kathmandu' });
  await receiveEvents(database, [
    nativeEvent({ event_id: 'lost-1', tenant_id: null, feature: 'search', user_id: 'u1' }),
    nativeEvent({ event_id: 'lost-2', tenant_id: null, feature: 'chat', agent_run_id: 'run-1' }),
    nativeEvent({ event_id: 'kept', tenant_id: 'birch', feature: 'search' }),
  ]);
});

it.each<[string, Partial<ReattributeRequest>, readonly string[]]>([
  ['every one', {}, ['lost-1', 'lost-2']],
  ['those of a feature', { feature: 'search' }, ['lost-1']],
  ['those of a user', { user_id: 'u1' }, ['lost-1']],
  ['those of an agent run', { agent_run_id: 'run-1' }, ['lost-2']],
  ['none of a feature that nobody used', { feature: 'x' }, []],
])('moves unattributed entries to a tenant: %s', async (_what, filter, moved) => {
  await run(filter);
  const rows = await textRows(
    database,
    "select event_id, outcome, charge, period_start from audit.entries where tenant_id = 'acme' order by event_id",
  );
  // 1000 × 3.00 µ + 100 × 12.00 µ = 0.0042
  const charged = { outcome: 'charged', charge: '0.0042', period_start: '2026-10-01' };
  expect(rows).toEqual(moved.map((event_id) => ({ event_id, ...charged })));
  expect(await brokenLaws(database)).toEqual([]);
});

it('does nothing the second time', async () => {
  expect(await run({})).toHaveLength(2);
  expect(await run({})).toEqual([]);
  expect(await count(database, 'entries')).toBe(7);
});

it('makes no second report of what it moves, and what repeats the call afterwards is one', async () => {
  const answered = { tenant_id: null, response_id: 'resp-1', feature: 'answers' };
  await receiveEvents(database, [nativeEvent({ event_id: 'answered', ...answered })]);
  await run({ feature: 'answers' });
  expect(await textRows(database, 'select event_id from second_reports')).toEqual([]);
  await receiveEvents(database, [nativeEvent({ event_id: 'told-again', ...answered })]);
  await foldAll(database, systemClock);
  expect(
    await textRows(database, 'select event_id, because, repeats_event_id from second_reports'),
  ).toEqual([{ event_id: 'told-again', because: 'response', repeats_event_id: 'answered' }]);
  const owed = "select sum(charge) as owed from audit.entries where event_id <> 'kept'";
  expect(await textRows(database, owed)).toEqual([{ owed: '0.0042' }]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('a call that a person moved to nobody is taken back where its producer sends it anew with a tenant', async () => {
  const answered = { event_id: 'mistaken', response_id: 'resp-2' };
  await receiveEvents(database, [nativeEvent({ ...answered, tenant_id: 'birch' })]);
  const entry = { entryId: await idOf('mistaken') };
  const note = { reason: 'not of birch', actor: 'ada' };
  const request = { ...entry, change: { tenantId: 'unattributed' }, note };
  await postCorrections(database, systemClock, [request]);
  await foldAll(database, systemClock);

  await receiveEvents(database, [nativeEvent({ ...answered, tenant_id: 'acme' })]);
  await foldAll(database, systemClock);

  const standing = `select tenant_id from entries e where event_id = 'mistaken' and not is_reversal
    and not exists (select from entries c where c.corrects_entry_id = e.entry_id)`;
  expect(await textRows(database, standing)).toEqual([{ tenant_id: 'acme' }]);
});

it('raises the coverage from a third to all of the cost', async () => {
  await foldAll(database, systemClock);
  // Three calls at 1000 × 2.50 µ + 100 × 10.00 µ = 0.0035; one has a tenant.
  const all = 10_500_000_000n;
  const usd = { currency: 'USD', allPico: all, uncosted: 0 };
  expect(await coverage()).toEqual([{ ...usd, attributedPico: 3_500_000_000n }]);
  await run({});
  await foldAll(database, systemClock);
  expect(await coverage()).toEqual([{ ...usd, attributedPico: all }]);
});

it('refuses an entry that has a tenant, and says how to move it', async () => {
  const id = await idOf('kept');
  await expect(run({ entry_ids: [id] })).rejects.toMatchObject({
    kind: 'conflict',
    message: `ent_${id} belongs to tenant "birch"`,
    remedy: expect.arrayContaining([expect.objectContaining({ operation: 'correct' })]),
  });
});

it('moves the entries that are named, and no other', async () => {
  await run({ entry_ids: [await idOf('lost-2')] });
  expect(await count(database, "entries where tenant_id = 'acme'")).toBe(1);
});

it('refuses a tenant that nobody made, and makes none', async () => {
  await expect(run({ tenant_id: 'amce' })).rejects.toThrow('there is no tenant "amce"');
  expect(await count(database, "tenants where tenant_id = 'amce'")).toBe(0);
  expect(await count(database, 'entries')).toBe(3);
});

it('refuses to move what has no tenant to nobody', async () => {
  await expect(run({ tenant_id: 'unattributed' })).rejects.toMatchObject({
    kind: 'bad_request',
    message: '"unattributed" is where such entries stand already',
  });
  expect(await count(database, 'entries')).toBe(3);
});

it('takes away no cost that is not known in the currency of the tenant, unless that is asked for', async () => {
  const euro = { ...(sharedBook('standard') as object), book: 'euro', currency: 'EUR' };
  await importBook(database, euro);
  await makeTenant(database, 'paris', { priceBook: 'euro' });
  const lost = { cost_before: '0.0035', cost_after: null };
  expect(await run({ tenant_id: 'paris', dry_run: true })).toMatchObject([lost, lost]);
  const id = await idOf('lost-1');
  for (const entry_ids of [[], [id]]) {
    await expect(run({ tenant_id: 'paris', entry_ids })).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringMatching(/^nothing was moved: what .* cost would not be known/),
      remedy: expect.arrayContaining([{ operation: 'fx import' }]),
    });
  }
  expect(await count(database, 'entries')).toBe(3);
  expect(await run({ tenant_id: 'paris', entry_ids: [id], unprice: true })).toMatchObject([lost]);
  expect(await run({ tenant_id: 'paris', unprice: true })).toMatchObject([lost]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('shows with a dry run what it would do, and posts nothing', async () => {
  const foreseen = await run({ dry_run: true });
  expect(foreseen).toMatchObject([
    { charge_before: '0', charge_after: '0.0042', reversal: null, replacement: null },
    { charge_before: '0', charge_after: '0.0042', reversal: null, replacement: null },
  ]);
  expect(await count(database, 'entries')).toBe(3);
});

it('leaves what failed free of charge', async () => {
  await receiveEvents(database, [
    nativeEvent({ event_id: 'lost-3', tenant_id: null, status: 'error', feature: 'broken' }),
  ]);
  await run({ feature: 'broken' });
  const [row] = await textRows(
    database,
    "select outcome, charge, cost from audit.entries where tenant_id = 'acme'",
  );
  expect(row).toEqual({ outcome: 'failed', charge: '0', cost: '0.0035' });
});

it('of two runs at the same time moves each entry once', async () => {
  await Promise.allSettled([run({}), run({ tenant_id: 'birch' })]);
  expect(await count(database, 'entries where is_reversal')).toBe(2);
  expect(await brokenLaws(database)).toEqual([]);
});

function run(change: Partial<ReattributeRequest>) {
  const clock = () => parseInstant('2026-10-20T12:00:00Z');
  return reattributeEntries(
    { database, clock },
    {
      entry_ids: [],
      tenant_id: 'acme',
      ...{ user_id: null, feature: null, agent_run_id: null },
      ...{ reason: 'the tag was missing', actor: 'ada' },
      ...change,
    },
  );
}

function coverage() {
  return readCoverage(database, { from: null, to: null });
}

async function idOf(eventId: string): Promise<bigint> {
  const [row] = await textRows(database, 'select entry_id from audit.entries where event_id = $1', [
    eventId,
  ]);
  return BigInt(row?.['entry_id']?.replace('ent_', '') ?? -1);
}
