import { parseDecimal } from '../../money.ts';
import { reportTagCoverage } from '../../reports/report-tag-coverage.ts';
import type { TagCoverage } from '../../reports/tag-coverage-answer.ts';
import type { CoverageBounds, MonthRequest } from '../month-answer.ts';
import type { MonthParts, StepOutcome } from '../month-step.ts';
import { done, named } from '../month-step.ts';

/**
 * Checks whether enough of the month's cost carries each tag that a bound was given for, in each
 * currency. What is not tagged cannot be billed to anybody afterwards, so a month below its bound
 * is held before anything is closed.
 */
export async function checkCoverage(
  { database }: Pick<MonthParts, 'database'>,
  { month, coverage_min: bounds = {} }: MonthRequest,
): Promise<StepOutcome> {
  const request = { month, from: null, to: null, tenant_id: null };
  const coverages = await reportTagCoverage({ database }, request);
  const bounded = coverages.filter(({ tag }) => bounds[tag] !== undefined);
  const below = bounded.filter((coverage) => isBelow(coverage, bounds));
  if (below.length > 0) {
    return { state: 'wrong', detail: named(below.map((coverage) => fault(coverage, bounds))) };
  }
  const names = bounded.map(({ tag, currency, share }) => `${tag} ${share} % in ${currency}`);
  return done(names.length === 0 ? 'nothing was used' : names.join(', '));
}

/** Where no cost is known nothing can be said of it, which is not enough. */
function isBelow({ tag, share }: TagCoverage, bounds: CoverageBounds): boolean {
  const hundredths = share === null ? null : parseDecimal(share, 2);
  return hundredths === null || hundredths < BigInt(bounds[tag] ?? 0) * 100n;
}

function fault({ tag, currency, share }: TagCoverage, bounds: CoverageBounds): string {
  const has =
    share === null
      ? `no cost in ${currency} is known`
      : `${share} % of the cost in ${currency} names its ${tag}`;
  return `${has}, less than the ${bounds[tag]} % that were asked for; the report of tag coverage says who sends the rest, and reattribution names it`;
}
