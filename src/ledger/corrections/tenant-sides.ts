import { exactPico, formatPico } from '../../money.ts';
import type { DifferenceRow } from './bulk-answer.ts';

/** The effect of a correction of many entries on one tenant in one currency. */
export interface TenantSide {
  readonly tenant_id: string;
  readonly currency: string;
  readonly entries: number;
  /** Entries without a price count as nothing. */
  readonly charge_before: string;
  readonly charge_after: string;
  /** What the tenant pays more, or below zero less. */
  readonly change: string;
}

/** Adds up who pays more and who less by what changes: the rows of each tenant together, who loses most first. */
export function tenantSides(rows: readonly DifferenceRow[]): readonly TenantSide[] {
  const currencies = rows.flatMap((row) =>
    [...new Set([row.currency_before, row.currency])].map((currency) => ({ row, currency })),
  );
  const byTenant = Map.groupBy(currencies, ({ row, currency }) =>
    JSON.stringify([row.tenant_id, currency]),
  );
  return [...byTenant.values()].flatMap(sideOf).sort(byChange);
}

function sideOf(of: readonly { readonly row: DifferenceRow; readonly currency: string }[]) {
  const [first] = of;
  if (first === undefined) return [];
  const { currency } = first;
  const sum = (amounts: readonly (string | null)[]) =>
    amounts.reduce((total, amount) => total + exactPico(amount ?? '0'), 0n);
  const rows = of.map(({ row }) => row);
  const before = sum(
    rows.filter((row) => row.currency_before === currency).map((row) => row.charge_before),
  );
  const after = sum(rows.filter((row) => row.currency === currency).map((row) => row.charge_after));
  return [
    {
      tenant_id: first.row.tenant_id,
      currency,
      entries: rows.reduce((total, { entries }) => total + entries, 0),
      charge_before: formatPico(before),
      charge_after: formatPico(after),
      change: formatPico(after - before),
    },
  ];
}

function byChange(a: TenantSide, b: TenantSide): number {
  const [x, y] = [exactPico(a.change), exactPico(b.change)];
  return x === y ? (a.tenant_id < b.tenant_id ? -1 : 1) : x > y ? -1 : 1;
}
