import type { Clock } from '../clock.ts';
import { pause, systemClock } from '../clock.ts';
import type { Environment } from '../config.ts';
import { processEnvironment, readConfig, required } from '../config.ts';
import { openDatabase } from '../database/database.ts';
import { readSettings } from '../events/read-settings.ts';
import { openObjects } from '../ingest/object-client.ts';
import { deliver } from '../ingest/worker/delivered-messages.ts';
import type { WorkerParts } from '../ingest/worker/run-worker.ts';
import { runWorker } from '../ingest/worker/run-worker.ts';
import { workerRequest } from '../ingest/worker/worker-answer.ts';
import type { Log } from '../log.ts';
import { openLog } from '../log.ts';
import { readRequest } from '../request.ts';
import { messagesOf } from './sqs-event.ts';

/** The part of Lambda's context that is asked for. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

/** The messages that come again; with `ReportBatchItemFailures`, Lambda deletes the others. */
export interface LambdaAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

export type LambdaHandler = (event: unknown, context: LambdaContext) => Promise<LambdaAnswer>;

/** The times of one call, in milliseconds. */
export interface LambdaTimes {
  /** Nothing more is begun this long before Lambda ends the call. */
  readonly stopBefore: number;
  /** What is in hand then has so long to be committed. */
  readonly drain: number;
  /** The answer goes out this long before the end, whatever is still under way. */
  readonly answerBefore: number;
}

/** A batch is committed within a second or two; a function with a timeout of 30 seconds has 22 to begin in. */
const USUAL_TIMES: LambdaTimes = { stopBefore: 8_000, drain: 4_000, answerBefore: 1_500 };

/**
 * Makes the worker a function that SQS calls. What it did not commit before the time ran out is
 * named as failed and comes again, and so does what the ledger could not even quarantine;
 * everything else is done. Where the ledger cannot be written to at all, every message is named,
 * and the reason stands in the log.
 *
 * The environment is the worker's. The event source must report batch item failures, and must not filter: a message
 * that no filter matches is deleted unseen.
 */
export function openHandler(
  environment: Environment,
  clock: Clock,
  options: { readonly log?: Log; readonly times?: LambdaTimes } = {},
): LambdaHandler {
  const { log, times = USUAL_TIMES } = options;
  let opened: OpenParts | null = null;
  return async (event, context) => {
    opened ??= open(environment, clock, log);
    const messages = messagesOf(event);
    const remainingMs = context.getRemainingTimeInMillis();
    const over = new AbortController();
    const outOfTime = new AbortController();
    const alarm = pause(remainingMs - times.stopBefore, over.signal).then(() => outOfTime.abort());
    const delivered = deliver(messages, outOfTime.signal);
    const { queue, stop } = delivered;
    const worked = runWorker(
      { ...opened, queue, stop, drainMs: () => drainTime(context, times) },
      readRequest(workerRequest, { until_empty: false, pollers: 1 }),
    );
    // Where the answer does not wait for it, its end is nobody's any more.
    worked.catch(() => {});
    try {
      await Promise.race([worked, pause(remainingMs - times.answerBefore, over.signal)]);
    } catch (error) {
      opened.log.error({ error: String(error) }, 'not everything was recorded');
    }
    over.abort();
    await alarm;
    const left = delivered.left();
    if (left.length > 0) opened.log.warn({ messages: left.length }, 'messages come again');
    return { batchItemFailures: left.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

/**
 * The worker stops receiving as soon as it has taken every message, which may be long before the time runs out:
 * what it has in hand then has all of the call's time, and not only what a call that was stopped has.
 */
function drainTime(context: LambdaContext, { stopBefore, drain }: LambdaTimes): number {
  return context.getRemainingTimeInMillis() - (stopBefore - drain);
}

/** The function by which Lambda calls: `spanledger/lambda`, its parts opened at the first call and kept. */
export const handler: LambdaHandler = openHandler(processEnvironment, systemClock);

type OpenParts = Omit<WorkerParts, 'queue' | 'stop'>;

/** A call needs the worker's two lanes, its rollups, its seals and a probe. */
const CONNECTIONS = 5;

function open(environment: Environment, clock: Clock, given: Log | undefined): OpenParts {
  const config = readConfig(environment);
  const log = given ?? openLog(config.SPANLEDGER_LOG_LEVEL);
  const database = openDatabase({
    url: required(config, 'DATABASE_URL'),
    connections: CONNECTIONS,
    heldAgainst: clock,
    onConnectionLost: (error) => log.warn({ error: error.message }, 'connection lost'),
  });
  const parts = { database, clock, log, reading: readSettings(config) };
  if (config.SPANLEDGER_FETCH_OBJECTS === 'no') return parts;
  const objects = openObjects(config.AWS_ENDPOINT_URL_S3 ?? config.AWS_ENDPOINT_URL ?? null);
  return { ...parts, objects };
}
