import type { Clock } from './clock.ts';
import type { Database } from './database/database.ts';
import type { Log } from './log.ts';

/**
 * What use cases work with, opened and closed by the door that calls them. A use case names the parts
 * that it needs, as in `Pick<Parts, 'database' | 'clock'>`, so that its signature says what it touches.
 */
export interface Parts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
}
