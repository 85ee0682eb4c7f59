import type { InstantMs } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { inTransaction } from '../database/database.ts';
import { lockAgainstPosting } from '../database/posting-lock.ts';
import type { Parts } from '../parts.ts';
import { beginOfDay, changeCalendar, isTimeZone, periodContaining } from '../periods/calendar.ts';
import { requireChargeBook } from '../rating/books/default-book-store.ts';
import { UNATTRIBUTED } from '../rating/rate-event.ts';
import { Refusal } from '../refusal.ts';
import { tellTenant } from './list-tenants.ts';
import type { Tenant } from './tenant.ts';
import type { SetTenantRequest, TenantAnswer } from './tenant-answer.ts';
import {
  createShadowTenants,
  isUsed,
  lockTenant,
  readLastPeriodStart,
  readOtherCurrency,
  readOtherTenantOf,
  readPeriodSpans,
  readTenant,
  registerTenant,
  saveCalendarChange,
  savePriceBookOf,
  updatePeriodBounds,
  updateTenant,
  withdrawCalendarChanges,
} from './tenant-store.ts';

/** What changing a tenant works with. */
export interface SetTenantParts extends Pick<Parts, 'database' | 'clock'> {
  /**
   * Says why a customer cannot be this tenant's, with the remedy, or null. It is left out where nobody
   * can be asked.
   */
  readonly checkCustomer?: (of: {
    readonly tenantId: string;
    readonly customer: string;
  }) => Promise<string | null>;
}

/** Creates or changes a tenant. Locks its row. An empty customer takes away the one that it has. */
export async function setTenant(
  { database, clock, checkCustomer }: SetTenantParts,
  request: SetTenantRequest,
): Promise<TenantAnswer> {
  refuseImpossible(request);
  const { tenant_id: tenantId, mode, stripe_customer: customer } = request;
  if (customer !== undefined && customer !== '') {
    const fault = (await checkCustomer?.({ tenantId, customer })) ?? null;
    if (fault !== null) {
      const remedy = 'give a customer of the account and mode of STRIPE_API_KEY';
      throw new Refusal('conflict', `the tenant was not changed: ${fault}`, remedy);
    }
  }
  const at = clock();
  return inTransaction(database, async (transaction) => {
    // Else a worker could make the tenant's first period by the calendar that is about to change.
    if (changesCalendar(request)) await lockAgainstPosting(transaction);
    await createShadowTenants(transaction, [tenantId], at);
    await lockTenant(transaction, tenantId);
    await registerTenant(transaction, tenantId, at);
    await setCalendar(transaction, await readTenant(transaction.kysely, tenantId), { request, at });
    // The day from which a first book holds is that of the calendar that was set just now.
    await setPriceBook(transaction, await readTenant(transaction.kysely, tenantId), {
      request,
      at,
    });
    await refuseSharedCustomer(transaction, request);
    await updateTenant(transaction, tenantId, {
      ...(mode === undefined ? {} : { mode }),
      ...(customer === undefined ? {} : { stripe_customer: customer === '' ? null : customer }),
    });
    return tellTenant(await readTenant(transaction.kysely, tenantId), at);
  });
}

function refuseImpossible({ tenant_id: tenantId, time_zone: timeZone }: SetTenantRequest): void {
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
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    throw new Refusal(
      'bad_request',
      `"${timeZone}" is not an IANA time zone`,
      'use a name such as Europe/Berlin, America/New_York or UTC',
    );
  }
}

interface Asked {
  readonly request: SetTenantRequest;
  readonly at: InstantMs;
}

function changesCalendar({ time_zone: zone, anchor_day: day }: SetTenantRequest): boolean {
  return zone !== undefined || day !== undefined;
}

/**
 * Before its first period a tenant's calendar is simply set, and so it is while nothing is shut, where every
 * entry stays in the period that it stands in; later a change waits for the end of the period.
 */
async function setCalendar(
  transaction: Transaction,
  { tenantId, calendar, closedUntil }: Tenant,
  { request, at }: Asked,
): Promise<void> {
  const current = calendar.at(-1);
  const timeZone = request.time_zone ?? current?.timeZone ?? 'UTC';
  const anchorDay = request.anchor_day ?? current?.anchorDay ?? 1;
  if (timeZone === current?.timeZone && anchorDay === current.anchorDay) return;
  const last = await readLastPeriodStart(transaction, tenantId);
  if (last === null) {
    await updateTenant(transaction, tenantId, { time_zone: timeZone, anchor_day: anchorDay });
    return;
  }
  if (closedUntil === null && (await moveBounds(transaction, tenantId, { timeZone, anchorDay }))) {
    return;
  }
  const asOf = Math.max(at, last);
  // A change that is still to come gives way to this one, or is withdrawn by it.
  await withdrawCalendarChanges(transaction, tenantId, asOf);
  const rule = changeCalendar(calendar, { asOf, timeZone, anchorDay }).at(-1);
  if (rule === undefined || rule.effectiveFrom === null || rule.effectiveFrom <= asOf) return;
  const { effectiveFrom } = rule;
  await saveCalendarChange(transaction, tenantId, { effectiveFrom, timeZone, anchorDay });
}

/**
 * Gives a tenant of which nothing is shut another calendar since ever, and its periods their bounds by it.
 * Answers false, and changes nothing, where an entry would fall into another period than it stands in.
 */
async function moveBounds(
  transaction: Transaction,
  tenantId: string,
  rule: { readonly timeZone: string; readonly anchorDay: number },
): Promise<boolean> {
  const calendar = [{ effectiveFrom: null, ...rule }];
  const spans = await readPeriodSpans(transaction, tenantId);
  const moved = spans.map((span) => {
    const period = periodContaining(calendar, span.first);
    const fits = period.startDate === span.startDate && span.last < period.endsAt;
    return fits ? period : null;
  });
  const periods = moved.filter((period) => period !== null);
  if (periods.length < moved.length) return false;
  await withdrawCalendarChanges(transaction, tenantId, Number.NEGATIVE_INFINITY);
  await updateTenant(transaction, tenantId, {
    time_zone: rule.timeZone,
    anchor_day: rule.anchorDay,
  });
  await updatePeriodBounds(transaction, tenantId, periods);
  return true;
}

/**
 * A book that a tenant is given holds from now on, so that nothing of before has another price. One that was
 * not used yet has nothing of before, and has its first book from the begin of its day.
 */
async function setPriceBook(
  transaction: Transaction,
  { tenantId, books, calendar }: Tenant,
  { request, at }: Asked,
): Promise<void> {
  const { price_book: book, price_book_from: from } = request;
  if (book === undefined) return;
  await refuseOtherCurrency(transaction, tenantId, await requireChargeBook(transaction, book));
  const inEffect = books.find((assignment) => assignment.effectiveFrom <= at);
  if (from === undefined && inEffect?.book === book) return;
  const isNew = books.length === 0 && !(await isUsed(transaction, tenantId));
  const begin = isNew ? beginOfDay(calendar, at) : at;
  await savePriceBookOf(transaction, tenantId, { book, from: from ?? begin, at });
}

/** One period has one currency, and so has one statement. */
async function refuseOtherCurrency(
  transaction: Transaction,
  tenantId: string,
  currency: string,
): Promise<void> {
  const other = await readOtherCurrency(transaction, tenantId, currency);
  if (other === null) return;
  throw new Refusal(
    'conflict',
    `tenant "${tenantId}" is charged in ${other}; a book in ${currency} would mix currencies`,
    'make another tenant for the other currency',
  );
}

/** Two tenants behind one customer could not be told apart in Stripe's summary (law 6). */
async function refuseSharedCustomer(
  transaction: Transaction,
  { tenant_id: tenantId, stripe_customer: customer }: SetTenantRequest,
): Promise<void> {
  if (customer === undefined || customer === '') return;
  const other = await readOtherTenantOf(transaction, customer, tenantId);
  if (other === null) return;
  throw new Refusal(
    'conflict',
    `Stripe customer ${customer} already belongs to tenant "${other}"`,
    'give each tenant a Stripe customer of its own',
  );
}
