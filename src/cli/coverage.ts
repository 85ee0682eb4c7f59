import { formatPico } from '../money.ts';
import { percentOf } from '../reports/percent.ts';
import type { Coverage } from '../reports/usage-report-store.ts';

/** The attribution coverage that every report shows (R11), as its JSON has it, for each currency. */
export function coverageOf(coverage: readonly Coverage[]) {
  return coverage.map(({ currency, attributedPico, allPico }) => ({
    currency,
    attributed_cost: formatPico(attributedPico),
    all_cost: formatPico(allPico),
    /** Null where no cost is known. */
    share: percentOf(attributedPico, allPico),
  }));
}

/** The same as the lines with which a report ends. */
export function renderCoverage(coverage: readonly Coverage[]): string {
  const lines = coverageOf(coverage).map(({ currency, attributed_cost, all_cost, share }) =>
    share === null
      ? `Attribution coverage: no cost is known in ${currency}`
      : `Attribution coverage ${share} %: ${attributed_cost} of ${all_cost} ${currency} of cost belongs to a tenant`,
  );
  return lines.length === 0 ? 'Attribution coverage: no cost is known' : lines.join('\n');
}
