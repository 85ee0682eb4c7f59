import type { InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import { type Calendar, type Period, periodsBeginningIn } from '../../periods/calendar.ts';
import type { Tenant } from '../../tenants/tenant.ts';

/** A period that its tenant's calendar has; it may have a row or not. */
interface CalendarPeriod {
  readonly tenantId: string;
  readonly period: Period;
}

/**
 * Reads the month's periods as the calendars have them, which close like the others where there was
 * no usage: of tenants that existed before their end, not before what is closed, and not after a
 * tenant left.
 */
export async function readCalendarPeriods(
  transaction: Transaction,
  tenants: readonly Tenant[],
  of: { readonly month: string; readonly now: InstantMs },
): Promise<Readonly<Record<'ended' | 'running', readonly CalendarPeriod[]>>> {
  const { rows } = await transaction.client.query<{ tenant_id: string; created_at: InstantMs }>(
    'select tenant_id, created_at from tenants where tenant_id = any($1)',
    [tenants.map((tenant) => tenant.tenantId)],
  );
  const createdAt = new Map(rows.map((row) => [row.tenant_id, row.created_at]));
  const createdAtOf = ({ tenantId }: Tenant) => {
    const at = createdAt.get(tenantId);
    if (at === undefined) throw new Error(`tenant "${tenantId}" was read, and has no row`);
    return at;
  };
  const periodsOf = periodsByCalendar(of.month);
  const idle = tenants.flatMap((tenant) =>
    periodsOf(tenant.calendar)
      .filter((period) => period.endsAt > createdAtOf(tenant))
      .filter(({ endsAt }) => tenant.closedUntil === null || endsAt > tenant.closedUntil)
      .filter(({ startsAt }) => tenant.leftAt === null || startsAt < tenant.leftAt)
      .map((period) => ({ tenantId: tenant.tenantId, period })),
  );
  const { ended = [], running = [] } = Object.groupBy(idle, ({ period }) =>
    period.endsAt <= of.now ? 'ended' : 'running',
  );
  return { ended, running };
}

/** Calendar arithmetic is slow, nobody can post meanwhile, and most tenants share a calendar. */
function periodsByCalendar(month: string): (calendar: Calendar) => readonly Period[] {
  const known = new Map<string, readonly Period[]>();
  return (calendar) => {
    const key = JSON.stringify(calendar);
    const periods = known.get(key) ?? periodsBeginningIn(calendar, month);
    known.set(key, periods);
    return periods;
  };
}
