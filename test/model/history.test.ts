import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ClosedPeriod } from '../../src/ledger/closes/close-answer.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { closeTenant } from '../../src/ledger/closes/close-tenant.ts';
import { adjustTenant } from '../../src/ledger/corrections/adjust-tenant.ts';
import { correctWhere } from '../../src/ledger/corrections/correct-where.ts';
import { postCorrections } from '../../src/ledger/corrections/post-corrections.ts';
import { reattributeEntries } from '../../src/ledger/corrections/reattribute-entries.ts';
import { rerateMonth } from '../../src/ledger/corrections/rerate-month.ts';
import { ReferenceCache } from '../../src/ledger/posting/reference-cache.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { present } from '../../src/present.ts';
import { Refusal } from '../../src/refusal.ts';
import { cases } from '../support/cases.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase, resetTables, textRows } from '../support/database.ts';
import { dropDump, dumpTables, restoreTables } from '../support/dump.ts';
import { importBook, makeTenant, receive } from '../support/ledger.ts';
import { brokenLaws } from '../support/worker.ts';
import type { Delivery, History, TimedStep } from './histories.ts';
import { HEIR, history, monthBefore } from './histories.ts';
import type { ModelEntry, ModelEvent } from './reference-events.ts';
import { keyOf } from './reference-events.ts';
import type { ModelChange } from './reference-model.ts';
import { ReferenceModel } from './reference-model.ts';
import type { ModelUnits } from './reference-units.ts';

/** fast-check prints the seed and path of a failure; shrinking a history takes longer than reading it. */
it('does to any history of events what the reference model says, and keeps every law', {
  timeout: 7_200_000,
}, async () => {
  const seen = new Map<string, number>();
  const database = await freshDatabase({ connections: 4 });
  await fc.assert(
    fc
      .asyncProperty(history, async (drawn) => count(seen, await live(database, drawn)))
      .beforeEach(() => resetTables(database)),
    { ...cases(20), endOnFailure: true },
  );
  await dropDump(database.pool);
  if (process.env['SPANLEDGER_CASES'] !== undefined) console.table(Object.fromEntries(seen));
  // A search that meets no conflict, no late usage and no correction would prove little.
  for (const rare of RARE) expect(seen.get(rare) ?? 0, rare).toBeGreaterThan(0);
});

const RARE = [
  'posted',
  'duplicate',
  'conflict',
  'quarantined',
  'closed',
  'refused to close',
  'late',
  'not due',
  'reversal',
  'charged',
  'failed',
  'cancelled',
  'unrated',
  'unattributed',
  'member',
  'left',
  'adjusted',
  'bulk',
  'restored',
];

function count(seen: Map<string, number>, names: readonly string[]): void {
  for (const name of names) seen.set(name, (seen.get(name) ?? 0) + 1);
}

async function live(
  database: TestDatabase,
  { events, steps }: History,
): Promise<readonly string[]> {
  const seen: string[] = [];
  const model = new ReferenceModel();
  const workers = [new ReferenceCache(), new ReferenceCache()];
  const world: World = { model, events, workers, restoreModel: null };
  for (const [index, step] of steps.entries()) {
    const what = `step ${index}, ${JSON.stringify(step)}`;
    const { predicted, observed } = await take(database, world, step);
    expect(observed, what).toEqual(predicted);
    seen.push(...(Array.isArray(observed) ? observed : [observed]).flatMap(nameOf));
  }
  await foldAll(database, () => 0);
  model.join();
  expect(await brokenLaws(database)).toEqual([]);
  expect(await readEntries(database)).toEqual(predictEntries(model));
  expect(await readCloses(database)).toEqual(predictCloses(model));
  const entries = model.entries.flatMap((entry) => [
    entry.outcome,
    ...(entry.late ? ['late'] : []),
    ...(entry.due ? [] : ['not due']),
    ...(entry.isReversal ? ['reversal'] : []),
    ...(entry.isSaid ? ['model changed by a person'] : []),
    ...(entry.kind === 'adjustment' ? ['adjusted'] : []),
    ...(entry.member === '' ? [] : ['member']),
    ...(entry.requested === entry.executed ? [] : ['fallback']),
  ]);
  return [...seen, ...entries, 'history'];
}

/** An answer as one word: what became of an event, a period or a correction. */
function nameOf(answer: unknown): string | readonly string[] {
  if (typeof answer !== 'string') return [];
  const state = answer.split(' ').at(-1) ?? answer;
  return answer !== state && state === 'refused' ? 'refused to close' : state;
}

interface Both {
  readonly predicted: unknown;
  readonly observed: unknown;
}

interface World {
  readonly model: ReferenceModel;
  readonly events: readonly ModelEvent[];
  readonly workers: readonly ReferenceCache[];
  /** Takes the model back to when it was kept last. */
  restoreModel: (() => void) | null;
}

async function take(database: TestDatabase, world: World, step: TimedStep): Promise<Both> {
  const { model, events } = world;
  const { at } = step;
  const when = new Date(at).toISOString();
  const clock = () => at;
  const note = { reason: 'a random history', actor: 'model' };
  const parts = { database, clock };
  switch (step.kind) {
    case 'import':
      return {
        predicted: model.importBook(step.book),
        observed: await orRefused(() => importBook(database, step.book, when)),
      };
    case 'set': {
      const { zone, anchor, book, mode } = step.settings;
      const change = {
        ...(zone === undefined ? {} : { timeZone: zone }),
        ...(anchor === undefined ? {} : { anchorDay: anchor }),
        ...(book === undefined ? {} : { priceBook: book }),
        ...(mode === undefined ? {} : { mode }),
      };
      const set = () => makeTenant(database, step.tenant, { ...change, created: when });
      return {
        predicted: model.setTenant(step.tenant, step.settings, at),
        observed: await orRefused(async () => {
          await set();
          return 'set';
        }),
      };
    }
    case 'deliver': {
      const batch = step.batch.map((delivery) => deliveredFrom(events, delivery));
      return {
        predicted: model.deliver(batch, at),
        observed: await receive(database, [JSON.stringify({ events: batch })], when, {
          cache: present(world.workers[step.worker], 'a worker'),
        }),
      };
    }
    case 'close': {
      const month = monthBefore(at, step.monthsBack);
      const request = { month, tenant_id: step.tenant };
      return {
        predicted: sorted(model.close(month, step.tenant, at)),
        observed: await orRefused(async () =>
          sorted((await closePeriods(parts, request)).map(stateOf)),
        ),
      };
    }
    case 'correct': {
      const entries = [...model.entries].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
      const entry = entries[step.nth % Math.max(1, entries.length)];
      if (entry === undefined) return { predicted: null, observed: null };
      const predicted = model.correct(entry, step.change, at);
      const entryId = await idOf(database, entry);
      const change = step.change === null ? null : changeOf(step.change);
      const observed = await orRefused(async () => {
        await postCorrections(database, clock, [{ entryId, change, note }]);
        return 'posted';
      });
      return { predicted, observed };
    }
    case 'rerate': {
      const month = monthBefore(at, step.monthsBack);
      const request = { month, tenant_id: null, ...note };
      const foreseen = await rerateMonth(parts, { ...request, dry_run: true });
      const done = await rerateMonth(parts, { ...request, dry_run: false });
      const again = await rerateMonth(parts, { ...request, dry_run: false });
      model.rerate(month);
      // Re-rating folds what it posted, and folding joins attempts.
      model.join();
      return { predicted: [foreseen.rows, []], observed: [done.rows, again.rows] };
    }
    case 'reattribute': {
      const { feature } = step;
      const asked = { entry_ids: [], tenant_id: HEIR, user_id: null, feature, agent_run_id: null };
      const predicted = model.reattribute(HEIR, feature, at);
      const observed = await orRefused(
        async () => (await reattributeEntries({ database, clock }, { ...asked, ...note })).length,
      );
      if (observed !== 'refused') model.join();
      return { predicted, observed };
    }
    case 'correct all': {
      const month = step.monthsBack === null ? null : monthBefore(at, step.monthsBack);
      const { tenant, requested, ...same } = step.where;
      const where = {
        ...same,
        ...(tenant === undefined ? {} : { tenant_id: tenant }),
        ...(requested === undefined ? {} : { requested_model: requested }),
      };
      const change = step.change === null ? null : givenOf(step.change);
      const request = { where, month, change, dry_run: false, ...note };
      const counts = model.correctWhere(step.where, month, step.change);
      const predicted =
        counts === 'refused' ? counts : [...counts, counts[1] > 0 ? 'bulk' : 'nothing'];
      const observed = await orRefused(async () => {
        const foreseen = await correctWhere(parts, { ...request, dry_run: true });
        const done = await correctWhere(parts, request);
        expect(foreseen.rows).toEqual(done.rows);
        const corrected = done.rows.reduce((sum, { entries }) => sum + entries, 0);
        return [done.examined, corrected, corrected > 0 ? 'bulk' : 'nothing'];
      });
      if (observed !== 'refused') model.join();
      return { predicted, observed };
    }
    case 'adjust': {
      const { tenant, id, micro } = step;
      const amount = BigInt(micro) * 1_000_000n;
      const predicted = model.adjust({ tenant, id, amount, reason: note.reason, at });
      const observed = await orRefused(
        async () => (await adjustTenant(parts, { tenant_id: tenant, amount, id, ...note })).state,
      );
      if (observed !== 'refused') model.join();
      return { predicted, observed };
    }
    case 'leave': {
      const leaves = at - step.hoursBack * 3_600_000;
      const left = sorted(model.leave(step.tenant, leaves, at));
      const predicted = left === 'refused' ? left : [...left, 'left'];
      const observed = await orRefused(async () => {
        const { periods } = await closeTenant(parts, { tenant_id: step.tenant, at: leaves });
        return sorted(periods.map(stateOf));
      });
      return { predicted, observed: Array.isArray(observed) ? [...observed, 'left'] : observed };
    }
    case 'dump':
      world.restoreModel = model.dump();
      await dumpTables(database.pool);
      return { predicted: null, observed: null };
    case 'restore':
      if (world.restoreModel === null) return { predicted: null, observed: null };
      world.restoreModel();
      await restoreTables(database.pool);
      return { predicted: 'restored', observed: 'restored' };
    case 'fold':
      model.join();
      await foldAll(database, clock);
      return { predicted: null, observed: null };
  }
}

function stateOf(one: ClosedPeriod): string {
  return `${one.tenant_id} ${one.period_start} ${one.state}`;
}

/** The same change as a request names it. */
function givenOf({ requested, feature, status }: ModelChange) {
  return { requested_model: requested, feature, status };
}

function deliveredFrom(events: readonly ModelEvent[], { nth, isChanged }: Delivery): ModelEvent {
  const event = events[nth % events.length];
  if (event === undefined) throw new Error('the pool is empty');
  if (!isChanged) return event;
  const { usage } = event;
  return { ...event, usage: { ...usage, output_tokens: usage.output_tokens + 1 } };
}

function changeOf({ tenant, requested, output, uncached, ...same }: ModelChange) {
  return {
    ...same,
    ...(tenant === undefined ? {} : { tenantId: tenant }),
    ...(requested === undefined ? {} : { requestedModel: requested }),
    ...(output === undefined ? {} : { outputTokens: output }),
    ...(uncached === undefined ? {} : { uncachedInputTokens: uncached }),
  };
}

async function orRefused(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) return 'refused';
    throw error;
  }
}

function sorted(rows: 'refused' | readonly string[]): 'refused' | readonly string[] {
  return rows === 'refused' ? rows : [...rows].sort();
}

async function idOf(database: TestDatabase, entry: ModelEntry): Promise<bigint> {
  const { tenant, source, event, member, revision } = entry;
  const { rows } = await database.pool.query<{ entry_id: bigint }>(
    `select entry_id from entries where (tenant_id, source, event_id, member_id, revision)
       = ($1, $2, $3, $4, $5)`,
    [tenant, source, event, member, revision],
  );
  const id = rows[0]?.entry_id;
  if (id === undefined) throw new Error(`the ledger has no entry ${keyOf(entry)}`);
  return id;
}

const KEY = (of: string) =>
  `concat_ws('|', ${of}.tenant_id, ${of}.source, ${of}.event_id, ${of}.member_id, ${of}.revision)`;

/** Rows as texts, so that no figure is compared as a float. */
function readEntries(database: TestDatabase) {
  return textRows(
    database,
    `select ${KEY('e')} as key, ${KEY('c')} as corrects, e.kind, e.is_reversal, e.outcome,
       e.uncached_input_tokens as uncached, e.cache_read_tokens as read,
       e.cache_write_tokens as write, e.output_tokens as output, e.units, e.charge, e.cost,
       e.requested_cost,
       e.period_start as period, e.late, e.not_due is null as due, e.requested_model as requested,
       e.executed_model as executed, e.feature, e.call_share as share
     from entries e left join entries c on c.entry_id = e.corrects_entry_id
     order by ${KEY('e')} collate "C"`,
  );
}

function predictEntries(model: ReferenceModel) {
  const rows = model.entries.map((entry) => ({
    key: keyOf(entry),
    corrects: entry.corrects ?? '',
    kind: entry.kind,
    is_reversal: String(entry.isReversal),
    outcome: entry.outcome,
    uncached: String(entry.tokens.uncached),
    read: String(entry.tokens.read),
    write: String(entry.tokens.write),
    output: String(entry.tokens.output),
    units: unitsText(entry.tokens.units),
    charge: entry.charge === null ? null : String(entry.charge),
    cost: entry.cost === null ? null : String(entry.cost),
    requested_cost: entry.requestedCost === null ? null : String(entry.requestedCost),
    period: entry.period,
    late: String(entry.late),
    due: String(entry.due),
    requested: entry.requested,
    executed: entry.executed,
    feature: entry.feature,
    share: String(entry.share),
  }));
  return rows.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** As the ledger writes a map of units: null where there is none, its names by their length and then by letter. */
function unitsText(units: ModelUnits): string | null {
  const counted = Object.entries(units);
  if (counted.length === 0) return null;
  const sortedByName = counted.sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1));
  return `{${sortedByName.map(([name, count]) => `"${name}": ${count}`).join(', ')}}`;
}

function readCloses(database: TestDatabase) {
  return textRows(
    database,
    `select tenant_id, period_start, charge_exact, carried_in, billable_micro, carried_out, charge_total
     from closes order by tenant_id, period_start`,
  );
}

function predictCloses(model: ReferenceModel) {
  const rows = model.closes.map((close) => ({
    tenant_id: close.tenant,
    period_start: close.period,
    charge_exact: String(close.exact),
    carried_in: String(close.carriedIn),
    billable_micro: String(close.billableMicro),
    carried_out: String(close.carriedOut),
    charge_total: String(close.total),
  }));
  return rows.sort((a, b) =>
    `${a.tenant_id}${a.period_start}` < `${b.tenant_id}${b.period_start}` ? -1 : 1,
  );
}
