import type { RefusalKind } from '../../refusal.ts';

/**
 * The exit code of the command line for each kind of refusal: 1 where something is wrong and named,
 * 2 for bad usage or configuration, 3 where a service cannot be asked, 4 where a budget refuses. 0
 * is success.
 */
export const EXIT_CODES: Readonly<Record<RefusalKind, number>> = {
  bad_request: 2,
  bad_document: 1,
  misconfigured: 2,
  not_found: 1,
  conflict: 1,
  too_early: 1,
  incomplete: 1,
  not_permitted: 3,
  unavailable: 3,
  over_budget: 4,
  not_migrated: 3,
};
