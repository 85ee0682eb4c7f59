import { formatInstant, type InstantMs } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { inTransaction } from '../database/database.ts';
import { lockAgainstPosting } from '../database/posting-lock.ts';
import type { Parts } from '../parts.ts';
import type { Calendar } from '../periods/calendar.ts';
import { beginOfDay, changeCalendar, isTimeZone, periodContaining } from '../periods/calendar.ts';
import { requireChargeBook } from '../rating/books/default-book-store.ts';
import { UNATTRIBUTED } from '../rating/rate-event.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { nameDecidedByMode } from './decided-by-mode.ts';
import { refuseCustomerInUse } from './former-owner.ts';
import { nameLeftOwed } from './left-owed.ts';
import { tellTenant } from './list-tenants.ts';
import type { Tenant } from './tenant.ts';
import type { SetTenantAnswer, SetTenantRequest } from './tenant-answer.ts';
import type { OtherCurrency } from './tenant-history-store.ts';
import { readOtherCurrencies } from './tenant-history-store.ts';
import {
  createShadowTenants,
  isUsed,
  lockTenant,
  readLastCurrency,
  readLastPeriodStart,
  readPeriodSpans,
  readTenant,
  registerTenant,
  saveCalendarChange,
  savePriceBookOf,
  updatePeriodBounds,
  updateTenant,
  withdrawCalendarChanges,
} from './tenant-store.ts';

/** The parts for changing a tenant. */
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
): Promise<SetTenantAnswer> {
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
    const before = await readTenant(transaction.kysely, tenantId);
    await setCalendar(transaction, before, { request, at });
    // The day from which a first book holds is that of the calendar that was set just now.
    const { other, leftOwed } = await setPriceBook(
      transaction,
      await readTenant(transaction.kysely, tenantId),
      {
        request,
        at,
      },
    );
    // The customer that it has already is not given anew: whatever came of its former tenant since is no obstacle.
    if (customer !== undefined && customer !== '' && customer !== before.stripeCustomer) {
      const taker = await readTenant(transaction.kysely, tenantId);
      await refuseCustomerInUse(transaction, { taker, customer, at });
    }
    const decided = await nameDecidedByMode(transaction, before, { becomes: mode, at });
    await updateTenant(transaction, tenantId, {
      ...(mode === undefined ? {} : { mode }),
      ...givenTexts(request),
    });
    const after = await readTenant(transaction.kysely, tenantId);
    const toRerate = [...new Set(other.map(({ periodStart }) => periodStart.slice(0, 7)))];
    return {
      ...tellTenant(after, at),
      to_rerate: toRerate,
      left_owed: leftOwed,
      decided_by_mode: decided,
    };
  });
}

/** The texts given for a tenant's row; an empty one clears the stored text. */
function givenTexts({ stripe_customer, name, address, contact }: SetTenantRequest) {
  const texts = Object.entries({ stripe_customer, name, address, contact });
  const given = texts.filter(([, text]) => text !== undefined);
  return Object.fromEntries(given.map(([setting, text]) => [setting, text === '' ? null : text]));
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
  { tenantId, calendar, closedUntil, leftAt }: Tenant,
  { request, at }: Asked,
): Promise<void> {
  const current = calendar.at(-1);
  const timeZone = request.time_zone ?? current?.timeZone ?? 'UTC';
  const anchorDay = request.anchor_day ?? current?.anchorDay ?? 1;
  if (timeZone === current?.timeZone && anchorDay === current.anchorDay) return;
  if (leftAt !== null && (closedUntil ?? Number.NEGATIVE_INFINITY) < leftAt) {
    refuseLeavers(tenantId, leftAt);
  }
  const last = await readLastPeriodStart(transaction, tenantId);
  if (last === null) {
    await updateTenant(transaction, tenantId, { time_zone: timeZone, anchor_day: anchorDay });
    return;
  }
  if (closedUntil === null && (await moveBounds(transaction, tenantId, { timeZone, anchorDay }))) {
    return;
  }
  if (
    closedUntil === null &&
    (await endFirstPeriod(transaction, tenantId, { calendar, timeZone, anchorDay, at }))
  ) {
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

/** Another calendar would move the end of the last period, which somebody set. */
function refuseLeavers(tenantId: string, leftAt: InstantMs): never {
  throw new Refusal(
    'conflict',
    `tenant "${tenantId}" leaves at ${formatInstant(leftAt)}, and its last period is not closed yet`,
    'close it first; a customer who comes back can then have another calendar',
  );
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
 * Lets the running period of a tenant that never had one shut end where the next one begins by the new calendar,
 * so that its first bill comes on the new day. It answers false, and changes nothing, where the period ends sooner by itself.
 */
async function endFirstPeriod(
  transaction: Transaction,
  tenantId: string,
  of: {
    readonly calendar: Calendar;
    readonly timeZone: string;
    readonly anchorDay: number;
    readonly at: InstantMs;
  },
): Promise<boolean> {
  const { calendar, timeZone, anchorDay, at } = of;
  const spans = await readPeriodSpans(transaction, tenantId);
  const lastUsed = Math.max(at, ...spans.map(({ last }) => last));
  const rule = { timeZone, anchorDay };
  const from = periodContaining([{ effectiveFrom: null, ...rule }], lastUsed).endsAt;
  const inEffect = calendar.filter(({ effectiveFrom }) => (effectiveFrom ?? at) <= lastUsed);
  const running = periodContaining(inEffect, lastUsed);
  // A start is passed over where the clocks of the new zone are behind so far that its date is not a later one.
  const next = [...inEffect, { effectiveFrom: from, ...rule }];
  if (from >= running.endsAt || periodContaining(next, lastUsed).endsAt !== from) return false;
  await withdrawCalendarChanges(transaction, tenantId, lastUsed);
  await saveCalendarChange(transaction, tenantId, { effectiveFrom: from, ...rule });
  await updatePeriodBounds(transaction, tenantId, [{ ...running, endsAt: from }]);
  return true;
}

/**
 * A book that a tenant is given holds from now on, so that nothing of before has another price. One that was
 * not used yet has nothing of before, and has its first book from the begin of its day. Answers what stands in
 * another currency than the book's.
 */
async function setPriceBook(
  transaction: Transaction,
  tenant: Tenant,
  { request, at }: Asked,
): Promise<InOtherCurrencies> {
  const { tenantId, books, calendar } = tenant;
  const { price_book: book } = request;
  if (book === undefined) return NOTHING_ELSE;
  const currency = await requireChargeBook(transaction, book);
  const inEffect = books.find((assignment) => assignment.effectiveFrom <= at);
  if (request.price_book_from === undefined && inEffect?.book === book) return NOTHING_ELSE;
  const isNew = books.length === 0 && !(await isUsed(transaction, tenantId));
  const from = request.price_book_from ?? (isNew ? beginOfDay(calendar, at) : at);
  const other = await refuseMixedCurrencies(transaction, tenant, { currency, from });
  await savePriceBookOf(transaction, tenantId, { book, from, at });
  return { other, leftOwed: await nameLeftOwed(transaction, tenantId, { currency, from, at }) };
}

/** The tenant's amounts in currencies other than that of the book it is given. */
interface InOtherCurrencies {
  /** The periods that a re-rating is to bring into the book's currency. */
  readonly other: readonly OtherCurrency[];
  readonly leftOwed: SetTenantAnswer['left_owed'];
}

const NOTHING_ELSE: InOtherCurrencies = { other: [], leftOwed: [] };

/**
 * One period has one currency, and so has one statement. What a re-rating brings into the currency of the new book is
 * no hindrance, and is answered: that is a whole period, and all of them for a first own book, which prices what
 * occurred before it in its currency, too.
 */
async function refuseMixedCurrencies(
  transaction: Transaction,
  { tenantId, books, closedUntil }: Tenant,
  { currency, from }: { readonly currency: string; readonly from: InstantMs },
): Promise<readonly OtherCurrency[]> {
  const last = await readLastCurrency(transaction.kysely, tenantId);
  if (closedUntil !== null && from < closedUntil && last !== null && last !== currency) {
    throw new Refusal(
      'conflict',
      `tenant "${tenantId}" was billed in ${last} until ${formatInstant(closedUntil)}; a book in ${currency} cannot hold before that`,
      advise`say from when it holds, with ${{ operation: 'tenant set', tenant_id: tenantId, give: 'price_book', from: formatInstant(closedUntil) }}`,
    );
  }
  const others = await readOtherCurrencies(transaction, tenantId, currency);
  const isFirst = books.length === 0;
  const split = others.find(({ startsAt, endsAt }) => startsAt < from && from < endsAt);
  if (split !== undefined && !isFirst) {
    const begin = formatInstant(split.startsAt);
    throw new Refusal(
      'conflict',
      `tenant "${tenantId}" has charges in ${split.currency} in its period from ${split.periodStart}; a book in ${currency} in the middle of it would mix currencies`,
      advise`let it hold from ${begin}, with ${{ operation: 'tenant set', tenant_id: tenantId, give: 'price_book', from: begin }}, and price the period anew with ${{ operation: 'rerate', month: null, tenant_id: null }}; or from ${formatInstant(split.endsAt)}, where the next one begins`,
    );
  }
  return isFirst ? others : others.filter(({ startsAt }) => from <= startsAt);
}
