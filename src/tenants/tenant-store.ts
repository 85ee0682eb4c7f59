import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database, Transaction } from '../database/database.ts';
import { inTransaction } from '../database/database.ts';
import type { Tables } from '../database/tables.ts';
import type { CalendarRule } from '../periods/calendar.ts';
import { changeCalendar, isTimeZone } from '../periods/calendar.ts';
import { UNATTRIBUTED } from '../rating/rate-event.ts';
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
      (select max(p.ends_at) from periods p where p.tenant_id = t.tenant_id and p.state <> 'open') as closed_until,
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
  readonly closed_until: InstantMs | null;
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
  return {
    tenantId: row.tenant_id,
    mode: row.mode,
    calendar: [first, ...changes],
    stripeCustomer: row.stripe_customer,
    books: (row.books ?? []).map(([effectiveFrom, book]) => ({
      effectiveFrom: effectiveFrom ?? Number.NEGATIVE_INFINITY,
      book,
    })),
    closedUntil: row.closed_until,
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

/** What `tenant set` changes; what is absent stays as it is. */
export interface TenantChange {
  readonly mode?: 'shadow' | 'live';
  readonly timeZone?: string;
  readonly anchorDay?: number;
  readonly priceBook?: string;
  /** The instant from which the price book holds; the first one of a tenant holds since ever. */
  readonly priceBookFrom?: InstantMs;
  readonly stripeCustomer?: string;
}

/** Creates or changes a tenant. Locks its row. */
export async function setTenant(
  database: Database,
  tenantId: string,
  change: TenantChange & { readonly at: InstantMs },
): Promise<Tenant> {
  refuseImpossible(tenantId, change);
  return inTransaction(database, async (transaction) => {
    await createShadowTenants(transaction, [tenantId], change.at);
    await transaction.client.query('select 1 from tenants where tenant_id = $1 for update', [
      tenantId,
    ]);
    const tenant = await readTenant(transaction.kysely, tenantId);
    await setCalendar(transaction, tenant, change);
    await setPriceBook(transaction, tenant, change);
    await refuseSharedCustomer(transaction, tenantId, change.stripeCustomer);
    await transaction.kysely
      .updateTable('tenants')
      .set({
        ...(change.mode === undefined ? {} : { mode: change.mode }),
        stripe_customer: change.stripeCustomer ?? tenant.stripeCustomer,
      })
      .where('tenant_id', '=', tenantId)
      .execute();
    return readTenant(transaction.kysely, tenantId);
  });
}

/** One tenant; throws a `Refusal` where there is none. */
export async function readTenant(db: Kysely<Tables>, tenantId: string): Promise<Tenant> {
  const [tenant] = await readTenants(db, [tenantId]);
  if (tenant !== undefined) return tenant;
  throw new Refusal(
    'not_found',
    `there is no tenant "${tenantId}"`,
    advise`see ${{ operation: 'tenant list' }}, or make it with ${{ operation: 'tenant set' }}`,
  );
}

function refuseImpossible(tenantId: string, change: TenantChange): void {
  if (tenantId.length === 0 || tenantId.length > 200) {
    throw new Refusal(
      'bad_request',
      `a tenant id has 1 to 200 characters, not ${tenantId.length}`,
      'shorten it',
    );
  }
  if (tenantId === UNATTRIBUTED) {
    throw new Refusal(
      'bad_request',
      `"${UNATTRIBUTED}" is reserved for usage without a tenant`,
      'choose another id; usage moves to a tenant by correction',
    );
  }
  if (change.timeZone !== undefined && !isTimeZone(change.timeZone)) {
    throw new Refusal(
      'bad_request',
      `"${change.timeZone}" is not an IANA time zone`,
      'use a name such as Europe/Berlin, America/New_York or UTC',
    );
  }
}

/** Before its first period a tenant's calendar is simply set; later a change waits for its end. */
async function setCalendar(
  transaction: Transaction,
  tenant: Tenant,
  change: TenantChange & { readonly at: InstantMs },
): Promise<void> {
  const current = tenant.calendar.at(-1);
  const timeZone = change.timeZone ?? current?.timeZone ?? 'UTC';
  const anchorDay = change.anchorDay ?? current?.anchorDay ?? 1;
  if (timeZone === current?.timeZone && anchorDay === current.anchorDay) return;
  const last = await lastPeriodStart(transaction, tenant.tenantId);
  if (last === null) {
    await transaction.kysely
      .updateTable('tenants')
      .set({ time_zone: timeZone, anchor_day: anchorDay })
      .where('tenant_id', '=', tenant.tenantId)
      .execute();
    return;
  }
  const asOf = Math.max(change.at, last);
  // A change that is still to come gives way to this one, or is withdrawn by it.
  await transaction.client.query(
    'delete from tenant_calendar_changes where tenant_id = $1 and effective_from > $2',
    [tenant.tenantId, formatInstant(asOf)],
  );
  const rule = changeCalendar(tenant.calendar, { asOf, timeZone, anchorDay }).at(-1);
  if (rule === undefined || rule.effectiveFrom === null || rule.effectiveFrom <= asOf) return;
  await transaction.client.query(
    `insert into tenant_calendar_changes values ($1, $2, $3, $4)
     on conflict (tenant_id, effective_from) do update
     set time_zone = excluded.time_zone, anchor_day = excluded.anchor_day`,
    [tenant.tenantId, formatInstant(rule.effectiveFrom), timeZone, anchorDay],
  );
}

async function lastPeriodStart(
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

async function setPriceBook(
  transaction: Transaction,
  tenant: Tenant,
  change: TenantChange & { readonly at: InstantMs },
): Promise<void> {
  if (change.priceBook === undefined) return;
  await refuseUnfitBook(transaction, tenant.tenantId, change.priceBook);
  const inEffect = tenant.books.find((assignment) => assignment.effectiveFrom <= change.at);
  if (change.priceBookFrom === undefined && inEffect?.book === change.priceBook) return;
  const first = tenant.books.length === 0 ? Number.NEGATIVE_INFINITY : change.at;
  await transaction.client.query(
    `insert into tenant_price_books values ($1, $2, $3, $4)
     on conflict (tenant_id, effective_from) do update
     set book = excluded.book, assigned_at = excluded.assigned_at`,
    [
      tenant.tenantId,
      formatInstant(change.priceBookFrom ?? first),
      change.priceBook,
      formatInstant(change.at),
    ],
  );
}

/** A book must exist, charge, and have the currency in which the tenant was charged before. */
async function refuseUnfitBook(
  transaction: Transaction,
  tenantId: string,
  book: string,
): Promise<void> {
  const known = await transaction.kysely
    .selectFrom('price_books')
    .select(['kind', 'currency'])
    .where('book', '=', book)
    .limit(1)
    .executeTakeFirst();
  if (known?.kind === 'charge') return refuseOtherCurrency(transaction, tenantId, known.currency);
  throw new Refusal(
    known === undefined ? 'not_found' : 'conflict',
    known === undefined
      ? `there is no price book "${book}"`
      : `"${book}" is a cost book; a tenant is charged by a charge book`,
    advise`see ${{ operation: 'price-book list' }}, or import it first`,
  );
}

/** One period has one currency, and so has one statement. */
async function refuseOtherCurrency(
  transaction: Transaction,
  tenantId: string,
  currency: string,
): Promise<void> {
  const { rows } = await transaction.client.query<{ currency: string }>(
    'select currency from usage_rollups where tenant_id = $1 and charge <> 0 and currency <> $2 limit 1',
    [tenantId, currency],
  );
  const [other] = rows;
  if (other === undefined) return;
  throw new Refusal(
    'conflict',
    `tenant "${tenantId}" is charged in ${other.currency}; a book in ${currency} would mix currencies`,
    'make another tenant for the other currency',
  );
}

/** Two tenants behind one customer could not be told apart in Stripe's summary (law 6). */
async function refuseSharedCustomer(
  transaction: Transaction,
  tenantId: string,
  stripeCustomer: string | undefined,
): Promise<void> {
  if (stripeCustomer === undefined) return;
  const other = await transaction.kysely
    .selectFrom('tenants')
    .select('tenant_id')
    .where('stripe_customer', '=', stripeCustomer)
    .where('tenant_id', '<>', tenantId)
    .executeTakeFirst();
  if (other === undefined) return;
  throw new Refusal(
    'conflict',
    `Stripe customer ${stripeCustomer} already belongs to tenant "${other.tenant_id}"`,
    'give each tenant a Stripe customer of its own',
  );
}
