import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { InstantMs } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import type { Tables } from '../database/tables.ts';
import { readChargedCurrencies } from '../periods/charged-currencies-store.ts';
import { periodKey } from '../periods/period-key.ts';
import { TENANT_SETTINGS } from './tenant-answer.ts';

/** A change of a tenant's settings; a book has dates of its own. */
interface TenantChange {
  readonly changed_at: InstantMs;
  readonly setting: (typeof TENANT_SETTINGS)[number];
  readonly was: string | null;
  readonly became: string | null;
  readonly actor: string;
}

interface PeriodOfTenant {
  readonly period_start: string;
  readonly starts_at: InstantMs;
  readonly ends_at: InstantMs;
  readonly state: 'open' | 'closed';
  readonly mode: 'shadow' | 'live';
  readonly entries: bigint;
  readonly charge_exact: string;
  readonly billable: string | null;
  readonly carried_out: string | null;
  readonly charge_total: string | null;
  readonly currency: string | null;
  readonly closed_at: InstantMs | null;
  readonly told: 'untold' | 'told' | 'settled' | 'not_due' | null;
  readonly invoice_id: string | null;
}

interface PushOfTenant {
  readonly period_start: string;
  readonly destination: string;
  readonly identifier: string;
  readonly value: string;
  readonly state: string;
  readonly attempts: number;
  readonly first_attempt_at: InstantMs | null;
  readonly confirmed_at: InstantMs | null;
}

export interface TenantHistory {
  readonly created_at: InstantMs;
  readonly registered_at: InstantMs | null;
  readonly changes: readonly TenantChange[];
  /** The last ones, the newest first. */
  readonly periods: readonly PeriodOfTenant[];
  readonly pushes: readonly PushOfTenant[];
}

/** Reads what happened to a tenant: its settings, and the last of its periods and pushes. */
export async function readTenantHistory(
  db: Kysely<Tables>,
  tenantId: string,
  most: number,
): Promise<TenantHistory> {
  const made = await sql<Pick<TenantHistory, 'created_at' | 'registered_at'>>`
    select created_at, registered_at from tenants where tenant_id = ${tenantId}`.execute(db);
  const [own] = made.rows;
  if (own === undefined) throw new Error(`tenant "${tenantId}" was read, and has no row`);
  const changes = await readTenantChanges(db, tenantId);
  const periods = await sql<PeriodOfTenant>`
    select period_start, starts_at, ends_at, state, mode, entries, charge_exact::text, billable::text,
      carried_out::text, charge_total::text, currency, closed_at, told, invoice_id
    from audit.periods where tenant_id = ${tenantId}
    order by starts_at desc limit ${most}`.execute(db);
  const pushes = await sql<PushOfTenant>`
    select period_start, destination, identifier, value::text, state, attempts, first_attempt_at, confirmed_at
    from audit.pushes where tenant_id = ${tenantId}
    order by period_start desc, identifier limit ${most}`.execute(db);
  return { ...own, changes, periods: periods.rows, pushes: pushes.rows };
}

/**
 * Reads what the journal kept of a tenant's settings, the oldest first. A calendar that waits for
 * the end of a period is kept in a table of its own when it is set.
 */
async function readTenantChanges(
  db: Kysely<Tables>,
  tenantId: string,
): Promise<readonly TenantChange[]> {
  const { rows } = await sql<TenantChange>`
    with own as (
      select change_id, changed_at, actor, kept, lag(kept) over (order by change_id) as before
      from changes where of_table = 'tenants' and row_key = jsonb_build_object('tenant_id', ${tenantId}::text)
    ), calendar as (
      select change_id, changed_at, actor, kept, lag(kept) over (order by change_id) as before
      from changes
      where of_table = 'tenant_calendar_changes' and row_key ->> 'tenant_id' = ${tenantId} and kept is not null
    ), told as (
      select change_id, changed_at, actor, kept, before from own
      union all
      select c.change_id, c.changed_at, c.actor, c.kept, coalesce(c.before,
        (select o.kept from own o where o.change_id < c.change_id order by o.change_id desc limit 1))
      from calendar c
    )
    select t.changed_at, s.setting, t.before ->> s.setting as was, t.kept ->> s.setting as became, t.actor
    from told t
      cross join unnest(${[...TENANT_SETTINGS]}::text[]) with ordinality s(setting, place)
    where t.before is not null and t.kept ? s.setting and t.kept ->> s.setting is distinct from t.before ->> s.setting
    order by t.change_id, s.place`.execute(db);
  return rows;
}

/** A period that takes entries and holds charges in another currency than a book's. */
export interface OtherCurrency {
  readonly periodStart: string;
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
  readonly currency: string;
}

/**
 * Reads the periods of a tenant that are not closed and hold charges in another currency that are due, the
 * oldest first, by the sums by which a close finds them.
 */
export async function readOtherCurrencies(
  transaction: Transaction,
  tenantId: string,
  currency: string,
): Promise<readonly OtherCurrency[]> {
  const { rows } = await transaction.client.query<Omit<OtherCurrency, 'currency'>>(
    `select period_start as "periodStart", starts_at as "startsAt", ends_at as "endsAt"
     from periods where tenant_id = $1 and state <> 'closed' order by starts_at`,
    [tenantId],
  );
  const periods = rows.map((row) => ({ ...row, tenantId }));
  const charged = await readChargedCurrencies(transaction, periods);
  return periods.flatMap(({ tenantId: _, ...period }) => {
    const others = charged.get(periodKey({ ...period, tenantId })) ?? [];
    const other = others.find((each) => each !== currency);
    return other === undefined ? [] : [{ ...period, currency: other }];
  });
}
