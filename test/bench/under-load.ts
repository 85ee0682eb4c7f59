import { setTimeout as pause } from 'node:timers/promises';
import type { QueueClient } from '../../src/ingest/queue-client.ts';
import { SENT_AT } from './bench-events.ts';
import { runBenchWorker } from './bench-worker.ts';
import type { Job } from './contender.ts';
import type { Latency } from './spread.ts';
import { latencyOf } from './spread.ts';

export interface LoadJob extends Job {
  readonly seconds: number;
}

/** What a worker showed of itself while a queue was fed to it. */
export interface UnderLoad {
  readonly perSecond: number;
  /** Of each message: from its place in the queue to the commit of all its events. */
  readonly latency: Latency;
  /** The process's resident memory, a reading a second, in MiB. */
  readonly memory: readonly number[];
}

/** The first part of the time is a start: connections, compiled code, filled caches. */
const START_SHARE = 0.2;

/** The process ends with its worker in the middle of its work: what it has in hand nobody needs. */
export function measureUnderLoad(job: LoadJob): Promise<UnderLoad> {
  const watch = new LoadWatch();
  const running = runBenchWorker(job, {
    queue: (queue) => watch.wrap(queue),
    onRecorded: (events) => watch.count(events),
    untilEmpty: false,
    stop: new AbortController().signal,
  });
  const ended = running.then(() => {
    throw new Error('the worker ended before its time');
  });
  return Promise.race([readAll(job.seconds, watch), ended]);
}

async function readAll(seconds: number, watch: LoadWatch): Promise<UnderLoad> {
  await pause(seconds * START_SHARE * 1000);
  watch.begin();
  const memory: number[] = [];
  for (let second = 0; second < seconds * (1 - START_SHARE); second += 1) {
    await pause(1000);
    memory.push(process.memoryUsage.rss() / 2 ** 20);
  }
  return { ...watch.end(), memory };
}

/** Sees when messages were sent, and when their deletion began: right after their commit. */
class LoadWatch {
  readonly #sentAt = new Map<string, number>();
  #beganAt: number | null = null;
  #events = 0;
  readonly #latencies: number[] = [];

  wrap(queue: QueueClient): QueueClient {
    return {
      ...queue,
      receive: async (options) => {
        const messages = await queue.receive(options);
        for (const { receiptHandle, attributes } of messages) {
          this.#sentAt.set(receiptHandle, Number(attributes[SENT_AT]));
        }
        return messages;
      },
      delete: (receiptHandles) => {
        for (const handle of receiptHandles) this.#committed(handle);
        return queue.delete(receiptHandles);
      },
    };
  }

  count(events: number): void {
    if (this.#beganAt !== null) this.#events += events;
  }

  begin(): void {
    this.#beganAt = performance.now();
  }

  end(): Pick<UnderLoad, 'perSecond' | 'latency'> {
    const seconds = (performance.now() - (this.#beganAt ?? 0)) / 1000;
    return { perSecond: this.#events / seconds, latency: latencyOf(this.#latencies) };
  }

  #committed(handle: string): void {
    const sentAt = this.#sentAt.get(handle);
    this.#sentAt.delete(handle);
    if (sentAt !== undefined && this.#beganAt !== null) this.#latencies.push(Date.now() - sentAt);
  }
}
