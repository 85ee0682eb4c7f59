import type { CoverageAnswer } from '../../reports/coverage-answer.ts';
import { counted } from '../../text/counted.ts';
import type { Money } from './report-flags.ts';

/** Renders the attribution coverage as the lines with which a report ends. */
export function renderCoverage(coverage: CoverageAnswer, money: Money): string {
  const lines = coverage.map((of) => `${lineOf(of, money)}${withoutCost(of)}`);
  return lines.length === 0 ? 'Attribution coverage: no cost is known' : lines.join('\n');
}

type Covered = CoverageAnswer[number];

function lineOf({ currency, attributed_cost, all_cost, share }: Covered, money: Money): string {
  const [part, whole] = [money(attributed_cost, currency), money(all_cost, currency)];
  if (share === null) return `Attribution coverage: no cost is known in ${currency}`;
  return `Attribution coverage ${share} %: ${part} of ${whole} ${currency} of cost belongs to a tenant`;
}

function withoutCost({ entries_without_cost: entries }: Covered): string {
  if (entries === 0) return '';
  return `; the cost of ${counted(entries, 'entry', 'entries')} is unknown`;
}
