import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Pico } from '../money.ts';
import { UNATTRIBUTED } from '../rating/rate-event.ts';

/** A close or a push since an endpoint exists that has no event yet. */
export interface PeriodFact {
  readonly kind: 'period.closed' | 'period.pushed' | 'period.parked';
  readonly event_key: string;
  readonly tenant_id: string;
  readonly period_start: string;
  readonly occurred_at: InstantMs;
  readonly mode: string;
  readonly currency: string;
  readonly billable_micro: bigint;
  readonly charge_total: bigint;
  readonly manifest_hash: string;
}

/** Reads the instant since which somebody wants to hear of anything; null where nobody does. */
export async function readHeardSince(database: Database): Promise<InstantMs | null> {
  const { rows } = await sql<{ since: InstantMs | null }>`
    select min(created_at) as since from webhook_endpoints where disabled_at is null`.execute(
    database.kysely,
  );
  return rows[0]?.since ?? null;
}

/** Reads closed periods, and what became of telling Stripe of them. */
export async function readPeriodFacts(
  database: Database,
  since: InstantMs,
): Promise<readonly PeriodFact[]> {
  const at = formatInstant(since);
  const { rows } = await sql<PeriodFact>`
    with facts as (
      select 'period.closed' as kind, 'period.closed ' || c.tenant_id || ' ' || c.period_start as event_key,
        c.tenant_id, c.period_start, c.closed_at as occurred_at
      from closes c where c.closed_at >= ${at} and c.tenant_id <> ${UNATTRIBUTED}
      union all
      select case n.state when 'parked' then 'period.parked' else 'period.pushed' end,
        case n.state when 'parked' then 'period.parked ' else 'period.pushed ' end || n.identifier,
        n.tenant_id, n.period_start, coalesce(n.confirmed_at, n.sent_at, n.first_attempt_at, ${at}::timestamptz)
      from push_intents n where n.state in ('parked', 'confirmed')
        -- Who takes back what was told or settled pushes nothing; where that is parked, a person is to know.
        and (n.value_micro > 0 or n.state = 'parked')
        and coalesce(n.confirmed_at, n.sent_at, n.first_attempt_at, ${at}::timestamptz) >= ${at}
    )
    select f.kind, f.event_key, f.tenant_id, f.period_start::text, f.occurred_at, c.mode, c.currency, c.billable_micro,
      c.charge_total, c.manifest_hash
    from facts f join closes c on c.tenant_id = f.tenant_id and c.period_start = f.period_start
    where not exists (select from webhook_events e where e.event_key = f.event_key)
    order by f.occurred_at, f.event_key limit 1000`.execute(database.kysely);
  return rows;
}

/** A budget that came to a share of its limit. */
export interface ThresholdFact {
  readonly event_key: string;
  readonly budget_id: bigint;
  readonly tenant_id: string;
  readonly measure: 'money' | 'tokens';
  readonly per: string;
  readonly time_key: string;
  readonly share: number;
  readonly spent: Pico;
  readonly held: Pico;
  readonly amount: Pico;
  readonly currency: string | null;
}

/**
 * Reads the budgets that came to one of their shares in the time that runs or the one before, once
 * for each limit. What is held counts for nothing here: it is not spent yet. A limit that was changed
 * says nothing new of a time that is over: of a run that was told of under another limit, only what it
 * spent since counts, and of days and months only the last one.
 */
export async function readPassedThresholds(
  database: Database,
  now: InstantMs,
): Promise<readonly ThresholdFact[]> {
  const { rows } = await sql<ThresholdFact>`
    select k.event_key, b.budget_id, b.tenant_id, b.measure, b.per, c.time_key, t.share, c.spent, c.held, b.amount,
      b.currency
    from budgets b
    join budget_counters c on c.budget_id = b.budget_id and c.time_key >= case b.per
      when 'day' then to_char(${formatInstant(now)}::timestamptz at time zone b.time_zone - interval '1 day', 'YYYY-MM-DD')
      when 'month' then to_char(${formatInstant(now)}::timestamptz - interval '62 days', 'YYYY-MM-DD') else '' end
    cross join unnest(b.thresholds) t(share)
    cross join lateral (
      select 'budget.threshold ' || b.budget_id || ' ' || t.share || ' ' || c.time_key as of_any_limit) a
    cross join lateral (
      select a.of_any_limit || ' ' || b.amount || ' ' || coalesce(b.currency, 'tokens') as event_key) k
    where c.spent > 0 and c.spent * 100 >= b.amount * t.share
      and not exists (select from webhook_events e where e.event_key = k.event_key)
      and not exists (
        select from webhook_events e
        where e.event_key > a.of_any_limit || ' ' and e.event_key < a.of_any_limit || '!' and e.data->>'time' = c.time_key
          and case b.per when 'run'
            then (e.data->>'spent')::numeric * case b.measure when 'money' then 1000000000000 else 1 end >= c.spent
            else c.time_key < (select max(n.time_key) from budget_counters n where n.budget_id = b.budget_id) end)
    order by b.budget_id, c.time_key, t.share limit 1000`.execute(database.kysely);
  return rows;
}

/** Somebody asked for a higher limit, or an operator answered. */
export interface RaiseFact {
  readonly kind: 'budget.raise_requested' | 'budget.raise_answered';
  readonly event_key: string;
  readonly occurred_at: InstantMs;
  readonly request_id: bigint;
  readonly budget_id: bigint;
  readonly tenant_id: string;
  readonly measure: 'money' | 'tokens';
  readonly currency: string | null;
  readonly state: 'open' | 'approved' | 'refused';
  readonly amount_then: Pico;
  readonly amount_asked: Pico;
  readonly amount_granted: Pico | null;
  readonly by: string;
  readonly because: string;
}

/** Reads requests to raise a limit and their answers since an endpoint is there, each once. */
export async function readRaiseFacts(
  database: Database,
  since: InstantMs,
): Promise<readonly RaiseFact[]> {
  const at = formatInstant(since);
  const { rows } = await sql<RaiseFact>`
    with facts as (
      select 'budget.raise_requested' as kind, request_id, asked_at as occurred_at, asked_by as by,
        asked_because as because, null::numeric as amount_granted
      from budget_raises
      union all
      select 'budget.raise_answered', request_id, answered_at, answered_by, answered_because, amount_granted
      from budget_raises where answered_at is not null
    )
    select f.kind, f.kind || ' ' || f.request_id as event_key, f.occurred_at, r.request_id, r.budget_id, r.tenant_id,
      r.measure, r.currency, r.state, r.amount_then, r.amount_asked, f.amount_granted, f.by, f.because
    from facts f join budget_raises r using (request_id)
    where f.occurred_at >= ${at}
      and not exists (select from webhook_events e where e.event_key = f.kind || ' ' || f.request_id)
    order by f.occurred_at, f.kind desc limit 1000`.execute(database.kysely);
  return rows;
}
