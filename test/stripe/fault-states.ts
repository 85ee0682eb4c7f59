import { hash } from 'node:crypto';
import type { Database } from '../../src/database/database.ts';
import type { StripeDouble } from '../../src/stripe-double/stripe-double.ts';
import type { CrashPlan, Watcher } from './crash-point.ts';
import type { FaultCase } from './fault-cases.ts';

/** What a death at each place of a run leaves behind, by `placeOf`. */
export type StatesOfRun = ReadonlyMap<string, string>;

/**
 * Whatever comes after a death begins from what is durable: the tables that a month's run reads, and what Stripe holds
 * and remembers. So two deaths that leave the same lead to the same, and one of them stands for both.
 */
export function watchStates(world: {
  readonly database: Database;
  readonly double: StripeDouble;
}): { readonly watcher: Watcher; readonly states: StatesOfRun } {
  const states = new Map<string, string>();
  let known = { mark: '', digest: '' };
  const watcher: Watcher = async (place) => {
    const mark = await markOf(world);
    if (mark !== known.mark) known = { mark, digest: await digestOf(world) };
    states.set(placeOf(place), known.digest);
  };
  return { watcher, states };
}

/** Takes of the cases those whose death leaves what none before them has left, for each time of the next run. */
export function openDistinct(): (
  cases: readonly FaultCase[],
  states: StatesOfRun,
) => readonly FaultCase[] {
  const seen = new Set<string>();
  return (cases, states) =>
    cases.filter(({ crash, rerunAfterHours }) => {
      const state = crash === null ? undefined : states.get(placeOf(crash));
      if (state === undefined) return true;
      const key = `${state} ${rerunAfterHours}`;
      const isNew = !seen.has(key);
      seen.add(key);
      return isNew;
    });
}

function placeOf({ at, when }: CrashPlan): string {
  return `${when} ${at}`;
}

const TABLES = [
  'push_intents',
  'closes',
  'periods',
  'push_alerts',
  'stripe_customers',
  'stripe_events',
  'stripe_invoices',
  'stripe_reads',
  'stripe_meters',
  'month_run_steps',
  'entries',
  'seals',
  'usage_rollups',
  'fold_queue',
  'seal_queue',
];

/** It changes with whatever is committed, and with whatever Stripe is asked to do. */
async function markOf({ database, double }: Parameters<typeof watchStates>[0]): Promise<string> {
  const { rows } = await database.pool.query<{ snapshot: string }>(
    'select pg_current_snapshot()::text as snapshot',
  );
  const asked = double.control.requests().filter(({ method }) => method !== 'GET');
  const done = asked.filter(({ status }) => status !== null).length;
  return `${rows[0]?.snapshot} ${asked.length} ${done}`;
}

async function digestOf({
  database,
  double,
}: {
  readonly database: Database;
  readonly double: StripeDouble;
}): Promise<string> {
  const tables = TABLES.map((table) => `(select array_agg(t::text) from ${table} t) as ${table}`);
  const { rows } = await database.pool.query<Record<string, readonly string[] | null>>(
    `select ${tables.join(', ')}`,
  );
  const kept = TABLES.map((table) => (rows[0]?.[table] ?? []).map(withoutRandom).sort());
  const { control } = double;
  // What Stripe remembers of a key follows from what came with it, and how that ended.
  const told = control
    .requests()
    .filter(({ method }) => method === 'POST')
    .map(({ path, idempotencyKey, status, fault }) => [
      path,
      idempotencyKey?.startsWith('spl-') === true ? idempotencyKey : '',
      status,
      fault,
    ]);
  const stripe = JSON.stringify([control.state(), control.meterEvents(), told]);
  return hash('sha256', JSON.stringify([kept, withoutRandom(stripe)]));
}

/** Ids that are drawn anew in each run, of Stripe's objects and of requests. */
function withoutRandom(text: string): string {
  return text
    .replace(
      /\b(evt_test|evt|in|il|ii|we|cus|sub|si|mtr_test|price|prod|whsec)_[A-Za-z0-9]{8,}/g,
      '$1',
    )
    .replace(/[0-9A-F]{8}\b/g, '#')
    .replace(/127\.0\.0\.1:\d+/g, 'here');
}
