import { formatMeasure } from '../budgets/budget.ts';
import { readBudgetedTenants, readStandings, type StandingRow } from '../budgets/budget-store.ts';
import { DAY_MS, type InstantMs } from '../clock.ts';
import { formatDecimal, formatMinor } from '../money.ts';
import { findMissing } from '../month/completeness/name-missing.ts';
import { placeUsage } from '../periods/placement.ts';
import { readTenants } from '../tenants/tenant-store.ts';
import {
  type PeriodFact,
  type RaiseFact,
  readHeardSince,
  readPassedThresholds,
  readPeriodFacts,
  readRaiseFacts,
  type ThresholdFact,
} from './gathering-store.ts';
import { tellMissing } from './missing-events.ts';
import { addToOutbox, type Happened } from './outbox-store.ts';
import type { WebhookParts } from './webhook-parts.ts';

/**
 * Looks at what stands in the database and puts what is new into the outbox, each thing once: whoever closes, pushes
 * or counts knows nothing of webhooks, and nothing is missed that happened while nobody looked. Answers how many
 * messages were new.
 */
export async function gatherEvents(
  parts: Pick<WebhookParts, 'database' | 'clock'>,
  of: { readonly withMissing: boolean },
): Promise<number> {
  const { database, clock } = parts;
  const since = await readHeardSince(database);
  if (since === null) return 0;
  const now = clock();
  const found = await addToOutbox(database, [
    ...(await readPeriodFacts(database, since)).map(periodHappened),
    ...(await readPassedThresholds(database, now)).map((fact) => thresholdHappened(fact, now)),
    ...(await findOverruns(parts, now)),
    ...(await readRaiseFacts(database, since)).map(raiseHappened),
  ]);
  if (!of.withMissing) return found;
  const missing = await findMissing(parts, { month: null, tenant_id: null });
  return found + (await tellMissing(database, missing, now));
}

function periodHappened(fact: PeriodFact): Happened {
  return {
    kind: fact.kind,
    key: fact.event_key,
    subject: `tenant ${fact.tenant_id}`,
    occurredAt: fact.occurred_at,
    data: {
      tenant_id: fact.tenant_id,
      period_start: fact.period_start,
      mode: fact.mode,
      currency: fact.currency,
      total: formatMinor(fact.charge_total, fact.currency),
      billable: formatDecimal(fact.billable_micro, 6),
      manifest_hash: fact.manifest_hash,
    },
  };
}

function thresholdHappened(fact: ThresholdFact, now: InstantMs): Happened {
  return {
    kind: 'budget.threshold',
    key: fact.event_key,
    subject: `budget ${fact.budget_id}`,
    occurredAt: now,
    data: { ...budgetData(fact), share_percent: fact.share },
  };
}

function budgetData(row: Omit<ThresholdFact, 'event_key' | 'share'>) {
  return {
    budget_id: row.budget_id.toString(),
    tenant_id: row.tenant_id,
    per: row.per,
    /** A day, the day on which a period begins, a run, or '' where the budget never starts again. */
    time: row.time_key,
    measure: row.measure,
    currency: row.currency,
    limit: formatMeasure(row.measure, row.amount),
    spent: formatMeasure(row.measure, row.spent),
    held: formatMeasure(row.measure, row.held),
  };
}

function raiseHappened(fact: RaiseFact): Happened {
  const { kind, event_key: key, occurred_at: occurredAt, ...row } = fact;
  const limitOf = (amount: bigint) => formatMeasure(row.measure, amount);
  return {
    kind,
    key,
    occurredAt,
    subject: `budget ${row.budget_id}`,
    data: {
      request_id: row.request_id.toString(),
      budget_id: row.budget_id.toString(),
      tenant_id: row.tenant_id,
      measure: row.measure,
      currency: row.currency,
      state: kind === 'budget.raise_requested' ? 'open' : row.state,
      limit_then: limitOf(row.amount_then),
      limit_asked: limitOf(row.amount_asked),
      limit_granted: row.amount_granted === null ? null : limitOf(row.amount_granted),
      by: row.by,
      because: row.because,
    },
  };
}

/** Before so much of a day or a month is over, its pace says nothing. */
const PACE_AFTER_PERCENT = 10n;

/** The budgets of a day or a month that will be passed at the pace at which they were spent so far. */
async function findOverruns(
  { database }: Pick<WebhookParts, 'database'>,
  now: InstantMs,
): Promise<readonly Happened[]> {
  const all = { tenantId: null, now: true };
  const tenants = await readTenants(database.kysely, await readBudgetedTenants(database, all));
  const placed = tenants.map((tenant) => ({
    tenantId: tenant.tenantId,
    period: placeUsage(tenant, now).period,
  }));
  const begins = new Map(placed.map(({ tenantId, period }) => [tenantId, period.startsAt]));
  const rows = await readStandings(database, { now, isAsOf: false, tenants: placed });
  return rows.flatMap((row) => {
    const projected = projectSpent(row, { now, monthBegan: begins.get(row.tenant_id) ?? now });
    if (projected === null || projected <= row.amount || row.spent > row.amount) return [];
    const limit = `${row.amount} ${row.currency ?? 'tokens'}`;
    const key = `budget.projected_overrun ${row.budget_id} ${row.time_key} ${limit}`;
    return [
      {
        kind: 'budget.projected_overrun' as const,
        key,
        subject: `budget ${row.budget_id}`,
        occurredAt: now,
        data: { ...budgetData(row), projected: formatMeasure(row.measure, projected) },
      },
    ];
  });
}

/**
 * Returns what is spent now over the share of the time that is over; null where nobody can tell.
 */
export function projectSpent(
  { per, spent, resets_at: endsAt }: Pick<StandingRow, 'per' | 'spent' | 'resets_at'>,
  { now, monthBegan }: { readonly now: InstantMs; readonly monthBegan: InstantMs },
): bigint | null {
  if (endsAt === null || !['day', 'month'].includes(per)) return null;
  const beganAt = per === 'month' ? monthBegan : endsAt - DAY_MS;
  const [over, all] = [BigInt(Math.floor(now - beganAt)), BigInt(Math.floor(endsAt - beganAt))];
  if (over <= 0n || over * 100n < all * PACE_AFTER_PERCENT) return null;
  return (spent * all) / over;
}
