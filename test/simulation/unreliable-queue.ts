import type { InstantMs } from '../../src/clock.ts';
import type { FailedHandle, QueueClient, QueueMessage } from '../../src/ingest/queue-client.ts';
import type { Actor, Turns } from './turns.ts';

/** Chances of what SQS does now and then, 0 to 1. */
export interface QueueChances {
  /** A message that is received stays visible for others. */
  readonly duplicate: number;
  /** A message that is in hand becomes visible before its time. */
  readonly expire: number;
  /** A delete answers well, and the message comes again. */
  readonly lostDelete: number;
  /** A delete answers that it failed. */
  readonly failedDelete: number;
  /** A receive fails as a whole. */
  readonly receiveError: number;
}

const RELIABLE: QueueChances = {
  duplicate: 0,
  expire: 0,
  lostDelete: 0,
  failedDelete: 0,
  receiveError: 0,
};

interface Waiting {
  readonly messageId: string;
  readonly body: string;
  visibleAt: InstantMs;
  receives: number;
  receipts: number;
}

const MOST_RECEIVES = 6;
const AT_ONCE = 10;

/**
 * A queue of our own in the place of SQS, which keeps what SQS promises and nothing more: a message is delivered at
 * least once, in any order, by one receive or several, and what is received too often waits among the dead letters.
 */
export class UnreliableQueue {
  readonly #now: () => InstantMs;
  readonly #messages: Waiting[] = [];
  readonly #dead: Waiting[] = [];
  #sent = 0;
  chances = RELIABLE;
  random: () => number;

  constructor(now: () => InstantMs, random: () => number) {
    this.#now = now;
    this.random = random;
  }

  send(body: string): void {
    this.#sent += 1;
    const visibleAt = this.#now();
    const messageId = `m${this.#sent}`;
    this.#messages.push({ messageId, body, visibleAt, receives: 0, receipts: 0 });
  }

  get depth(): number {
    return this.#messages.length;
  }

  get deadLetters(): number {
    return this.#dead.length;
  }

  /** Dead letters come again, as new as they were. */
  redrive(): void {
    for (const message of this.#dead.splice(0)) {
      this.#messages.push({ ...message, visibleAt: this.#now(), receives: 0 });
    }
  }

  /** Whatever is in somebody's hand comes again, and nothing fails any more. */
  heal(): void {
    this.chances = RELIABLE;
    this.redrive();
    for (const message of this.#messages) message.visibleAt = this.#now();
  }

  /** The queue as one worker has it. */
  clientOf(actor: Actor, turns: Turns): QueueClient {
    const asked = <Answer>(text: string, ask: () => Answer): Promise<Answer> =>
      turns.ask(actor, { text, isOfPostgres: false, pid: null, ask: async () => ask() });
    return {
      receive: async ({ waitSeconds, visibilityTimeoutSeconds: seconds }) => {
        const messages = await asked('receive', () => this.receive(seconds));
        if (messages.length > 0 || waitSeconds === 0) return messages;
        await turns.pause(actor, waitSeconds * 1000);
        return asked('receive', () => this.receive(seconds));
      },
      delete: (handles) => asked(`delete ${handles.length}`, () => this.delete(handles)),
      setVisibility: (handles, seconds) =>
        asked(`visibility ${seconds}`, () => this.setVisibility(handles, seconds)),
      depth: () => asked('depth', () => this.depth),
      close: () => {},
    };
  }

  receive(seconds: number): readonly QueueMessage[] {
    if (this.#strikes('receiveError')) {
      throw Object.assign(new Error('an internal error of the queue'), { name: 'InternalError' });
    }
    const now = this.#now();
    const visible = this.#messages.filter(({ visibleAt }) => visibleAt <= now);
    const some: QueueMessage[] = [];
    while (visible.length > 0 && some.length < AT_ONCE) {
      const [message] = visible.splice(Math.floor(this.random() * visible.length), 1);
      if (message === undefined) break;
      message.receives += 1;
      if (message.receives > MOST_RECEIVES) {
        this.#messages.splice(this.#messages.indexOf(message), 1);
        this.#dead.push(message);
        continue;
      }
      message.receipts += 1;
      if (!this.#strikes('duplicate')) message.visibleAt = now + seconds * 1000;
      const receiptHandle = `${message.messageId} ${message.receipts}`;
      const { messageId, body } = message;
      some.push({ messageId, receiptHandle, body, attributes: {} });
    }
    return some;
  }

  delete(handles: readonly string[]): readonly FailedHandle[] {
    const failed: FailedHandle[] = [];
    for (const receiptHandle of handles) {
      const message = this.#named(receiptHandle);
      if (message === undefined) continue;
      if (this.#strikes('failedDelete')) {
        failed.push({ receiptHandle, isFinal: false, code: 'InternalError' });
      } else if (this.#strikes('lostDelete')) {
        message.visibleAt = this.#now();
      } else {
        this.#messages.splice(this.#messages.indexOf(message), 1);
      }
    }
    return failed;
  }

  setVisibility(handles: readonly string[], seconds: number): readonly FailedHandle[] {
    for (const handle of handles) {
      const message = this.#named(handle);
      if (message === undefined) continue;
      message.visibleAt = this.#strikes('expire') ? this.#now() : this.#now() + seconds * 1000;
    }
    return [];
  }

  #named(handle: string): Waiting | undefined {
    const [messageId] = handle.split(' ');
    return this.#messages.find((message) => message.messageId === messageId);
  }

  #strikes(fault: keyof QueueChances): boolean {
    return this.chances[fault] > 0 && this.random() < this.chances[fault];
  }
}
