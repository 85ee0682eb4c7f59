import type { CoverageAnswer } from '../../reports/coverage-answer.ts';
import { figureOf } from './output.ts';

/** The attribution coverage as the lines with which a report ends. */
export function renderCoverage(coverage: CoverageAnswer): string {
  const lines = coverage.map((of) => `${lineOf(of)}${withoutCost(of)}`);
  return lines.length === 0 ? 'Attribution coverage: no cost is known' : lines.join('\n');
}

type Covered = CoverageAnswer[number];

function lineOf({ currency, attributed_cost, all_cost, share }: Covered): string {
  if (share === null) return `Attribution coverage: no cost is known in ${currency}`;
  return `Attribution coverage ${share} %: ${attributed_cost} of ${all_cost} ${currency} of cost belongs to a tenant`;
}

function withoutCost({ entries_without_cost: entries }: Covered): string {
  if (entries === 0) return '';
  return `; the cost of ${figureOf(entries)} ${entries === 1 ? 'entry' : 'entries'} is unknown`;
}
