import { setImmediate as nextTurn } from 'node:timers/promises';
import { pause } from '../clock.ts';
import type { EncodedBody, Encoding } from './message-body.ts';
import { encodeBodies } from './message-body.ts';
import { messageGroupOf } from './message-group.ts';
import type { Pack, Packable } from './packer.ts';
import type { SendClient, UnsentMessage } from './send-client.ts';
import { MESSAGES_PER_CALL } from './send-client.ts';

export interface SendLoopOptions<Event extends Packable> {
  readonly client: SendClient;
  readonly encoding: Encoding;
  readonly callsUnderWay: number;
  /** A pack became a body of so many bytes. */
  readonly onEncoded: (packBytes: number, bodyBytes: number) => void;
  /** The queue has them. */
  readonly onSent: (events: readonly Event[]) => void;
  /** The queue will never take them. */
  readonly onRefused: (events: readonly Event[], code: string) => void;
  /** A call failed as a whole, with its error; null when one is answered again. */
  readonly onAway: (error: unknown) => void;
}

interface Message<Event> extends EncodedBody<Event> {
  readonly tenantId: string | null;
}

/** Sends packs, ten messages a call and a few calls at once, until the queue has each. */
export class SendLoop<Event extends Packable> {
  readonly #options: SendLoopOptions<Event>;
  readonly #stopping = new AbortController();
  readonly #calls = new Set<Promise<void>>();
  #ready: Pack<Event>[] = [];
  #failures = 0;
  /** Aborted when whoever waits cannot wait for the next try. */
  #resting = new AbortController();

  constructor(options: SendLoopOptions<Event>) {
    this.#options = options;
  }

  push(packs: readonly Pack<Event>[]): void {
    this.#ready.push(...packs);
    this.#start();
  }

  /** Tries again now what waits for its next try. */
  hurry(): void {
    this.#resting.abort();
    this.#resting = new AbortController();
  }

  /** Ends the calls under way; answers the events that the queue is not known to have. */
  async stop(): Promise<readonly Event[]> {
    this.#stopping.abort();
    await Promise.all(this.#calls);
    this.#options.client.close();
    return this.#ready.flatMap((pack) => pack.events);
  }

  /** While the queue is away, one call at a time finds out when it is back. */
  #start(): void {
    const most = this.#failures > 0 ? 1 : this.#options.callsUnderWay;
    while (this.#ready.length > 0 && this.#calls.size < most && !this.#stopping.signal.aborted) {
      const packs = this.#ready.splice(0, MESSAGES_PER_CALL);
      const call: Promise<void> = this.#call(packs).finally(() => {
        this.#calls.delete(call);
        this.#start();
      });
      this.#calls.add(call);
    }
  }

  async #call(packs: readonly Pack<Event>[]): Promise<void> {
    const messages = await this.#encode(packs);
    const now = messages.slice(0, MESSAGES_PER_CALL);
    this.#putBack(messages.slice(MESSAGES_PER_CALL));
    const unsent = await this.#send(now);
    this.#putBack(unsent);
    if (unsent.length === 0) return;
    const woken = AbortSignal.any([this.#stopping.signal, this.#resting.signal]);
    await pause(backoffMs(Math.max(1, this.#failures)), woken);
  }

  /** A turn of the event loop between two, since compressing one takes about a millisecond. */
  async #encode(packs: readonly Pack<Event>[]): Promise<readonly Message<Event>[]> {
    const messages: Message<Event>[] = [];
    for (const { events, bytes, tenantId } of packs) {
      const bodies = encodeBodies(events, this.#options.encoding);
      const bodyBytes = bodies.reduce((sum, { body }) => sum + body.length, 0);
      this.#options.onEncoded(bytes, bodyBytes);
      messages.push(...bodies.map((encoded) => ({ ...encoded, tenantId })));
      await nextTurn();
    }
    return messages;
  }

  /** Answers the messages to send again. */
  async #send(messages: readonly Message<Event>[]): Promise<readonly Message<Event>[]> {
    const outgoing = messages.map(({ body, tenantId }) => ({
      body,
      group: tenantId === null ? null : messageGroupOf(tenantId),
    }));
    try {
      const unsent = await this.#options.client.send(outgoing, this.#stopping.signal);
      this.#answered(unsent.length < messages.length ? null : unsent[0]?.code);
      return this.#settle(messages, unsent);
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#answered(error);
      return messages;
    }
  }

  /** Takes the error where the call brought nothing into the queue, else null. */
  #answered(error: unknown): void {
    this.#failures = error === null ? 0 : this.#failures + 1;
    this.#options.onAway(error);
  }

  #settle(
    messages: readonly Message<Event>[],
    unsent: readonly UnsentMessage[],
  ): readonly Message<Event>[] {
    const fates = new Map(unsent.map((one) => [one.index, one]));
    const { onSent, onRefused } = this.#options;
    for (const [index, { events }] of messages.entries()) {
      const fate = fates.get(index);
      if (fate === undefined) onSent(events);
      else if (fate.isFinal) {
        const refused = events.filter((_, place) => fate.only?.includes(place) ?? true);
        onSent(events.filter((event) => !refused.includes(event)));
        onRefused(refused, fate.code);
      }
    }
    return messages.filter((_, index) => fates.get(index)?.isFinal === false);
  }

  /** The messages become packs again: what is sent next time may share its call with others. */
  #putBack(messages: readonly Message<Event>[]): void {
    this.#ready.unshift(
      ...messages.map(({ events, tenantId }) => {
        const bytes = events.reduce((sum, { json }) => sum + json.length + 1, 0);
        return { events, tenantId, bytes };
      }),
    );
  }
}

/** 0.1 s doubling to 30 s, with jitter so that producers do not come back in step. */
function backoffMs(failures: number): number {
  return Math.min(30_000, 100 * 2 ** Math.min(failures - 1, 9)) * (0.5 + Math.random());
}
