import type { Clock, InstantMs } from '../clock.ts';
import { pause } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { isDatabaseAway } from '../database/database.ts';
import type { ReadItem, ReadSettings } from '../events/read-body.ts';
import { readBody } from '../events/read-body.ts';
import { ReferenceCache } from '../ledger/posting/reference-cache.ts';
import type { Log } from '../log.ts';
import { acknowledge, chunks } from './acknowledge.ts';
import type { ReadMessage } from './batcher.ts';
import { Batcher } from './batcher.ts';
import { EventsInFlight } from './events-in-flight.ts';
import { HeldMessages } from './held-messages.ts';
import type { QueueClient, QueueMessage } from './queue-client.ts';
import type { ItemOutcome } from './record-batch.ts';
import { recordBatch } from './record-batch.ts';
import type { IsolatedOutcome } from './record-each.ts';
import { recordEach } from './record-each.ts';

export interface WorkerOptions {
  readonly database: Database;
  readonly queue: QueueClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly reading: ReadSettings;
  /** Stop once the queue has stayed empty. */
  readonly untilEmpty: boolean;
  /** Receives under way at most. */
  readonly pollers: number;
  /** Called after each commit with what became of its events. */
  readonly onRecorded?: (outcomes: readonly ItemOutcome[]) => void;
}

/** What a worker did, by outcome. */
export type WorkerReport = Record<ItemOutcome, number> & { messages: number };

/** A message is back this long after a worker died with it; a commit takes a hundredth of it. */
const VISIBILITY_SECONDS = 30;
const HEARTBEAT_MS = 5_000;
const EXTEND_AFTER_MS = 10_000;
/** Long enough to cost little, short enough to end within a drain. */
const LONG_POLL_SECONDS = 5;
/** Commits in flight, each on a connection of its own. */
const LANES = 2;
/**
 * Back-pressure is not asking for more: above this much in hand, no receive is issued. Events count as
 * well, what receives under way will bring among them: a compressed pack of 64 KiB holds five hundred, of
 * 3 kB each in memory. Two batches beside those in the lanes keep both busy.
 */
const MOST_HELD_MESSAGES = 2_000;
const MOST_HELD_CHARACTERS = 8 * 1024 * 1024;
const MOST_WAITING_EVENTS = 4_000;
/** How long the queue must stay empty, and when to stop waiting for what another worker holds. */
const EMPTY_MS = 1_500;
const NOBODY_ANSWERS_MS = 180_000;
/** After the last receive a drain commits and deletes what is in hand, within this time. */
const DRAIN_MS = 20_000;

/**
 * Consumes the queue until the signal is aborted: receive, read, record, delete. At each step, what a
 * crash leaves behind:
 *
 * 1. received: the messages are invisible for 30 s and then come again;
 * 2. read and gathered: the same, nothing is durable yet;
 * 3. committed: entries, quarantine and receipts are durable together; the messages come again and
 *    every event of them is a duplicate;
 * 4. deleted: done.
 */
export function runWorker(options: WorkerOptions, stop: AbortSignal): Promise<WorkerReport> {
  return new Worker(options).run(stop);
}

class Worker {
  readonly #options: WorkerOptions;
  readonly #held = new HeldMessages();
  readonly #batcher = new Batcher();
  readonly #inFlight = new EventsInFlight();
  readonly #stopping = new AbortController();
  readonly #report: WorkerReport = {
    messages: 0,
    posted: 0,
    duplicate: 0,
    conflict: 0,
    quarantined: 0,
  };
  #lastMessageAt: number;
  #databaseAway = false;
  /** Receives under way, and the events that the last one brought. */
  #receiving = 0;
  #eventsAReceive = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#lastMessageAt = options.clock();
  }

  async run(stop: AbortSignal): Promise<WorkerReport> {
    if (stop.aborted) this.#stopping.abort();
    stop.addEventListener('abort', () => this.#stopping.abort(), { once: true });
    const finished = new AbortController();
    const heartbeat = this.#beat(finished.signal);
    const lanes = Array.from({ length: LANES }, () => this.#lane());
    const pollers = Array.from({ length: this.#options.pollers }, (_, index) => this.#poll(index));
    await Promise.all(pollers);
    this.#batcher.close();
    await this.#drain(lanes);
    finished.abort();
    await heartbeat;
    return this.#report;
  }

  /** A lane that cannot finish in time (the database is away) leaves its messages to come again. */
  async #drain(lanes: readonly Promise<void>[]): Promise<void> {
    const limit = new AbortController();
    const late = pause(DRAIN_MS, limit.signal).then(() => 'late' as const);
    const ended = await Promise.race([Promise.all(lanes).then(() => 'drained' as const), late]);
    limit.abort();
    if (ended === 'drained') return;
    const held = this.#held.all().map(({ message }) => message.receiptHandle);
    this.#options.log.warn({ messages: held.length }, 'drain gave up; releasing what is held');
    for (const handles of chunks(held)) {
      await this.#options.queue.setVisibility(handles, 0).catch(() => []);
    }
  }

  async #poll(index: number): Promise<void> {
    const { queue, clock, log } = this.#options;
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      if (this.#mustWait(index)) {
        await pause(50, this.#stopping.signal);
        continue;
      }
      try {
        this.#receiving += 1;
        const messages = await queue
          .receive({
            waitSeconds: this.#options.untilEmpty ? 1 : LONG_POLL_SECONDS,
            visibilityTimeoutSeconds: VISIBILITY_SECONDS,
          })
          .finally(() => {
            this.#receiving -= 1;
          });
        failures = 0;
        if (messages.length > 0) this.#takeAll(messages, clock());
        if (messages.length === 0) await this.#endIfEmpty(index);
      } catch (error) {
        failures += 1;
        log.warn({ error: String(error), failures }, 'receive failed');
        await pause(backoffMs(failures), this.#stopping.signal);
      }
    }
  }

  /** One poller always asks; the others join while messages come, so that an idle queue costs little. */
  #mustWait(index: number): boolean {
    if (this.#databaseAway) return true;
    if (this.#isEnoughComing()) return true;
    if (this.#held.count >= MOST_HELD_MESSAGES || this.#held.size >= MOST_HELD_CHARACTERS) {
      return true;
    }
    return index > 0 && this.#options.clock() - this.#lastMessageAt > 1_000;
  }

  /** Judged by the last receive; one alone is always issued, however much it may bring. */
  #isEnoughComing(): boolean {
    const waiting = this.#batcher.events;
    const coming = (this.#receiving + 1) * this.#eventsAReceive;
    return waiting + this.#receiving > 0 && waiting + coming > MOST_WAITING_EVENTS;
  }

  #takeAll(messages: readonly QueueMessage[], receivedAt: InstantMs): void {
    this.#lastMessageAt = receivedAt;
    const events = messages.map((message) => this.#take(message, receivedAt));
    this.#eventsAReceive = events.reduce((sum, count) => sum + count, 0);
  }

  /** Returns how many events the message holds. */
  #take(message: QueueMessage, receivedAt: InstantMs): number {
    const held = this.#held.add(message, receivedAt);
    this.#report.messages += 1;
    const { attributes } = message;
    const items = readBody(message.body, { ...this.#options.reading, receivedAt, attributes });
    this.#batcher.add({ held, items });
    return items.length;
  }

  async #endIfEmpty(index: number): Promise<void> {
    if (!this.#options.untilEmpty || index > 0 || this.#held.count > 0) return;
    const quietMs = this.#options.clock() - this.#lastMessageAt;
    if (quietMs < EMPTY_MS) return;
    // Messages that another worker holds, or held when it died, are still to come.
    const depth = await this.#options.queue.depth();
    if (depth > 0 && quietMs < NOBODY_ANSWERS_MS) return;
    if (depth > 0) this.#options.log.warn({ depth }, 'the queue counts messages but gives none');
    this.#stopping.abort();
  }

  async #lane(): Promise<void> {
    const cache = new ReferenceCache();
    for (;;) {
      const batch = await this.#batcher.take();
      if (batch === null) return;
      const items = batch.flatMap((message) => message.items);
      const left = await this.#recordInTurn(cache, items);
      await this.#acknowledge(batch, left);
    }
  }

  /** What another lane has in hand is recorded after it, and is then a duplicate or a conflict. */
  async #recordInTurn(
    cache: ReferenceCache,
    items: readonly ReadItem[],
  ): Promise<ReadonlySet<ReadItem>> {
    const left = new Set<ReadItem>();
    for (let rest = items; rest.length > 0; ) {
      const claim = this.#inFlight.claim(rest);
      try {
        for (const item of await this.#recordUntilDone(cache, claim.free)) left.add(item);
      } finally {
        claim.release();
      }
      await claim.othersDone;
      rest = claim.met;
    }
    return left;
  }

  /**
   * Tries until the batch is committed; while the database is away nothing more is received. Answers
   * the items that could not be recorded in any way.
   */
  async #recordUntilDone(
    cache: ReferenceCache,
    items: readonly ReadItem[],
  ): Promise<ReadonlySet<ReadItem>> {
    const { clock, log, onRecorded } = this.#options;
    for (let attempt = 1; items.length > 0; attempt += 1) {
      try {
        const recorded = await this.#recordOrIsolate(cache, items);
        this.#databaseAway = false;
        const outcomes = recorded.filter((outcome) => outcome !== 'left');
        for (const outcome of outcomes) this.#report[outcome] += 1;
        onRecorded?.(outcomes);
        return new Set(items.filter((_, index) => recorded[index] === 'left'));
      } catch (error) {
        if (!isDatabaseAway(error)) throw error;
        this.#databaseAway = true;
        log.warn(
          { error: String(error), attempt, at: clock() },
          'database away; receiving stopped',
        );
        await pause(backoffMs(attempt));
      }
    }
    return new Set();
  }

  /** One bad event never stops its batch: what the database refuses is found and quarantined. */
  async #recordOrIsolate(
    cache: ReferenceCache,
    items: readonly ReadItem[],
  ): Promise<readonly IsolatedOutcome[]> {
    const { database, clock, log } = this.#options;
    try {
      const recorded = await recordBatch(database, cache, { items, recordedAt: clock() });
      return recorded.outcomes;
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      log.error({ error: String(error), events: items.length }, 'batch refused; isolating');
      return recordEach(database, cache, { items, recordedAt: clock() });
    }
  }

  async #acknowledge(batch: readonly ReadMessage[], left: ReadonlySet<ReadItem>): Promise<void> {
    const { queue, log } = this.#options;
    const isLeft = (message: ReadMessage) => message.items.some((item) => left.has(item));
    for (const { held } of batch.filter(isLeft)) {
      log.error({ messageId: held.message.messageId }, 'cannot be recorded; left to the queue');
      this.#held.remove(held.message.receiptHandle);
    }
    const recorded = batch.filter((message) => !isLeft(message));
    const receiptHandles = recorded.map(({ held }) => held.message.receiptHandle);
    await acknowledge(queue, this.#held, { receiptHandles, log });
  }

  /** Keeps everything in hand invisible to others, what waits in the batcher too. */
  async #beat(finished: AbortSignal): Promise<void> {
    const { queue, clock, log } = this.#options;
    while (!finished.aborted) {
      await pause(HEARTBEAT_MS, finished);
      const due = this.#held.dueForExtension(clock(), EXTEND_AFTER_MS);
      for (const part of chunks(due)) {
        const handles = part.map(({ message }) => message.receiptHandle);
        for (const held of part) held.visibleSetAt = clock();
        await queue.setVisibility(handles, VISIBILITY_SECONDS).catch((error) => {
          log.warn({ error: String(error) }, 'visibility not extended');
        });
      }
    }
  }
}

/** 0.2 s doubling to 30 s, with jitter so that workers do not come back in step. */
function backoffMs(failures: number): number {
  return Math.min(30_000, 100 * 2 ** Math.min(failures, 9)) * (0.5 + Math.random());
}
