import type { InstantMs } from '../../clock.ts';
import { formatInstant, formatInstantOrNull } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { lockAgainstPosting } from '../../database/posting-lock.ts';
import type { Parts } from '../../parts.ts';
import type { Calendar, Period } from '../../periods/calendar.ts';
import { periodContaining } from '../../periods/calendar.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import { Refusal } from '../../refusal.ts';
import { tellLeave } from '../../tenants/list-tenants.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import {
  lockTenant,
  readTenant,
  saveCalendarChange,
  updateTenant,
} from '../../tenants/tenant-store.ts';
import { closePeriods } from './close-periods.ts';
import type { CloseTenantAnswer, CloseTenantRequest } from './close-tenant-answer.ts';
import { isToLeave, withdrawLeave } from './keep-tenant.ts';
import { endPeriod, readLastCallFrom } from './period-store.ts';
import { hasPeriodIn } from './shut-periods.ts';

/**
 * Ends the running period of a customer who leaves, and closes it (R12). Nothing idle follows it. Usage
 * that comes afterwards is billed all the same: it makes the period that begins where the customer left
 * and ends where the running one would have, and is late there if it happened before. The same instant
 * again goes on with the close. Another one moves a leave that is still to come.
 */
export async function closeTenant(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: CloseTenantRequest,
): Promise<CloseTenantAnswer> {
  const { tenant_id: tenantId, at } = request;
  const last = await inTransaction(database, async (transaction) => {
    await lockAgainstPosting(transaction);
    await lockTenant(transaction, tenantId);
    const before = await readTenant(transaction.kysely, tenantId);
    if (before.leftAt === at) return periodContaining(before.calendar, at - 1);
    const tenant = isToLeave(before, clock()) ? await withdrawLeave(transaction, before) : before;
    const isBack = await hasComeBack(transaction, tenant, at);
    refuseUnfitLeave(isBack ? { ...tenant, leftAt: null } : tenant, at);
    const period = await endCalendar(transaction, tenant, at);
    await updateTenant(transaction, tenantId, {
      left_at: formatInstant(at),
      left_before: formatInstantOrNull(tenant.leftAt),
    });
    return period;
  });
  const period = { month: last.startDate.slice(0, 7), tenant_id: tenantId };
  const hasPeriod = await inTransaction(database, (transaction) =>
    hasPeriodIn(transaction, period, clock()),
  );
  const periods = hasPeriod ? await closePeriods({ database, clock }, period) : [];
  return { tenant_id: tenantId, ...tellLeave({ leftAt: at }, clock()), periods };
}

/** Whoever was a customer again after leaving may leave once more. */
async function hasComeBack(
  transaction: Transaction,
  { tenantId, calendar, leftAt }: Tenant,
  at: InstantMs,
): Promise<boolean> {
  if (leftAt === null || at <= leftAt) return false;
  const { startDate: periodStart } = periodContaining(calendar, leftAt);
  return (await readLastCallFrom(transaction, { tenantId, periodStart, at: leftAt })) !== null;
}

function refuseUnfitLeave({ tenantId, leftAt, closedUntil }: Tenant, at: InstantMs): void {
  if (tenantId === UNATTRIBUTED) {
    throw new Refusal(
      'bad_request',
      `"${UNATTRIBUTED}" stands for usage without a tenant, and cannot leave`,
      'name the customer who leaves',
    );
  }
  if (leftAt !== null) {
    throw new Refusal(
      'conflict',
      `tenant "${tenantId}" left at ${formatInstant(leftAt)}`,
      'give that instant to go on with its close; only a leave that is still to come is moved',
    );
  }
  if (closedUntil === null || at >= closedUntil) return;
  throw new Refusal(
    'conflict',
    `the time of tenant "${tenantId}" is closed until ${formatInstant(closedUntil)}`,
    'give that instant or a later one; what is closed stays as it is',
  );
}

/** Ends the period that runs at an instant, and answers it; one that ends there by itself stays as it is. */
async function endCalendar(
  transaction: Transaction,
  { tenantId, calendar }: Tenant,
  at: InstantMs,
): Promise<Period> {
  const running = periodContaining(calendar, at);
  if (running.startsAt === at) return periodContaining(calendar, at - 1);
  const rule = calendar.findLast(({ effectiveFrom }) => (effectiveFrom ?? at) <= at);
  if (rule === undefined) throw new Error('a calendar begins with a rule in effect since ever');
  const change = { ...rule, effectiveFrom: at };
  const split: Calendar = [...calendar, change].sort(
    (a, b) =>
      (a.effectiveFrom ?? Number.NEGATIVE_INFINITY) - (b.effectiveFrom ?? Number.NEGATIVE_INFINITY),
  );
  if (periodContaining(split, at).startsAt !== at) refuseFirstDay(running);
  const call = await readLastCallFrom(transaction, {
    tenantId,
    periodStart: running.startDate,
    at,
  });
  if (call !== null) refuseLaterCalls(tenantId, at, call);
  await saveCalendarChange(transaction, tenantId, change);
  await endPeriod(transaction, { tenantId, periodStart: running.startDate, at });
  return { ...running, endsAt: at };
}

/** A period is known by the day on which it begins, and two cannot begin on one. */
function refuseFirstDay({ startDate, startsAt }: Period): never {
  throw new Refusal(
    'bad_request',
    `the running period begins on that day, ${startDate}, and another cannot`,
    `give ${formatInstant(startsAt)}, where the one before ends, or a later day`,
  );
}

function refuseLaterCalls(tenantId: string, at: InstantMs, call: InstantMs): never {
  throw new Refusal(
    'conflict',
    `tenant "${tenantId}" has calls at ${formatInstant(at)} or later, the last at ${formatInstant(call)}`,
    'give an instant after its last call',
  );
}
