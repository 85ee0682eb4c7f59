import { formatPico } from '../money.ts';
import type { CoverageAnswer } from './coverage-answer.ts';
import type { Coverage } from './coverage-store.ts';
import { percentOf } from './percent.ts';

/**
 * The coverage says how much of the cost belongs to a tenant, in the form that every report shows.
 */
export function coverageOf(coverage: readonly Coverage[]): CoverageAnswer {
  return coverage.map(({ currency, attributedPico, allPico, uncosted }) => ({
    currency,
    attributed_cost: formatPico(attributedPico),
    all_cost: formatPico(allPico),
    share: percentOf(attributedPico, allPico),
    entries_without_cost: uncosted,
  }));
}
