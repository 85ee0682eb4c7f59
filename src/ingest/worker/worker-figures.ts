import { type Clock, type InstantMs, withinTime } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { readBehind } from '../../ledger/rollups/behind-store.ts';
import type { QueueClient } from '../queue-client.ts';
import type { IsolatedItem } from '../record-or-isolate.ts';
import type { WorkerAnswer } from './worker-answer.ts';

/** The counters of a running worker, which can be read at any time. */
export class WorkerFigures {
  readonly #counts = {
    messages: 0,
    posted: 0,
    duplicate: 0,
    conflict: 0,
    quarantined: 0,
    empty: 0,
  };

  #waitsFor: () => string | null = () => null;

  /** The reason why nothing is received now; null while the ledger takes what comes. */
  get waitsFor(): string | null {
    return this.#waitsFor();
  }

  /** Says how the reason is asked for. */
  waitingAsToldBy(reason: () => string | null): void {
    this.#waitsFor = reason;
  }

  get counts(): WorkerAnswer {
    return { ...this.#counts };
  }

  received(messages: number): void {
    this.#counts.messages += messages;
  }

  recorded(items: readonly IsolatedItem[]): void {
    for (const { outcome } of items) if (outcome !== 'left') this.#counts[outcome] += 1;
  }
}

/** How far a worker is behind; null stands for what could not be asked. */
export interface WorkerLag {
  /** Messages that wait or are in somebody's hand, as the queue says. */
  readonly queue: number | null;
  /** Seconds since the last batch while messages wait. */
  readonly lag_seconds: number | null;
  readonly rollups_behind: number | null;
  readonly seals_behind: number | null;
}

export interface LagParts {
  readonly database: Database;
  readonly queue: Pick<QueueClient, 'depth'>;
  readonly clock: Clock;
}

/** Whoever scrapes figures mostly waits for ten seconds. */
const ANSWER_MS = 3_000;

/** Asks the queue and the ledger; one that does not answer leaves its figures out, and throws nothing. */
export async function readLag({ database, queue, clock }: LagParts): Promise<WorkerLag> {
  const [depth, behind] = await Promise.all([
    withinTime(ANSWER_MS, queue.depth()).catch(() => null),
    withinTime(ANSWER_MS, readBehind(database)).catch(() => null),
  ]);
  return {
    queue: depth,
    lag_seconds: lagOf(depth, behind?.lastBatchAt ?? null, clock()),
    rollups_behind: behind?.rollups ?? null,
    seals_behind: behind?.seals ?? null,
  };
}

/**
 * Returns the seconds since the last batch while messages wait, and 0 while none does; null where
 * nobody knows.
 */
export function lagOf(
  depth: number | null,
  lastBatchAt: InstantMs | null,
  now: InstantMs,
): number | null {
  if (depth === 0) return 0;
  if (depth === null || lastBatchAt === null) return null;
  return Math.max(0, Math.floor((now - lastBatchAt) / 1000));
}
