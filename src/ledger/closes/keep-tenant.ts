import type { InstantMs } from '../../clock.ts';
import { formatInstant, formatInstantOrNull } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { lockAgainstPosting } from '../../database/posting-lock.ts';
import type { Parts } from '../../parts.ts';
import { periodContaining } from '../../periods/calendar.ts';
import { Refusal } from '../../refusal.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import {
  lockTenant,
  readLeaveBefore,
  readTenant,
  updatePeriodBounds,
  updateTenant,
  withdrawCalendarChange,
} from '../../tenants/tenant-store.ts';
import { refuseUnfitNote } from '../reversals/correction.ts';
import type { KeepTenantAnswer, KeepTenantRequest } from './close-tenant-answer.ts';
import { readLastCallFrom } from './period-store.ts';

/** Withdraws a leave that is still to come: the customer stays, and its period ends where it would have. */
export async function keepTenant(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: KeepTenantRequest,
): Promise<KeepTenantAnswer> {
  refuseUnfitNote(request);
  const { tenant_id: tenantId } = request;
  return inTransaction(database, async (transaction) => {
    await lockAgainstPosting(transaction);
    await lockTenant(transaction, tenantId);
    const tenant = await readTenant(transaction.kysely, tenantId);
    const { leftAt } = tenant;
    if (leftAt === null || !isToLeave(tenant, clock())) refuseToStay(tenant);
    await withdrawLeave(transaction, tenant);
    return { tenant_id: tenantId, was_to_leave_at: formatInstant(leftAt) };
  });
}

/** Whether a tenant leaves at an instant that has not come, and to which nothing is closed. */
export function isToLeave({ leftAt, closedUntil }: Tenant, now: InstantMs): boolean {
  return leftAt !== null && leftAt > now && (closedUntil ?? Number.NEGATIVE_INFINITY) < leftAt;
}

/** Takes a leave back in the calendar, in the period that it cut short, and in the tenant; answers the tenant after it. */
export async function withdrawLeave(transaction: Transaction, tenant: Tenant): Promise<Tenant> {
  const { tenantId, calendar, leftAt } = tenant;
  if (leftAt === null) return tenant;
  const { startDate: periodStart } = periodContaining(calendar, leftAt);
  const call = await readLastCallFrom(transaction, { tenantId, periodStart, at: leftAt });
  if (call !== null) refuseCallsAfter(tenantId, leftAt, call);
  // A calendar of the customer's own may change at the same instant, and stays.
  const place = calendar.findIndex(({ effectiveFrom }) => effectiveFrom === leftAt);
  const [before, change] = [calendar[place - 1], calendar[place]];
  const isOnlyCut =
    change !== undefined &&
    before?.timeZone === change.timeZone &&
    before.anchorDay === change.anchorDay;
  if (isOnlyCut) {
    await withdrawCalendarChange(transaction, tenantId, leftAt);
    const whole = calendar.filter((rule) => rule !== change);
    await updatePeriodBounds(transaction, tenantId, [periodContaining(whole, leftAt - 1)]);
  }
  // Whoever had left before, and came back, is as it was then.
  const left_at = formatInstantOrNull(await readLeaveBefore(transaction, tenantId));
  await updateTenant(transaction, tenantId, { left_at, left_before: null });
  return readTenant(transaction.kysely, tenantId);
}

function refuseToStay({ tenantId, leftAt }: Tenant): never {
  if (leftAt === null) {
    throw new Refusal(
      'conflict',
      `tenant "${tenantId}" does not leave`,
      'there is nothing to withdraw; a leave is given first',
    );
  }
  throw new Refusal(
    'conflict',
    `the last period of tenant "${tenantId}" ended at ${formatInstant(leftAt)}, and stays so`,
    'a customer who comes back is billed from its next call on',
  );
}

function refuseCallsAfter(tenantId: string, leftAt: InstantMs, call: InstantMs): never {
  throw new Refusal(
    'conflict',
    `tenant "${tenantId}" has calls after ${formatInstant(leftAt)}, where it leaves, the last at ${formatInstant(call)}`,
    'they are billed in a period of their own; correct what only a wrong clock put there, and withdraw it then',
  );
}
