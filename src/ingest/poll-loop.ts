import type { Clock, InstantMs } from '../clock.ts';
import { pause } from '../clock.ts';
import { readBody } from '../events/read-body.ts';
import type { ReadSettings } from '../events/read-item.ts';
import type { Log } from '../log.ts';
import { VISIBILITY_SECONDS } from './acknowledge.ts';
import type { Batcher } from './batcher.ts';
import type { HeldMessages } from './held-messages.ts';
import { mayNameObjects, type ObjectSource, readNotified } from './notified-objects.ts';
import { backoffMs } from './patience.ts';
import type { QueueClient, QueueMessage } from './queue-client.ts';

export interface PollerParts {
  readonly queue: QueueClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly reading: ReadSettings;
  /** The objects that notifications name; null where they are not to be fetched. */
  readonly objects: ObjectSource | null;
  readonly held: HeldMessages;
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
  /** End once the queue has stayed empty. */
  readonly untilEmpty: boolean;
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
 * The time that the queue must stay empty, and the time after which a worker stops waiting for what
 * another one holds.
 */
const EMPTY_MS = 1_500;
const NOBODY_ANSWERS_MS = 180_000;

/** Receives messages, reads them, and hands them to the batcher, until the signal or an empty queue. */
export class Poller {
  readonly #parts: PollerParts;
  readonly #request: PollRequest;
  readonly #empty = new AbortController();
  #messages = 0;
  #lastMessageAt: InstantMs;
  /** Receives under way, and the events that the last one brought. */
  #receiving = 0;
  #eventsAReceive = 0;
  #isFailing = false;

  constructor(parts: PollerParts, request: PollRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#lastMessageAt = parts.clock();
  }

  /** The number of messages that were received. */
  get messages(): number {
    return this.#messages;
  }

  async run(stop: AbortSignal): Promise<void> {
    const either = AbortSignal.any([stop, this.#empty.signal]);
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
        const messages = await this.#receive();
        failures = 0;
        this.#receives(null);
        if (messages.length > 0) await this.#takeAll(messages, this.#parts.clock());
        else await this.#endIfEmpty(index);
      } catch (error) {
        failures += 1;
        this.#receives(error);
        await pause(backoffMs(failures), stop);
      }
    }
  }

  async #receive(): Promise<readonly QueueMessage[]> {
    this.#receiving += 1;
    try {
      return await this.#parts.queue.receive({
        waitSeconds: this.#request.untilEmpty ? 1 : LONG_POLL_SECONDS,
        visibilityTimeoutSeconds: VISIBILITY_SECONDS,
      });
    } finally {
      this.#receiving -= 1;
    }
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
    const { recording, held, clock } = this.#parts;
    if (recording.isWaiting) return true;
    if (!recording.hasBegun && (index > 0 || held.count > 0)) return true;
    if (this.#isEnoughComing()) return true;
    if (held.count >= MOST_HELD_MESSAGES || held.size >= MOST_HELD_CHARACTERS) return true;
    return index > 0 && clock() - this.#lastMessageAt > 1_000;
  }

  /** Judged by the last receive; one alone is always issued, however much it may bring. */
  #isEnoughComing(): boolean {
    const waiting = this.#parts.batcher.events;
    const coming = (this.#receiving + 1) * this.#eventsAReceive;
    return waiting + this.#receiving > 0 && waiting + coming > MOST_WAITING_EVENTS;
  }

  async #takeAll(messages: readonly QueueMessage[], receivedAt: InstantMs): Promise<void> {
    this.#lastMessageAt = receivedAt;
    const { objects } = this.#parts;
    const namesObjects = (message: QueueMessage) =>
      objects !== null && mayNameObjects(message.body);
    const notified = objects === null ? [] : messages.filter(namesObjects);
    const plain = notified.length === 0 ? messages : messages.filter((one) => !namesObjects(one));
    const events = plain.map((message) => this.#take(message, receivedAt));
    this.#eventsAReceive = events.reduce((sum, count) => sum + count, 0);
    if (objects !== null && notified.length > 0) {
      await Promise.all(notified.map((one) => this.#fetch(one, { receivedAt, objects })));
    }
  }

  /** Held from its receipt on, so that it is kept invisible while its objects come. */
  async #fetch(
    message: QueueMessage,
    { receivedAt, objects }: { readonly receivedAt: InstantMs; readonly objects: ObjectSource },
  ): Promise<void> {
    const { held: all, batcher, reading } = this.#parts;
    this.#messages += 1;
    const held = all.add(message, receivedAt);
    const { body, attributes } = message;
    const items = await readNotified(body, { ...reading, receivedAt, attributes }, objects);
    batcher.add({ held, items });
  }

  /** Returns how many events the message holds. */
  #take(message: QueueMessage, receivedAt: InstantMs): number {
    const { held, batcher, reading } = this.#parts;
    this.#messages += 1;
    const { body, attributes } = message;
    const items = readBody(body, { ...reading, receivedAt, attributes });
    batcher.add({ held: held.add(message, receivedAt), items });
    return items.length;
  }

  async #endIfEmpty(index: number): Promise<void> {
    const { queue, held, clock, log } = this.#parts;
    if (!this.#request.untilEmpty || index > 0 || held.count > 0) return;
    const quietMs = clock() - this.#lastMessageAt;
    if (quietMs < EMPTY_MS) return;
    // Messages that another worker holds, or held when it died, are still to come.
    const depth = await queue.depth();
    if (depth > 0 && quietMs < NOBODY_ANSWERS_MS) return;
    if (depth > 0) log.warn({ depth }, 'the queue counts messages but gives none');
    this.#empty.abort();
  }
}
