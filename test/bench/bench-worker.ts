import { systemClock } from '../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import type { QueueClient } from '../../src/ingest/queue-client.ts';
import { openQueue } from '../../src/ingest/queue-client.ts';
import { runWorker } from '../../src/ingest/worker/run-worker.ts';
import { openLog } from '../../src/log.ts';
import type { Job, Measured } from './contender.ts';
import { Stopwatch } from './contender.ts';

/** The defaults of `spanledger worker`. */
const POLLERS = 4;
const CONNECTIONS = 10;

/**
 * The worker as `spanledger worker --until-empty` runs it, with its rollups and seals beside it. Only the queue
 * is wrapped: its first receive starts the clock, its last delete stops it, so that neither the start
 * of Node nor the wait for a queue that stays empty counts. One that has seen all events waits for no
 * more; of several processes none knows that, and the queue must stay empty.
 */
export async function measureWorker(job: Job): Promise<Measured> {
  const watch = new Stopwatch();
  const done = new AbortController();
  let seen = 0;
  await runBenchWorker(job, {
    queue: (queue) => timed(queue, watch),
    onRecorded(events) {
      seen += events;
      if (seen === job.events) done.abort();
    },
    untilEmpty: true,
    stop: done.signal,
  });
  return watch.measured(seen);
}

/** How a run differs from the worker of the command line. */
interface WorkerRun {
  /** Wraps the queue, to see what is received and deleted. */
  readonly queue: (queue: QueueClient) => QueueClient;
  readonly onRecorded: (events: number) => void;
  readonly untilEmpty: boolean;
  readonly stop: AbortSignal;
}

export async function runBenchWorker(job: Job, run: WorkerRun): Promise<void> {
  const log = openLog('warn');
  const { endpoint, queueUrl } = job;
  const queue = openQueue({ queueUrl, endpoint, region: null, pollers: POLLERS });
  const database = openDatabase({
    url: job.databaseUrl,
    connections: CONNECTIONS,
    onConnectionLost: (error) => log.warn({ error: error.message }, 'connection lost'),
  });
  await runWorker(
    {
      database,
      queue: run.queue(queue),
      clock: systemClock,
      log,
      reading: { litellmKey: null },
      stop: run.stop,
      onRecorded: (recorded) => run.onRecorded(recorded.length),
    },
    { until_empty: run.untilEmpty, pollers: POLLERS },
  );
  queue.close();
  await closeDatabase(database);
}

function timed(queue: QueueClient, watch: Stopwatch): QueueClient {
  return {
    ...queue,
    receive(options) {
      watch.start();
      return queue.receive(options);
    },
    async delete(receiptHandles) {
      const failed = await queue.delete(receiptHandles);
      watch.lap();
      return failed;
    },
  };
}
