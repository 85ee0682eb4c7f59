import { pino } from 'pino';
import { checkLaws } from '../../src/audit/laws/check-laws.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { isDistributed } from '../../src/database/distribute.ts';
import type { ObjectSource } from '../../src/ingest/notified-objects.ts';
import type { QueueClient } from '../../src/ingest/queue-client.ts';
import type { PatienceLimits } from '../../src/ingest/worker/patience.ts';
import { runWorker } from '../../src/ingest/worker/run-worker.ts';
import type { WorkerAnswer } from '../../src/ingest/worker/worker-answer.ts';
import type { Log } from '../../src/log.ts';
import { openLog } from '../../src/log.ts';
import { textRows } from './database.ts';

/** A worker in this process, until the queue has stayed empty or the signal stops it. */
export function work(
  database: Database,
  queue: QueueClient,
  options: {
    readonly log?: Log;
    readonly pollers?: number;
    readonly stop?: AbortSignal;
    readonly patience?: PatienceLimits;
    readonly objects?: ObjectSource;
    readonly migrationMs?: number;
    readonly clock?: Clock;
  } = {},
): Promise<WorkerAnswer> {
  const { pollers = 2, ...given } = options;
  const usual = { log: openLog('silent'), stop: new AbortController().signal };
  // No queue of a test is filled by anybody else meanwhile, so that empty is empty.
  const emptyMs = 100;
  const parts = { database, queue, clock: systemClock, reading: { litellmKey: null }, emptyMs };
  return runWorker({ ...parts, ...usual, ...given }, { until_empty: true, pollers });
}

/** Returns the messages of what a worker logs, as they come. */
export function rememberedLog(): { readonly log: Log; readonly messages: () => readonly string[] } {
  const messages: string[] = [];
  const log = pino(
    { level: 'debug' },
    { write: (line) => void messages.push(JSON.parse(line).msg) },
  );
  return { log, messages: () => messages };
}

/** Returns what the receipts count, over all sources and days (law 1). */
export async function receiptsOf(database: Database) {
  const [row] = await textRows(
    database,
    `select coalesce(sum(received), 0)::int as received, coalesce(sum(posted), 0)::int as posted,
       coalesce(sum(duplicates), 0)::int as duplicates, coalesce(sum(conflicts), 0)::int as conflicts,
       coalesce(sum(quarantined), 0)::int as quarantined from receipts`,
  );
  return Object.fromEntries(Object.entries(row ?? {}).map(([name, n]) => [name, Number(n)]));
}

/**
 * Returns the laws that do not hold, with what they say; none in a sound ledger. The schema is left out unless a test is
 * about it, or about what distributing made of it: a database whose schema a test has changed is given to no other.
 */
export async function brokenLaws(database: Database, of: { readonly withSchema?: boolean } = {}) {
  const withSchema = of.withSchema ?? (await isDistributed(database));
  return (
    await checkLaws(
      { database, clock: systemClock, checkStripe: null },
      { scope: 'full', published: [], withoutSchema: !withSchema },
    )
  ).filter((law) => law.violations.length > 0);
}
