import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';

/** A tenant's customer, in the mode and the account of the key that is used. */
export interface CustomerOfTenant {
  readonly tenantId: string;
  readonly stripeCustomer: string;
  readonly livemode: boolean;
  /** It is null where the key may not ask for it. */
  readonly account: string | null;
}

export type CustomerState = 'present' | 'deleted';

/** What was seen is believed for so long: a webhook may not tell of a deletion, and a push comes once a month. */
const BELIEVED_MS = 60 * 60 * 1000;

/**
 * Reads what Stripe said of the tenant's customer; null where it was not asked lately, or in
 * another account. One that was deleted stays so.
 */
export async function readCustomerState(
  database: Database,
  of: CustomerOfTenant,
  now: InstantMs,
): Promise<CustomerState | null> {
  const { rows } = await sql<{ state: CustomerState }>`
    select state from stripe_customers where tenant_id = ${of.tenantId}
      and stripe_customer = ${of.stripeCustomer} and livemode = ${of.livemode}
      and account is not distinct from ${of.account}
      and (state = 'deleted' or checked_at > ${formatInstant(now - BELIEVED_MS)})`.execute(
    database.kysely,
  );
  return rows[0]?.state ?? null;
}

export async function saveCustomerState(
  database: Database,
  of: CustomerOfTenant & { readonly state: CustomerState; readonly at: InstantMs },
): Promise<void> {
  await sql`
    insert into stripe_customers (tenant_id, stripe_customer, livemode, state, checked_at, account) values
      (${of.tenantId}, ${of.stripeCustomer}, ${of.livemode}, ${of.state}, ${formatInstant(of.at)}, ${of.account})
    on conflict (tenant_id, stripe_customer, livemode)
      do update set state = excluded.state, checked_at = excluded.checked_at, account = excluded.account`.execute(
    database.kysely,
  );
}

/**
 * Reads the live tenants that are linked to a customer, and those that are not; ordered by id. Whoever left is none, unless
 * a period of it is still open, or began since; or it is named, by somebody who knows that it comes back.
 */
export async function readLiveTenants(
  database: Database,
  now: InstantMs,
  named: string | null = null,
): Promise<readonly { readonly tenantId: string; readonly stripeCustomer: string | null }[]> {
  const { rows } = await sql<{ tenant_id: string; stripe_customer: string | null }>`
    select tenant_id, stripe_customer from tenants t where mode = 'live'
      and (left_at is null or left_at > ${formatInstant(now)} or tenant_id = ${named} or exists (select from periods p
        where p.tenant_id = t.tenant_id and (p.state <> 'closed' or p.starts_at >= t.left_at)))
    order by tenant_id`.execute(database.kysely);
  return rows.map((row) => ({ tenantId: row.tenant_id, stripeCustomer: row.stripe_customer }));
}

/**
 * The tenant behind a customer, be it the one that was told of it, or of which an invoice is kept, before it was given
 * another customer; null for a customer that is none of ours.
 */
export async function readTenantOfCustomer(
  database: Database,
  stripeCustomer: string,
): Promise<{ readonly tenantId: string; readonly mode: 'shadow' | 'live' } | null> {
  const { rows } = await sql<{ tenant_id: string; mode: 'shadow' | 'live' }>`
    select tenant_id, mode, 1 as rank from tenants where stripe_customer = ${stripeCustomer}
    union all (select t.tenant_id, t.mode, 2 from push_intents i join tenants t on t.tenant_id = i.tenant_id
      where i.stripe_customer = ${stripeCustomer} order by i.created_at desc limit 1)
    union all (select t.tenant_id, t.mode, 3 from stripe_invoices v join tenants t on t.tenant_id = v.tenant_id
      where v.stripe_customer = ${stripeCustomer} order by v.period_start desc limit 1)
    order by rank limit 1`.execute(database.kysely);
  const [row] = rows;
  return row === undefined ? null : { tenantId: row.tenant_id, mode: row.mode };
}

/** Periods of a tenant that are not closed and have charges, with their sums in picodollars. */
export async function readOpenUsage(
  database: Database,
  tenantId: string,
): Promise<readonly { readonly periodStart: string; readonly charge: bigint }[]> {
  const { rows } = await sql<{ period_start: string; charge: bigint }>`
    select p.period_start, sum(e.charge) as charge from periods p
    cross join lateral entries_of_period(p.tenant_id, p.period_start) e
    where p.tenant_id = ${tenantId} and p.state <> 'closed'
    group by p.period_start having sum(e.charge) <> 0 order by p.period_start`.execute(
    database.kysely,
  );
  return rows.map((row) => ({ periodStart: row.period_start, charge: row.charge }));
}
