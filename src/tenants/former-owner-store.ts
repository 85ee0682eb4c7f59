import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Transaction } from '../database/database.ts';

/** What of a tenant's period is under way with a customer, the first that is to be done coming first. */
const STEPS = ['open', 'untold', 'unproven', 'draft', 'unbilled'] as const;

/** Something that another tenant, which has a customer or had it, has not finished with it. */
export interface UnfinishedPeriod {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly endsAt: InstantMs;
  readonly what: (typeof STEPS)[number];
}

/**
 * Reads what other tenants have not finished with a customer; the oldest period first. What is open or untold is meant for the
 * customer of today: for this one where the tenant has it, or had it last and has none since.
 */
export async function readUnfinishedWith(
  transaction: Transaction,
  { customer, tenantId }: { readonly customer: string; readonly tenantId: string },
): Promise<readonly UnfinishedPeriod[]> {
  const { rows } = await sql<UnfinishedRow>`
    with owner as (
      select t.tenant_id from tenants t where t.tenant_id <> ${tenantId} and t.mode = 'live'
        and (t.stripe_customer = ${customer} or t.stripe_customer is null and t.tenant_id in (
          select c.row_key ->> 'tenant_id' from changes c
          where c.of_table = 'tenants' and c.kept ->> 'stripe_customer' = ${customer}
            and not exists (select from changes l where l.of_table = 'tenants' and l.row_key = c.row_key
              and l.change_id > c.change_id and l.kept ->> 'stripe_customer' <> ${customer})))
    ), found as (
      select p.tenant_id, p.period_start, 'open' as what from owner o
        join periods p on p.tenant_id = o.tenant_id and p.state <> 'closed'
        where ${comesToSomething}
      union all select c.tenant_id, c.period_start, 'untold' from owner o
        join closes c on c.tenant_id = o.tenant_id and c.mode = 'live'
        where c.billable_micro > (select coalesce(sum(i.value_micro), 0) from push_intents i
          where i.tenant_id = c.tenant_id and i.period_start = c.period_start and i.state <> 'missing')
      union all select i.tenant_id, i.period_start, 'unproven' from push_intents i
        where i.stripe_customer = ${customer} and i.tenant_id <> ${tenantId}
          and i.state <> 'missing' and (i.state <> 'confirmed' or i.proven_at is null)
      union all select v.tenant_id, v.period_start, 'draft' from stripe_invoices v
        where v.stripe_customer = ${customer} and v.tenant_id <> ${tenantId} and v.state in ('held', 'released')
      union all select i.tenant_id, i.period_start, 'unbilled' from push_intents i
        where i.stripe_customer = ${customer} and i.tenant_id <> ${tenantId}
          and i.destination = 'meter' and i.state = 'confirmed'
          and not exists (select from stripe_invoices v where v.stripe_customer = ${customer} and v.tenant_id = i.tenant_id
            and v.period_start = i.period_start and v.identifier is null and v.state in ('finalized', 'void'))
          and not exists (select from push_alerts a where a.kind = 'usage_left_on_meter' and a.tenant_id = i.tenant_id
            and a.period_start = i.period_start and a.resolved_at is not null)
        group by i.tenant_id, i.period_start having sum(i.value_micro) <> 0
    )
    select distinct f.tenant_id, f.period_start, p.ends_at, f.what, array_position(${[...STEPS]}::text[], f.what) as rank
    from found f join periods p on p.tenant_id = f.tenant_id and p.period_start = f.period_start
    order by f.period_start, rank, f.tenant_id`.execute(transaction.kysely);
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    periodStart: row.period_start,
    endsAt: row.ends_at,
    what: row.what,
  }));
}

/** Whether a period `p` has a charge that is not nothing, or one that nobody knows yet; what was taken back whole has neither. */
const comesToSomething = sql`exists (select from entries_of_period(p.tenant_id, p.period_start) e
  having sum(e.charge) <> 0 or sum(case when e.is_reversal then -1 else 1 end) filter (where e.charge is null) > 0)`;

interface UnfinishedRow {
  readonly tenant_id: string;
  readonly period_start: string;
  readonly ends_at: InstantMs;
  readonly what: UnfinishedPeriod['what'];
}

/** Reads the last period of another tenant of which a customer's meter counts something; null where there is none. */
export async function readLastCounted(
  transaction: Transaction,
  { customer, tenantId }: { readonly customer: string; readonly tenantId: string },
): Promise<Omit<UnfinishedPeriod, 'what'> | null> {
  const { rows } = await sql<Omit<UnfinishedRow, 'what'>>`
    select i.tenant_id, i.period_start, p.ends_at from push_intents i
      join periods p on p.tenant_id = i.tenant_id and p.period_start = i.period_start
    where i.stripe_customer = ${customer} and i.tenant_id <> ${tenantId}
      and i.destination = 'meter' and i.state = 'confirmed'
    group by i.tenant_id, i.period_start, p.ends_at having sum(i.value_micro) <> 0
    order by p.ends_at desc limit 1`.execute(transaction.kysely);
  const [row] = rows;
  return row === undefined
    ? null
    : { tenantId: row.tenant_id, periodStart: row.period_start, endsAt: row.ends_at };
}

/** Reads the first period of a tenant that began before an instant and has usage that nobody was told of; null where all is told. */
export async function readUntoldBefore(
  transaction: Transaction,
  { tenantId, before }: { readonly tenantId: string; readonly before: InstantMs },
): Promise<string | null> {
  const { rows } = await sql<{ period_start: string }>`
    select p.period_start from periods p left join closes c
      on c.tenant_id = p.tenant_id and c.period_start = p.period_start
    where p.tenant_id = ${tenantId} and p.starts_at < ${formatInstant(before)} and (
      p.state <> 'closed' and ${comesToSomething}
      or c.mode = 'live' and c.billable_micro > (select coalesce(sum(i.value_micro), 0) from push_intents i
        where i.tenant_id = c.tenant_id and i.period_start = c.period_start and i.state <> 'missing'))
    order by p.period_start limit 1`.execute(transaction.kysely);
  return rows[0]?.period_start ?? null;
}
