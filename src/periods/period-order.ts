/** A tenant's period, in code's own names or in those of an answer. */
type NamedPeriod =
  | { readonly tenantId: string; readonly periodStart: string }
  | { readonly tenant_id: string; readonly period_start: string };

/**
 * Compares two periods in the order of every list of periods: by tenant, and then by their first
 * days.
 */
export function byTenantAndStart(a: NamedPeriod, b: NamedPeriod): number {
  const [one, other] = [namesOf(a), namesOf(b)];
  return compare(one.tenant, other.tenant) || compare(one.start, other.start);
}

function namesOf(period: NamedPeriod): { readonly tenant: string; readonly start: string } {
  return 'tenantId' in period
    ? { tenant: period.tenantId, start: period.periodStart }
    : { tenant: period.tenant_id, start: period.period_start };
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
