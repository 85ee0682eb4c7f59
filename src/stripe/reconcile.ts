import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { confirmedSum } from './push.ts';
import type { Intent, PushTarget } from './push-store.ts';
import { readIntents, readMeters, readTargets } from './push-store.ts';
import type { StripeClient } from './stripe-client.ts';
import { readSummary } from './stripe-client.ts';

/** Why the three columns of a tenant differ, or that they do not. */
export type Difference =
  | 'none'
  | 'shadow'
  | 'not_pushed'
  | 'in_flight'
  | 'lag'
  | 'missing'
  | 'foreign_usage';

/** Micro-dollars as decimal strings of whole numbers. */
export interface ReconcileRow {
  readonly tenant_id: string;
  readonly period_start: string;
  readonly ledger: string;
  readonly confirmed: string;
  readonly stripe: string | null;
  readonly difference: Difference;
  readonly explained: boolean;
}

/** Summaries lag; a push younger than this may not be in them yet. */
const LAG_MS = 60 * 60 * 1000;
const PARALLEL_READS = 8;

/**
 * Puts side by side what the ledger closed, what we know to be delivered, and what Stripe counts, for
 * each tenant of a month. One read a live tenant, well inside Stripe's read allocation.
 */
export async function reconcileMonth(
  options: {
    readonly database: Database;
    readonly stripe: StripeClient;
    readonly livemode: boolean;
    readonly clock: Clock;
  },
  month: string,
): Promise<readonly ReconcileRow[]> {
  const { database } = options;
  const targets = await readTargets(database, month);
  if (targets.length === 0) {
    throw new Refusal(
      'period',
      `no period that begins in ${month} is closed`,
      `close it first, with "spanledger close ${month}"`,
    );
  }
  const meters = await readMeters(database, options.livemode);
  const rows: ReconcileRow[] = [];
  const queue = [...targets];
  const worker = async () => {
    for (let target = queue.shift(); target !== undefined; target = queue.shift()) {
      const intents = await readIntents(database, target);
      const meterId = meters.get(target.currency)?.meterId ?? null;
      const summary = await summaryOf(options.stripe, target, meterId);
      rows.push(compareRow({ target, intents, summary, now: options.clock() }));
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_READS }, worker));
  return rows.sort((a, b) => (a.tenant_id < b.tenant_id ? -1 : 1));
}

async function summaryOf(
  stripe: StripeClient,
  target: PushTarget,
  meterId: string | null,
): Promise<bigint | null> {
  const { mode, stripeCustomer, startsAt, endsAt } = target;
  if (mode === 'shadow' || stripeCustomer === null || meterId === null) return null;
  return readSummary(stripe, { meterId, stripeCustomer, startsAt, endsAt });
}

/** Pure: the three columns in, the classified row out. */
export function compareRow(given: {
  readonly target: PushTarget;
  readonly intents: readonly Intent[];
  readonly summary: bigint | null;
  readonly now: number;
}): ReconcileRow {
  const { target, summary } = given;
  const confirmed = confirmedSum(given.intents);
  const difference = classify({ ...given, confirmed });
  return {
    tenant_id: target.tenantId,
    period_start: target.periodStart,
    ledger: String(target.billableMicro),
    confirmed: String(confirmed),
    stripe: summary === null ? null : String(summary),
    difference,
    explained: ['none', 'shadow', 'in_flight', 'lag'].includes(difference),
  };
}

function classify(given: {
  readonly target: PushTarget;
  readonly intents: readonly Intent[];
  readonly summary: bigint | null;
  readonly confirmed: bigint;
  readonly now: number;
}): Difference {
  const { target, intents, summary, confirmed } = given;
  if (target.mode === 'shadow') return 'shadow';
  if (summary === null) return target.billableMicro === 0n ? 'none' : 'not_pushed';
  const intended = intents.reduce((sum, intent) => sum + intent.valueMicro, 0n);
  if (summary > intended) return 'foreign_usage';
  if (intents.some((intent) => intent.state === 'sent' || intent.state === 'ambiguous')) {
    return 'in_flight';
  }
  if (confirmed !== target.billableMicro) return 'not_pushed';
  if (summary === confirmed) return 'none';
  const newest = Math.max(...intents.map((intent) => intent.firstAttemptAt ?? 0));
  return given.now - newest < LAG_MS ? 'lag' : 'missing';
}
