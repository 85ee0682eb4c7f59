import { systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { closeDatabase, inTransaction, openDatabase } from '../../src/database/database.ts';
import type { ReadEvent } from '../../src/events/item.ts';
import { readBody } from '../../src/events/read-body.ts';
import type { QueueClient, QueueMessage } from '../../src/ingest/queue-client.ts';
import { openQueue } from '../../src/ingest/queue-client.ts';
import { recordBatch } from '../../src/ingest/record-batch.ts';
import { ReferenceCache } from '../../src/ledger/posting/reference-cache.ts';
import { rateEvent } from '../../src/rating/rate-event.ts';
import type { Job } from './contender.ts';

export const STAGES = ['receive', 'decode', 'validate', 'rate', 'post', 'delete'] as const;
export type Stage = (typeof STAGES)[number];

/** Microseconds an event: on the clock, and of it in this process. */
export type StageCosts = Readonly<Record<Stage, { readonly wall: number; readonly cpu: number }>>;

/** A batch of the worker, and the receives that one poller makes while the worker fills a batch. */
const BATCH_EVENTS = 2_000;
const BATCH_RECEIVES = 20;

/**
 * The worker's stages one after another, nothing overlapped, so that each has a cost of its own. The
 * first quarter of the events only warms up. `validate` is all of reading that is not JSON.parse: the
 * shape, the schema, the digest; `post` is the whole transaction less rating.
 */
export async function measureStages(job: Job): Promise<StageCosts> {
  const queue = openQueue({ ...job, region: null, pollers: 1 });
  const database = openDatabase({ url: job.databaseUrl, connections: 2, onConnectionLost() {} });
  const caches = { posting: new ReferenceCache(), rating: new ReferenceCache() };
  let costs = new Costs();
  let seen = 0;
  for (let warm = false; ; ) {
    const messages = await costs.during('receive', () => receiveBatch(queue));
    if (messages.length === 0) break;
    const events = readAll(messages, costs);
    await rateAll(events, { database, cache: caches.rating, costs });
    await costs.during('post', () => post(database, caches.posting, events));
    await costs.during('delete', () => deleteAll(queue, messages));
    costs.events += events.length;
    seen += events.length;
    if (!warm && seen >= job.events / 4) {
      warm = true;
      costs = new Costs();
    }
  }
  queue.close();
  await closeDatabase(database);
  return costs.anEvent();
}

async function receiveBatch(queue: QueueClient): Promise<readonly QueueMessage[]> {
  const messages: QueueMessage[] = [];
  let bytes = 0;
  for (let calls = 0; calls < BATCH_RECEIVES && bytes < BATCH_EVENTS * 550; calls += 1) {
    const received = await queue.receive({ waitSeconds: 0, visibilityTimeoutSeconds: 60 });
    if (received.length === 0) break;
    for (const message of received) bytes += message.body.length;
    messages.push(...received);
  }
  return messages;
}

function readAll(messages: readonly QueueMessage[], costs: Costs): readonly ReadEvent[] {
  costs.duringSync('decode', () => {
    for (const { body } of messages) JSON.parse(body);
  });
  const context = { receivedAt: systemClock(), litellmKey: null };
  const reading = new Costs();
  const items = reading.duringSync('decode', () =>
    messages.flatMap(({ body, attributes }) => readBody(body, { ...context, attributes })),
  );
  // Reading decodes once more; that part is known from before.
  costs.add('validate', reading.total('decode'));
  costs.subtract('validate', costs.last('decode'));
  return items.filter((item) => item.kind === 'event');
}

async function rateAll(
  events: readonly ReadEvent[],
  options: { database: Database; cache: ReferenceCache; costs: Costs },
): Promise<void> {
  const { database, cache, costs } = options;
  const tenantIds = new Set(events.map(({ event }) => event.tags.tenantId ?? 'unattributed'));
  await inTransaction(database, (transaction) =>
    cache.refresh(transaction, tenantIds, systemClock()),
  );
  costs.duringSync('rate', () => {
    const pricing = cache.pricing();
    for (const { event } of events) rateEvent(event, pricing);
  });
  // Posting rates as well; that part is known from here.
  costs.subtract('post', costs.last('rate'));
}

async function post(
  database: Database,
  cache: ReferenceCache,
  items: readonly ReadEvent[],
): Promise<void> {
  const recorded = await recordBatch(database, cache, { items, recordedAt: systemClock() });
  if (!recorded.every(({ outcome }) => outcome === 'posted'))
    throw new Error('not all were posted');
}

async function deleteAll(queue: QueueClient, messages: readonly QueueMessage[]): Promise<void> {
  for (let start = 0; start < messages.length; start += 10) {
    const ten = messages.slice(start, start + 10);
    await queue.delete(ten.map((message) => message.receiptHandle));
  }
}

/** Microseconds. */
interface Cost {
  readonly wall: number;
  readonly cpu: number;
}

class Costs {
  events = 0;
  readonly #totals = new Map<Stage, Cost>();
  readonly #last = new Map<Stage, Cost>();

  async during<Result>(stage: Stage, work: () => Promise<Result>): Promise<Result> {
    const end = this.#begin(stage);
    const result = await work();
    end();
    return result;
  }

  duringSync<Result>(stage: Stage, work: () => Result): Result {
    const end = this.#begin(stage);
    const result = work();
    end();
    return result;
  }

  #begin(stage: Stage): () => void {
    const cpuAtStart = process.cpuUsage();
    const startedAt = performance.now();
    return () => {
      const { user, system } = process.cpuUsage(cpuAtStart);
      const cost = { wall: (performance.now() - startedAt) * 1000, cpu: user + system };
      this.#last.set(stage, cost);
      this.add(stage, cost);
    };
  }

  add(stage: Stage, cost: Cost): void {
    const before = this.total(stage);
    this.#totals.set(stage, { wall: before.wall + cost.wall, cpu: before.cpu + cost.cpu });
  }

  subtract(stage: Stage, cost: Cost): void {
    this.add(stage, { wall: -cost.wall, cpu: -cost.cpu });
  }

  total(stage: Stage): Cost {
    return this.#totals.get(stage) ?? { wall: 0, cpu: 0 };
  }

  last(stage: Stage): Cost {
    return this.#last.get(stage) ?? { wall: 0, cpu: 0 };
  }

  anEvent(): StageCosts {
    const costOf = (stage: Stage) => {
      const { wall, cpu } = this.total(stage);
      return { wall: Math.max(0, wall / this.events), cpu: Math.max(0, cpu / this.events) };
    };
    return {
      receive: costOf('receive'),
      decode: costOf('decode'),
      validate: costOf('validate'),
      rate: costOf('rate'),
      post: costOf('post'),
      delete: costOf('delete'),
    };
  }
}
