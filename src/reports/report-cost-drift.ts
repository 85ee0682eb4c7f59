import { divideHalfUp, formatDecimal, formatPico, type Pico } from '../money.ts';
import type { Parts } from '../parts.ts';
import { refuseUnknownTenant } from '../tenants/asked-tenant.ts';
import { pricedTogether, UNITS } from '../units.ts';
import type {
  CostDriftAnswer,
  CostDriftRequest,
  DriftExplanation,
  DriftRow,
  DriftTotal,
} from './cost-drift-answer.ts';
import { CALL, type DriftGroup, EVERY_UNIT, readCostDrift } from './cost-drift-store.ts';
import type { Explained } from './explain-drift.ts';
import { explainDrift } from './explain-drift.ts';
import { percentOf } from './percent.ts';

/**
 * Reports what producers say that calls cost beside our own cost of them (R22), and the unit whose
 * price explains the difference, where one does. It decides nothing: it says where a price of ours,
 * or of theirs, is not the provider's.
 */
export async function reportCostDrift(
  { database }: Pick<Parts, 'database'>,
  request: CostDriftRequest,
): Promise<CostDriftAnswer> {
  const { by, tenant_id: tenantId, month, from, to } = request;
  await refuseUnknownTenant({ database }, tenantId);
  const groups = await readCostDrift(database, { by, tenantId, month, from, to });
  const largestFirst = [...groups].sort((a, b) => compare(sizeOf(b), sizeOf(a)));
  return {
    by,
    rows: largestFirst.map((group) => toRow(group, by)),
    totals: [...Map.groupBy(groups, ({ currency }) => currency)].map(([currency, own]) =>
      toTotal(currency, own),
    ),
  };
}

function toTotal(currency: string, groups: readonly DriftGroup[]): DriftTotal {
  const sum = (of: (group: DriftGroup) => bigint) =>
    groups.reduce((all, group) => all + of(group), 0n);
  const sums = {
    reportedCost: sum((group) => group.reportedCost),
    ourCost: sum((group) => group.ourCost),
  };
  return {
    currency,
    calls: Number(sum(({ calls }) => calls)),
    calls_with_both: Number(sum(({ callsWithBoth }) => callsWithBoth)),
    ...amountsOf(sums),
  };
}

function amountsOf(group: Pick<DriftGroup, 'reportedCost' | 'ourCost'>) {
  const drift = group.reportedCost - group.ourCost;
  return {
    reported_cost: formatPico(group.reportedCost),
    our_cost: formatPico(group.ourCost),
    drift: formatPico(drift),
    drift_percent:
      group.ourCost === 0n ? null : formatDecimal(divideHalfUp(drift * 10_000n, group.ourCost), 2),
  };
}

const driftOf = (group: DriftGroup): Pico => group.reportedCost - group.ourCost;

function sizeOf(group: DriftGroup): Pico {
  const drift = driftOf(group);
  return drift < 0n ? -drift : drift;
}

function compare(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function toRow(group: DriftGroup, by: CostDriftRequest['by']): DriftRow {
  const named = by.map((name, index) => [name, group.dimensions[index] ?? null] as const);
  const explained = explainDrift({ ...group, calls: Number(group.callsWithBoth) });
  return {
    ...Object.fromEntries(named),
    reported_by: group.reportedBy,
    currency: group.currency,
    calls_in_group: Number(group.callsInGroup),
    calls: Number(group.calls),
    calls_with_both: Number(group.callsWithBoth),
    share_with_both: percentOf(group.callsWithBoth, group.callsInGroup) ?? '0.00',
    converted: Number(group.converted),
    in_other_currency: Number(group.inOtherCurrency),
    ...amountsOf(group),
    explained_by: explained === null ? null : toExplanation(explained),
  };
}

/** Amounts are rounded half up to a picodollar, a factor to six decimals; only the report reads them. */
function toExplanation({
  name,
  share,
  slope: [numerator, denominator],
}: Explained): DriftExplanation {
  const explains = formatDecimal(share, 2);
  if (name === EVERY_UNIT) {
    const millionths = divideHalfUp((denominator + numerator) * 1_000_000n, denominator);
    return {
      unit: name,
      explains,
      difference: null,
      per: null,
      factor: formatDecimal(millionths, 6),
    };
  }
  const unit = UNITS.find((one) => one.name === name);
  const together = unit === undefined ? 1n : pricedTogether(unit);
  const difference = formatPico(divideHalfUp(numerator * together, denominator));
  const words = unit?.price.per === 'second' ? 'second' : String(together);
  return { unit: name, explains, difference, per: name === CALL ? '1' : words, factor: null };
}
