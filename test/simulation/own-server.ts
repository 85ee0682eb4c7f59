import type { TestProject } from 'vitest/node';
import { startPostgres } from '../support/global-setup.ts';

/** Nothing that Postgres does of its own accord may decide what happens. */
const OF_NO_WILL_OF_ITS_OWN = {
  autovacuum: 'off',
  // The simulation itself ends a deadlock.
  deadlock_timeout: '1h',
  // Plans do not change with what a session did before.
  plan_cache_mode: 'force_custom_plan',
};

export default function setUp(project: TestProject): Promise<() => Promise<void>> {
  return startPostgres(project, OF_NO_WILL_OF_ITS_OWN);
}
