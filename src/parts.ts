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
  /**
   * The database as whoever asks may see it: for a tenant, its own rows behind row-level security.
   * Left out, it is the whole database. Use cases that tenants may call read from it.
   */
  readonly view?: Database;
  /** How a server's questions have the rollups folded; left out, whoever asks waits for all that is posted. */
  readonly folds?: FoldsForReading;
  /** What a server keeps of the sums of days; left out, whoever asks has all of them summed. */
  readonly days?: DaysForReading;
}

/** What an act that posts works with. A fold that fails after it is said to the log, where there is one. */
export type ActParts = Pick<Parts, 'database' | 'clock'> & Partial<Pick<Parts, 'log'>>;

/** A UTC day of a period, and a number that grows whenever something is added to it. */
export interface DayVersion {
  readonly periodStart: string;
  readonly day: string;
  readonly version: bigint;
}

/** What a question found of a day; its rows are null where nothing was added to what is known of it. */
export interface ReadDay<Row> extends DayVersion {
  readonly rows: readonly Row[] | null;
}

/** What answers a question about days out of those that are known, and those that were added to since. */
export interface DaysForReading {
  ask<Row>(
    question: string,
    read: (known: readonly DayVersion[]) => Promise<readonly ReadDay<Row>[]>,
  ): Promise<readonly Row[]>;
}

/** What brings the rollups up to date for a question, as far as whoever asks can wait for it. */
export interface FoldsForReading {
  foldBeforeReading(): Promise<Freshness>;
  /** Resolves when no fold that it began is under way. */
  ended(): Promise<void>;
}

/** Batches that were posted, and are not in what was read. */
export interface Freshness {
  readonly batches_behind: number;
}

/** The function by which a door hears how far a long piece of work is. */
export interface ProgressPart {
  readonly onProgress?: (done: number, all: number) => void;
}
