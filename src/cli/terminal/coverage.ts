import type { CoverageAnswer } from '../../reports/coverage-answer.ts';

/** The attribution coverage as the lines with which a report ends. */
export function renderCoverage(coverage: CoverageAnswer): string {
  const lines = coverage.map(({ currency, attributed_cost, all_cost, share }) =>
    share === null
      ? `Attribution coverage: no cost is known in ${currency}`
      : `Attribution coverage ${share} %: ${attributed_cost} of ${all_cost} ${currency} of cost belongs to a tenant`,
  );
  return lines.length === 0 ? 'Attribution coverage: no cost is known' : lines.join('\n');
}
