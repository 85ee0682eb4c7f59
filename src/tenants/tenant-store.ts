import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import type { Tables } from '../database/tables.ts';
import { PICO_PER_MICRO } from '../money.ts';
import type { CalendarRule, Period } from '../periods/calendar.ts';
import type { ClosedTime } from '../periods/placement.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import type { Tenant } from './tenant.ts';

/** Reads tenants by id, or all of them; an id without a row is left out. */
export async function readTenants(
  db: Kysely<Tables>,
  tenantIds: readonly string[] | 'all',
): Promise<readonly Tenant[]> {
  const filter =
    tenantIds === 'all' ? sql`true` : sql`t.tenant_id = any(${[...tenantIds]}::text[])`;
  const { rows } = await sql<TenantRow>`
    select t.tenant_id, t.mode, t.time_zone, t.anchor_day, t.stripe_customer,
      t.name, t.address, t.contact, t.registered_at is not null as is_registered, t.left_at,
      (select json_agg(json_build_array(extract(epoch from c.ends_at) * 1000, c.period_start, c.mode, c.carries)
          order by c.ends_at)
        from (select n.*, lead(n.mode) over later as next_mode, lead(n.carries) over later as next_carries
          from (select p.ends_at, p.period_start, p.mode, case when p.mode = 'shadow' then not exists (
              select from closes k where k.tenant_id = p.tenant_id and k.period_start = p.period_start
                and k.carried_out_due is null) else true end as carries
            from periods p where p.tenant_id = t.tenant_id and p.state <> 'open') n
          window later as (order by n.ends_at)) c
        where (c.mode, c.carries) is distinct from (c.next_mode, c.next_carries)) as closed_times,
      (select json_agg(json_build_array(extract(epoch from c.effective_from) * 1000, c.time_zone, c.anchor_day)
          order by c.effective_from)
        from tenant_calendar_changes c where c.tenant_id = t.tenant_id) as changes,
      (select json_agg(json_build_array(case when b.effective_from = '-infinity' then null
          else extract(epoch from b.effective_from) * 1000 end, b.book) order by b.effective_from desc)
        from tenant_price_books b where b.tenant_id = t.tenant_id) as books
    from tenants t where ${filter} order by t.tenant_id`.execute(db);
  return rows.map(toTenant);
}

interface TenantRow {
  readonly tenant_id: string;
  readonly mode: 'shadow' | 'live';
  readonly time_zone: string;
  readonly anchor_day: number;
  readonly stripe_customer: string | null;
  readonly name: string | null;
  readonly address: string | null;
  readonly contact: string | null;
  readonly is_registered: boolean;
  readonly closed_times: readonly (readonly [number, string, ClosedTime['mode'], boolean])[] | null;
  readonly left_at: InstantMs | null;
  readonly changes: readonly (readonly [number, string, number])[] | null;
  readonly books: readonly (readonly [number | null, string])[] | null;
}

function toTenant(row: TenantRow): Tenant {
  const first = { effectiveFrom: null, timeZone: row.time_zone, anchorDay: row.anchor_day };
  const changes = (row.changes ?? []).map(
    ([effectiveFrom, timeZone, anchorDay]): CalendarRule => ({
      effectiveFrom,
      timeZone,
      anchorDay,
    }),
  );
  const closedTimes = (row.closed_times ?? []).map(([until, lastStart, mode, carriesDue]) => ({
    until,
    lastStart,
    mode,
    carriesDue,
  }));
  return {
    tenantId: row.tenant_id,
    mode: row.mode,
    calendar: [first, ...changes],
    stripeCustomer: row.stripe_customer,
    name: row.name,
    address: row.address,
    contact: row.contact,
    isRegistered: row.is_registered,
    books: (row.books ?? []).map(([effectiveFrom, book]) => ({
      effectiveFrom: effectiveFrom ?? Number.NEGATIVE_INFINITY,
      book,
    })),
    closedUntil: closedTimes.at(-1)?.until ?? null,
    closedTimes,
    leftAt: row.left_at,
  };
}

/** Makes a row in shadow mode for each tenant that has none (R11). Ids sorted against deadlocks. */
export async function createShadowTenants(
  transaction: Transaction,
  tenantIds: readonly string[],
  createdAt: InstantMs,
): Promise<void> {
  await transaction.client.query(
    `insert into tenants (tenant_id, created_at)
     select id, $2 from unnest($1::text[]) id order by id on conflict do nothing`,
    [tenantIds, formatInstant(createdAt)],
  );
}

/** Reads one tenant; throws a `Refusal` where there is none. */
export async function readTenant(db: Kysely<Tables>, tenantId: string): Promise<Tenant> {
  const [tenant] = await readTenants(db, [tenantId]);
  if (tenant !== undefined) return tenant;
  throw new Refusal(
    'not_found',
    `there is no tenant "${tenantId}"`,
    advise`see ${{ operation: 'tenant list' }}, or make it with ${{ operation: 'tenant set', tenant_id: null, give: null, from: null }}`,
  );
}

/** Locks the tenant's row until the transaction ends. */
export async function lockTenant(transaction: Transaction, tenantId: string): Promise<void> {
  await transaction.client.query('select 1 from tenants where tenant_id = $1 for update', [
    tenantId,
  ]);
}

/** Keeps that somebody named the tenant; the first time stands. */
export async function registerTenant(
  transaction: Transaction,
  tenantId: string,
  at: InstantMs,
): Promise<void> {
  await transaction.kysely
    .updateTable('tenants')
    .set({ registered_at: formatInstant(at) })
    .where('tenant_id', '=', tenantId)
    .where('registered_at', 'is', null)
    .execute();
}

/** Reads the leave before the one that a tenant has, from which it had come back; null where there was none. */
export async function readLeaveBefore(
  transaction: Transaction,
  tenantId: string,
): Promise<InstantMs | null> {
  const row = await transaction.kysely
    .selectFrom('tenants')
    .select('left_before')
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst();
  return row?.left_before ?? null;
}

/** Writes what of the tenant's own row is given. */
export async function updateTenant(
  transaction: Transaction,
  tenantId: string,
  set: {
    readonly mode?: Tenant['mode'];
    readonly stripe_customer?: string | null;
    readonly time_zone?: string;
    readonly anchor_day?: number;
    readonly left_at?: string | null;
    readonly left_before?: string | null;
    readonly name?: string | null;
    readonly address?: string | null;
    readonly contact?: string | null;
  },
): Promise<void> {
  if (Object.keys(set).length === 0) return;
  await transaction.kysely
    .updateTable('tenants')
    .set(set)
    .where('tenant_id', '=', tenantId)
    .execute();
}

/** Reads the begin of the tenant's last period; null before its first. */
export async function readLastPeriodStart(
  transaction: Transaction,
  tenantId: string,
): Promise<InstantMs | null> {
  const row = await transaction.kysely
    .selectFrom('periods')
    .select((of) => of.fn.max('starts_at').as('last'))
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst();
  return row?.last ?? null;
}

/**
 * Reads the periods of a tenant with the first and the last instant at which their entries occurred
 * that are not late; of a period without any, its begin.
 */
export async function readPeriodSpans(
  transaction: Transaction,
  tenantId: string,
): Promise<
  readonly { readonly startDate: string; readonly first: InstantMs; readonly last: InstantMs }[]
> {
  const { rows } = await transaction.client.query<{
    start: string;
    first: InstantMs;
    last: InstantMs;
  }>(
    `select p.period_start as start, coalesce(min(e.occurred_at), p.starts_at) as first,
       coalesce(max(e.occurred_at), p.starts_at) as last
     from periods p left join lateral entries_of_period(p.tenant_id, p.period_start) e on not e.late
     where p.tenant_id = $1 group by p.tenant_id, p.period_start order by p.period_start`,
    [tenantId],
  );
  return rows.map(({ start, first, last }) => ({ startDate: start, first, last }));
}

/** Gives open periods new bounds; the database refuses it once one of the tenant's is shut. */
export async function updatePeriodBounds(
  transaction: Transaction,
  tenantId: string,
  periods: readonly Period[],
): Promise<void> {
  await transaction.client.query(
    `update periods p set starts_at = n.starts_at, ends_at = n.ends_at, time_zone = n.time_zone
     from unnest($2::date[], $3::timestamptz[], $4::timestamptz[], $5::text[]) n(period_start, starts_at, ends_at, time_zone)
     where p.tenant_id = $1 and p.period_start = n.period_start`,
    [
      tenantId,
      periods.map(({ startDate }) => startDate),
      periods.map(({ startsAt }) => formatInstant(startsAt)),
      periods.map(({ endsAt }) => formatInstant(endsAt)),
      periods.map(({ timeZone }) => timeZone),
    ],
  );
}

/** Withdraws every change of the calendar that is still to come after an instant. */
export async function withdrawCalendarChanges(
  transaction: Transaction,
  tenantId: string,
  after: InstantMs,
): Promise<void> {
  await transaction.client.query(
    'delete from tenant_calendar_changes where tenant_id = $1 and effective_from > $2',
    [tenantId, formatInstant(after)],
  );
}

/** Withdraws the change that takes effect at an instant. */
export async function withdrawCalendarChange(
  transaction: Transaction,
  tenantId: string,
  at: InstantMs,
): Promise<void> {
  await transaction.client.query(
    'delete from tenant_calendar_changes where tenant_id = $1 and effective_from = $2',
    [tenantId, formatInstant(at)],
  );
}

export async function saveCalendarChange(
  transaction: Transaction,
  tenantId: string,
  rule: CalendarRule & { readonly effectiveFrom: InstantMs },
): Promise<void> {
  await transaction.client.query(
    `insert into tenant_calendar_changes values ($1, $2, $3, $4)
     on conflict (tenant_id, effective_from) do update
     set time_zone = excluded.time_zone, anchor_day = excluded.anchor_day`,
    [tenantId, formatInstant(rule.effectiveFrom), rule.timeZone, rule.anchorDay],
  );
}

/** Tells whether the ledger has an entry of the tenant. */
export async function isUsed(transaction: Transaction, tenantId: string): Promise<boolean> {
  const { rows } = await transaction.client.query<{ used: boolean }>(
    'select exists (select 1 from entries where tenant_id = $1) as used',
    [tenantId],
  );
  return rows[0]?.used === true;
}

/** Assigns a price book from an instant on. */
export async function savePriceBookOf(
  transaction: Transaction,
  tenantId: string,
  given: { readonly book: string; readonly from: InstantMs; readonly at: InstantMs },
): Promise<void> {
  await transaction.client.query(
    `insert into tenant_price_books values ($1, $2, $3, $4)
     on conflict (tenant_id, effective_from) do update
     set book = excluded.book, assigned_at = excluded.assigned_at`,
    [tenantId, formatInstant(given.from), given.book, formatInstant(given.at)],
  );
}

/** Reads the currency of a tenant's last close; null before its first. */
export async function readLastCurrency(
  db: Kysely<Tables>,
  tenantId: string,
): Promise<string | null> {
  const last = await db
    .selectFrom('closes')
    .select('currency')
    .where('tenant_id', '=', tenantId)
    .orderBy('period_start', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last?.currency ?? null;
}

/** The credit that the last live close in a currency carried on, in picodollars below zero. */
interface CarriedCredit {
  readonly currency: string;
  readonly periodStart: string;
  readonly carriedOut: bigint;
}

/**
 * Reads the credits of a tenant that stand in other currencies than this one. What is below a micro-unit is
 * only left from rounding.
 */
export async function readCreditsInOthers(
  transaction: Transaction,
  tenantId: string,
  currency: string,
): Promise<readonly CarriedCredit[]> {
  const { rows } = await transaction.client.query<CarriedCredit>(
    `select currency, period_start as "periodStart", carried_out as "carriedOut" from (
       select distinct on (c.currency) c.currency, c.period_start, c.carried_out + coalesce((select sum(s.carried_out_due) from closes s
         where s.tenant_id = c.tenant_id and s.currency = c.currency and s.period_start > c.period_start), 0)::numeric(38, 0) as carried_out
       from closes c where c.tenant_id = $1 and c.mode = 'live' and c.currency <> $2 order by c.currency, c.period_start desc
     ) last where carried_out <= $3::numeric order by currency`,
    [tenantId, currency, -PICO_PER_MICRO],
  );
  return rows;
}

/** Reads another tenant behind a Stripe customer; null where there is none. */
export async function readOtherTenantOf(
  transaction: Transaction,
  stripeCustomer: string,
  tenantId: string,
): Promise<string | null> {
  const other = await transaction.kysely
    .selectFrom('tenants')
    .select('tenant_id')
    .where('stripe_customer', '=', stripeCustomer)
    .where('tenant_id', '<>', tenantId)
    .executeTakeFirst();
  return other?.tenant_id ?? null;
}
