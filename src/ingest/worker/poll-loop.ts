import { explainSqs } from '../../aws/sqs-refusal.ts';
import { type Clock, monotonicMs, pause } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { ReadItem } from '../../events/item.ts';
import { readBody } from '../../events/read-body.ts';
import { entriesWithin, type ReadSettings } from '../../events/read-item.ts';
import type { Log } from '../../log.ts';
import type { Refusal } from '../../refusal.ts';
import { mayNameObjects, type ObjectSource, readNotified } from '../notified-objects.ts';
import type { QueueClient, QueueMessage } from '../queue-client.ts';
import { tellApart } from '../tell-apart.ts';
import { VISIBILITY_SECONDS } from './acknowledge.ts';
import type { Batcher } from './batcher.ts';
import { ClockWatch } from './clock-watch.ts';
import type { HeldMessage, HeldMessages } from './held-messages.ts';
import { backoffMs, type Patience } from './patience.ts';
import type { WorkerFigures } from './worker-figures.ts';

export interface PollerParts {
  readonly queue: QueueClient;
  readonly database: Database;
  /** A database is waited for by it, whose clock is held against ours before anything is received. */
  readonly patience: Pick<Patience, 'until'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly reading: ReadSettings;
  /** The objects that notifications name; null where they are not to be fetched. */
  readonly objects: ObjectSource | null;
  readonly held: HeldMessages;
  readonly figures: Pick<WorkerFigures, 'received'>;
  /** The batcher takes the events of each message. */
  readonly batcher: Batcher;
  /** The state of recording; no more is received than that can bear. */
  readonly recording: {
    /** The database is waited for. */
    readonly isWaiting: boolean;
    /** A batch was committed since the worker began. */
    readonly hasBegun: boolean;
  };
}

export interface PollRequest {
  /** The poller ends once the queue has stayed empty for so long; null where it goes on. */
  readonly emptyMs: number | null;
  /** Receives under way at most. */
  readonly pollers: number;
}

/** The poll is long enough to cost little, and short enough to end within a drain. */
const LONG_POLL_SECONDS = 5;
/**
 * Back-pressure is not asking for more: above this much in hand, no receive is issued. Events count as
 * well, what receives under way will bring among them: a compressed pack of 64 KiB holds five hundred, of
 * 3 kB each in memory. Two batches beside those in the lanes keep both busy.
 */
const MOST_HELD_MESSAGES = 2_000;
const MOST_HELD_CHARACTERS = 8 * 1024 * 1024;
const MOST_WAITING_EVENTS = 4_000;
/**
 * Above this many entries in hand, with what the lanes have, no further message is read: one alone may hold
 * ten thousand, and a receive brings ten. Two full batches and those that wait for them are fewer.
 */
const MOST_ENTRIES_IN_HAND = 9_000;
/** The time after which a worker stops waiting for what another one holds. */
const NOBODY_ANSWERS_MS = 180_000;

/** Receives messages, reads them, and hands them to the batcher, until the signal or an empty queue. */
export class Poller {
  readonly #parts: PollerParts;
  readonly #request: PollRequest;
  readonly #ended = new AbortController();
  #hasReceived = false;
  #refusal: Refusal | null = null;
  readonly #watch: ClockWatch;
  /** By `monotonicMs`, as whatever only measures how long something takes. */
  #lastMessageMs = monotonicMs();
  /** Receives under way, and what the last one brought. */
  #receiving = 0;
  #eventsAReceive = 0;
  #charactersAReceive = 0;
  #isFailing = false;

  constructor(parts: PollerParts, request: PollRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#watch = new ClockWatch(parts);
  }

  /** Why the queue cannot be received from, where that ended it. */
  get refusal(): Refusal | null {
    return this.#refusal;
  }

  async run(stop: AbortSignal): Promise<void> {
    const either = AbortSignal.any([stop, this.#ended.signal]);
    const { pollers } = this.#request;
    await Promise.all(Array.from({ length: pollers }, (_, index) => this.#poll(index, either)));
  }

  async #poll(index: number, stop: AbortSignal): Promise<void> {
    let failures = 0;
    while (!stop.aborted) {
      if (this.#mustWait(index)) {
        await pause(50, stop);
        continue;
      }
      try {
        if (!this.#watch.isKnownRight) await this.#believeClock();
        const messages = await this.#receive();
        failures = 0;
        this.#hasReceived = true;
        this.#receives(null);
        if (messages.length > 0) await this.#takeAll(messages, stop);
        else await this.#rest(index, stop);
      } catch (error) {
        if (this.#endRefused(error)) return;
        failures += 1;
        this.#receives(error);
        await pause(backoffMs(failures), stop);
      }
    }
  }

  /** Waits until both clocks agree, and says meanwhile that they do not. */
  async #believeClock(): Promise<void> {
    await this.#parts.patience.until(() => this.#watch.compare());
  }

  get #waitSeconds(): number {
    const { emptyMs } = this.#request;
    return emptyMs === null ? LONG_POLL_SECONDS : Math.min(1, Math.floor(emptyMs / 1_000));
  }

  async #receive(): Promise<readonly QueueMessage[]> {
    this.#receiving += 1;
    try {
      return await this.#parts.queue.receive({
        waitSeconds: this.#waitSeconds,
        visibilityTimeoutSeconds: VISIBILITY_SECONDS,
      });
    } finally {
      this.#receiving -= 1;
    }
  }

  /**
   * What SQS refuses for good is waited for where it worked before, since a queue or a right may come back;
   * but not at the start, nor by a worker that is to come to an end: whoever started it is there to see it.
   */
  #endRefused(error: unknown): boolean {
    const refusal = explainSqs(error);
    if (refusal === null || (this.#hasReceived && this.#request.emptyMs === null)) return false;
    this.#refusal ??= refusal;
    this.#ended.abort();
    return true;
  }

  /** A queue that fails is said once, and once that it answers again. */
  #receives(error: unknown): void {
    const { log } = this.#parts;
    if (error !== null && !this.#isFailing) log.warn({ error: String(error) }, 'receive failed');
    if (error === null && this.#isFailing) log.info('the queue answers again');
    this.#isFailing = error !== null;
  }

  /**
   * One poller always asks; the others join while messages come, so that an idle queue costs little. Until
   * a first batch is committed one receive is all that is risked: a worker that ends and is started
   * again and again must not use up the receives that each message has before it is a dead letter.
   */
  #mustWait(index: number): boolean {
    const { recording, held } = this.#parts;
    if (recording.isWaiting) return true;
    if (!recording.hasBegun && (index > 0 || held.count > 0)) return true;
    if (this.#isEnoughComing()) return true;
    if (held.count >= MOST_HELD_MESSAGES) return true;
    return index > 0 && monotonicMs() - this.#lastMessageMs > 1_000;
  }

  /** Judged by the last receive; one alone is always issued, however much it may bring. */
  #isEnoughComing(): boolean {
    const { batcher, held } = this.#parts;
    const receives = this.#receiving + 1;
    const waiting = batcher.events;
    const coming = receives * this.#eventsAReceive;
    if (waiting + this.#receiving > 0 && waiting + coming > MOST_WAITING_EVENTS) return true;
    const characters = held.size + receives * this.#charactersAReceive;
    return held.count + this.#receiving > 0 && characters > MOST_HELD_CHARACTERS;
  }

  /**
   * All are held from their receipt on, so that they are kept invisible until their turn; what is not read
   * when the signal comes is released with the rest.
   */
  async #takeAll(messages: readonly QueueMessage[], stop: AbortSignal): Promise<void> {
    const { held: all, clock, figures } = this.#parts;
    this.#lastMessageMs = monotonicMs();
    // What comes while the clock is wrong is dated by nothing: it is left to the queue, and comes again.
    if (!this.#watch.isKnownRight) return;
    const receivedAt = clock();
    figures.received(messages.length);
    const held = messages.map((message) => all.add(message, receivedAt));
    this.#charactersAReceive = messages.reduce((sum, { body }) => sum + body.length, 0);
    let events = 0;
    for (const one of held) {
      while (all.entries >= MOST_ENTRIES_IN_HAND && !stop.aborted) await pause(10, stop);
      if (stop.aborted && all.entries >= MOST_ENTRIES_IN_HAND) return;
      events += await this.#take(one);
      this.#eventsAReceive = Math.max(events, this.#eventsAReceive);
    }
    this.#eventsAReceive = events;
  }

  /** Returns how many events the message holds. */
  async #take(held: HeldMessage): Promise<number> {
    const { held: all, batcher } = this.#parts;
    const items = await this.#read(held);
    all.wasRead(
      held,
      items.reduce((sum, item) => sum + entriesWithin(item), 0),
    );
    batcher.add({ held, items });
    return items.length;
  }

  #read({ message, receivedAt }: HeldMessage): readonly ReadItem[] | Promise<readonly ReadItem[]> {
    const { objects, reading } = this.#parts;
    const { messageId, body, attributes } = message;
    const context = { ...reading, receivedAt, attributes };
    return objects !== null && mayNameObjects(body)
      ? readNotified(body, context, objects)
      : tellApart(readBody(body, context), messageId);
  }

  /** Nothing came. A receive that did not wait for it is not followed by the next one at once. */
  async #rest(index: number, stop: AbortSignal): Promise<void> {
    const { emptyMs } = this.#request;
    if (emptyMs === null) return;
    await this.#endIfEmpty(index, emptyMs);
    if (this.#waitSeconds === 0) await pause(emptyMs, stop);
  }

  async #endIfEmpty(index: number, emptyMs: number): Promise<void> {
    const { queue, held, log } = this.#parts;
    if (index > 0 || held.count > 0) return;
    const quietMs = monotonicMs() - this.#lastMessageMs;
    if (quietMs < emptyMs) return;
    // Messages that another worker holds, or held when it died, are still to come.
    const depth = await queue.depth();
    if (depth > 0 && quietMs < NOBODY_ANSWERS_MS) return;
    if (depth > 0) log.warn({ depth }, 'the queue counts messages but gives none');
    this.#ended.abort();
  }
}
