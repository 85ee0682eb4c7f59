import { once } from 'node:events';
import { monotonicMs, pause } from '../../clock.ts';
import { cutConnections } from '../../database/database.ts';
import { faultOf } from '../../database/database-fault.ts';
import { explainFault } from '../../database/explain-fault.ts';
import type { ReadSettings } from '../../events/read-item.ts';
import { foldAll } from '../../ledger/rollups/fold-batches.ts';
import { runRollupLoop } from '../../ledger/rollups/rollup-loop.ts';
import type { Parts } from '../../parts.ts';
import { Refusal, type RefusalKind } from '../../refusal.ts';
import { sealAll } from '../../seals/seal-batches.ts';
import { runSealLoop } from '../../seals/seal-loop.ts';
import type { ObjectSource } from '../notified-objects.ts';
import type { QueueClient } from '../queue-client.ts';
import type { IsolatedItem } from '../record-or-isolate.ts';
import { Acknowledger } from './acknowledge.ts';
import { Batcher } from './batcher.ts';
import { runFiguresLoop } from './figures-loop.ts';
import { HeldMessages } from './held-messages.ts';
import type { PatienceLimits } from './patience.ts';
import { Patience, USUAL_PATIENCE } from './patience.ts';
import { Poller } from './poll-loop.ts';
import { Recorder } from './record-loop.ts';
import type { WorkerAnswer, WorkerRequest } from './worker-answer.ts';
import { WorkerFigures } from './worker-figures.ts';
import { refuseUnfitSession } from './worker-session-store.ts';

export interface WorkerParts extends Pick<Parts, 'database' | 'clock' | 'log'> {
  readonly queue: QueueClient;
  readonly reading: ReadSettings;
  /** The objects that notifications of S3 name, to be fetched. Default: they are not. */
  readonly objects?: ObjectSource;
  /** Nothing more is received once it is aborted; what is in hand is finished first. */
  readonly stop: AbortSignal;
  /** The function is called after each commit with what became of its items. */
  readonly onRecorded?: (recorded: readonly IsolatedItem[]) => void;
  /** The figures that it counts, for whoever watches it. Default: nobody does. */
  readonly figures?: WorkerFigures;
  /** The time for which a database that refuses is tried. Default `USUAL_PATIENCE`. */
  readonly patience?: PatienceLimits;
  /** The time that what is in hand has to be committed, asked once nothing more is received. Default 20 s. */
  readonly drainMs?: () => number;
  /** The time for which a database is waited for whose migration, or whose login, is still to come. Default 0. */
  readonly migrationMs?: number;
  /** The time that the queue must stay empty where that ends the worker. Default 1.5 s. */
  readonly emptyMs?: number;
}

/** The time within which a drain, after the last receive, commits and deletes what is in hand. */
const DRAIN_MS = 20_000;
const EMPTY_MS = 1_500;
/** The time that a worker which was told to end then has to fold and seal: it is killed ten seconds after a drain. */
const END_MS = 7_000;

/**
 * Consumes the queue until `stop` is aborted or, where that is asked, until it has stayed empty; folds and
 * seals beside it, and at the end what is left. At each step, what a crash leaves behind:
 *
 * 1. received: the messages are invisible for 30 s and then come again;
 * 2. read and gathered: the same, nothing is durable yet;
 * 3. committed: entries, quarantine and receipts are durable together; the messages come again and
 *    every event of them is a duplicate;
 * 4. deleted: done.
 *
 * Throws a `Refusal` where the session cannot do a worker's work, before anything is received, where there
 * is no such queue or no right to it, and where the database goes on refusing it, with everything that is
 * not committed back in the queue.
 */
export async function runWorker(parts: WorkerParts, request: WorkerRequest): Promise<WorkerAnswer> {
  const { database, clock, log } = parts;
  const patience = new Patience(log, parts.patience ?? USUAL_PATIENCE);
  parts.figures?.waitingAsToldBy(() => patience.reason);
  await waitUntilMigrated(parts, () => refuseUnfit(parts, patience));
  const ingested = new AbortController();
  const figures = parts.figures ?? new WorkerFigures();
  const beside = [
    runFiguresLoop(parts, { figures }, ingested.signal),
    runRollupLoop(database, { clock, log }, ingested.signal),
    runSealLoop(database, { clock, log }, ingested.signal),
  ];
  let isConsumed = false;
  const end = async (late: AbortSignal) => {
    ingested.abort();
    await Promise.all(beside);
    if (isConsumed && !late.aborted) await foldWhatIsLeft(parts);
  };
  try {
    const answer = await consume({ ...parts, figures }, request, patience);
    isConsumed = true;
    return answer;
  } finally {
    await endInTime(parts, patience, end);
  }
}

const CUT_EVERY_MS = 50;
const MOST_CUTS = 20;

/**
 * Waits for the last folds and seals: as long as they take, or as long as a worker that was told to end has. Another process
 * may hold what they wait for, or post faster than they fold. Then their connections are ended, and so are those of a
 * batch that was given up, so that none of them holds a lock of the ledger in a process that is frozen, as a function of
 * Lambda is between its calls.
 */
async function endInTime(
  { database, log, stop, drainMs }: WorkerParts,
  patience: Patience,
  work: (late: AbortSignal) => Promise<void>,
): Promise<void> {
  const [done, late] = [new AbortController(), new AbortController()];
  const ended = work(AbortSignal.any([late.signal, patience.ended])).finally(() => done.abort());
  const toldToEnd = AbortSignal.any([stop, patience.ended, done.signal]);
  const outOfTime = async () => {
    if (!toldToEnd.aborted) await once(toldToEnd, 'abort');
    await pause(patience.ended.aborted ? 0 : (drainMs?.() ?? END_MS), done.signal);
  };
  await Promise.race([ended, outOfTime()]);
  late.abort();
  if (!done.signal.aborted)
    log.warn('batches left to be folded or sealed: the time to end is over');
  // A batch that was given up is still under way, however soon the others end.
  if (patience.ended.aborted) cutConnections(database);
  for (let cuts = 0; cuts < MOST_CUTS && !done.signal.aborted; cuts += 1) {
    cutConnections(database);
    await pause(CUT_EVERY_MS, done.signal);
  }
  if (done.signal.aborted) await ended;
  else ended.catch(() => {});
}

const MIGRATION_LOOKS_MS = 2_000;

/**
 * Looks again for so long as it was told to, and then ends with the reason: a worker may be deployed before the task
 * that migrates has run, which also makes its login.
 */
async function waitUntilMigrated(
  { log, stop, migrationMs = 0 }: WorkerParts,
  look: () => Promise<void>,
): Promise<void> {
  const until = monotonicMs() + migrationMs;
  for (let said = ''; ; ) {
    try {
      return await look();
    } catch (error) {
      const isToCome = error instanceof Refusal && COMES_WITH_MIGRATION.has(error.kind);
      const left = until - monotonicMs();
      if (!isToCome || left <= 0 || stop.aborted) throw error;
      if (error.message !== said) {
        said = error.message;
        log.warn({ reason: said, seconds: Math.ceil(left / 1000) }, 'waiting for the migration');
      }
      await pause(Math.min(MIGRATION_LOOKS_MS, left), stop);
    }
  }
}

const COMES_WITH_MIGRATION: ReadonlySet<RefusalKind> = new Set([
  'not_migrated',
  'not_permitted',
  'misconfigured',
]);

/**
 * A database that is away is waited for, until the signal: a worker may be started before it. A wrong
 * name or password is not, since whoever starts a worker is still there to see it.
 */
async function refuseUnfit({ database, stop }: WorkerParts, patience: Patience): Promise<void> {
  const end = () => patience.end();
  stop.addEventListener('abort', end);
  await patience.until(async () => {
    try {
      await refuseUnfitSession(database);
    } catch (error) {
      const explained = explainFault(error);
      throw explained?.kind === 'misconfigured' ? explained : error;
    }
  });
  stop.removeEventListener('abort', end);
}

async function consume(
  parts: WorkerParts & { readonly figures: WorkerFigures },
  request: WorkerRequest,
  patience: Patience,
): Promise<WorkerAnswer> {
  const { onRecorded = () => {}, figures } = parts;
  const held = new HeldMessages();
  const batcher = new Batcher();
  const acknowledger = new Acknowledger({ ...parts, held });
  const recorder = new Recorder({
    ...parts,
    emails: parts.reading.emails,
    batcher,
    patience,
    onRecorded(batch, recorded) {
      figures.recorded(recorded);
      onRecorded(recorded);
      return acknowledger.acknowledge(batch, recorded);
    },
  });
  const poller = new Poller(
    { ...parts, objects: parts.objects ?? null, held, batcher, patience, recording: recorder },
    {
      pollers: request.pollers,
      emptyMs: request.until_empty ? (parts.emptyMs ?? EMPTY_MS) : null,
    },
  );
  const finished = new AbortController();
  const keeping = acknowledger.keepInvisible(finished.signal);
  const recording = recorder.run();
  // Its reason is thrown below, when no poller runs any more.
  recording.catch(() => {});
  await poller.run(AbortSignal.any([parts.stop, patience.ended]));
  batcher.close();
  try {
    await drain(recording, patience, parts.drainMs?.() ?? DRAIN_MS);
  } finally {
    finished.abort();
    await keeping;
    await acknowledger.release();
  }
  if (poller.refusal !== null) throw poller.refusal;
  return figures.counts;
}

/** A lane that cannot finish in time (the database is away) leaves its messages to come again. */
async function drain(recording: Promise<void>, patience: Patience, drainMs: number): Promise<void> {
  const limit = new AbortController();
  const late = pause(drainMs, limit.signal).then(() => patience.end());
  await Promise.race([recording, late]).finally(() => limit.abort());
}

/** What was posted last stands in the rollups and in the chain, too. */
async function foldWhatIsLeft({ database, clock, log }: WorkerParts): Promise<void> {
  try {
    await foldAll(database, clock);
    await sealAll(database, clock);
  } catch (error) {
    if (faultOf(error) !== 'away') throw error;
    // The queues of batches are durable: the next worker, or the next report, goes on there.
    log.warn({ error: String(error) }, 'batches left to be folded or sealed');
  }
}
