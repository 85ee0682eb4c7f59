import { hash } from 'node:crypto';
import type { Database } from '../../src/database/database.ts';
import { present } from '../../src/present.ts';
import type { StripeDouble } from '../../src/stripe-double/stripe-double.ts';
import type { CrashPlan, Watcher } from './crash-point.ts';
import type { FaultCase } from './fault-cases.ts';

/** What a death at each place of a run leaves behind, by `placeOf`. */
export type StatesOfRun = ReadonlyMap<string, string>;

export interface World {
  /** Connections that the run does not take: a run that has all of its pool's waits for whoever watches it. */
  readonly database: Pick<Database, 'pool'>;
  readonly double: StripeDouble;
}

interface WatchedRun {
  readonly watcher: Watcher;
  readonly states: StatesOfRun;
}

/**
 * Whatever comes after a death begins from what is durable: the tables that a month's run reads, and what Stripe holds
 * and remembers. So two deaths that leave the same lead to the same, and one of them stands for both. The places are
 * looked at one after another, so that each gets what stood when it was looked at.
 */
export function watchStates(world: World): WatchedRun {
  const states = new Map<string, string>();
  let known = { mark: '', digest: '' };
  let last: Promise<void> = Promise.resolve();
  const look = async (place: CrashPlan) => {
    await world.double.control.settle();
    const mark = await markOf(world);
    if (mark !== known.mark) known = { mark, digest: await digestOf(world) };
    states.set(placeOf(place), known.digest);
  };
  const watcher: Watcher = (place) => {
    last = last.then(() => look(place));
    return last;
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
    cases.flatMap((given) => {
      const leaves = states.get(placeOf(present(given.crash, 'a death')));
      // Nothing comes after a request that fails but what comes next.
      if (leaves === undefined) return [];
      const key = `${leaves} ${given.rerunAfterHours}`;
      if (seen.has(key)) return [];
      seen.add(key);
      return [{ ...given, leaves }];
    });
}

/** The number of the last await that a run came to. */
export function lastOf(states: StatesOfRun): number {
  return Math.max(...[...states.keys()].map((place) => Number(place.split(' ')[1])));
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

/** Numbers of alerts and changes go on from the run before, and prints begin the digests of entries. */
const COUNTED_ON = "'{alert_id,change_ids,prints}'::text[]";

/** It changes with whatever is committed, and with whatever Stripe is asked to do. */
async function markOf({ database, double }: World): Promise<string> {
  const { rows } = await database.pool.query<{ snapshot: string }>(
    'select pg_current_snapshot()::text as snapshot',
  );
  const asked = double.control.requests().filter(({ method }) => method !== 'GET');
  const done = asked.filter(({ status }) => status !== null).length;
  return `${rows[0]?.snapshot} ${asked.length} ${done}`;
}

/** One text for everything that is durable, the same for two worlds that differ in drawn ids alone. */
export async function digestOf({ database, double }: World): Promise<string> {
  const rowsOf = (table: string) =>
    `(select array_agg((to_jsonb(t) - ${COUNTED_ON})::text) from ${table} t) as ${table}`;
  const { rows } = await database.pool.query<Record<string, readonly string[] | null>>(
    `select ${TABLES.map(rowsOf).join(', ')}`,
  );
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
  const plain = withoutDrawn(stripe);
  const kept = TABLES.map((table) => (rows[0]?.[table] ?? []).map(plain).sort());
  return hash('sha256', JSON.stringify([kept, plain(stripe)]));
}

/**
 * Ids that are drawn anew in each run, of Stripe's objects and of requests, become the places at which Stripe shows
 * them first, so that what refers to one of two objects is not taken for what refers to the other. A digest is left
 * out: it says nothing that is not in what it is over, and a seal's is over drawn ids, too.
 */
function withoutDrawn(stripe: string): (text: string) => string {
  const places = new Map<string, number>();
  for (const [id] of stripe.matchAll(DRAWN)) {
    if (!places.has(id)) places.set(id, places.size);
  }
  return (text) =>
    text
      .replace(DRAWN, (id, kind: string) => `${kind}-${places.get(id) ?? 'elsewhere'}`)
      .replace(/\bx?[0-9a-f]{64}\b/g, 'digest')
      .replace(/DOUBLE-[A-Z0-9]{8}/g, 'number')
      .replace(/127\.0\.0\.1:\d+/g, 'here');
}

const DRAWN = /\b(evt_test|evt|in|il|ii|we|cus|sub|si|mtr_test|price|prod|whsec)_[A-Za-z0-9]{8,}/g;
