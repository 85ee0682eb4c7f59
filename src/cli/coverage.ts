import { formatPico } from '../money.ts';
import { percentOf } from '../reports/percent.ts';
import type { Coverage } from '../reports/usage-report-store.ts';

/** The attribution coverage that every report shows (R11), as its JSON has it. */
export function coverageOf({ attributedPico, allPico }: Coverage) {
  return {
    attributed_cost: formatPico(attributedPico),
    all_cost: formatPico(allPico),
    share: percentOf(attributedPico, allPico) ?? '100.00',
  };
}

/** The same as the line with which a report ends. */
export function renderCoverage(coverage: Coverage): string {
  const { attributed_cost, all_cost, share } = coverageOf(coverage);
  return `Attribution coverage ${share} %: ${attributed_cost} of ${all_cost} of cost belongs to a tenant`;
}
