import { pause } from '../../src/clock.ts';
import type { FailedHandle, QueueClient, QueueMessage } from '../../src/ingest/queue-client.ts';

/**
 * Chances of each fault, 0 to 1. The queue server is honest, so what real SQS does now and then is
 * injected here, from a seed: a failing run can be run again.
 */
export interface QueueFaults {
  /** A received message is handed out a second time, by a later receive. */
  readonly duplicate?: number;
  /** The messages of one receive come in another order. */
  readonly reorder?: number;
  /** One entry of a batch delete answers `Failed`. */
  readonly failedDelete?: number;
  /** One entry of a batch delete answers well, and the message comes again. */
  readonly lostDelete?: number;
  /** A receive fails as a whole. */
  readonly receiveError?: number;
  /** A receive is throttled. */
  readonly throttle?: number;
  /** A message becomes visible to others while it is in hand. */
  readonly expire?: number;
}

export interface FaultyQueue extends QueueClient {
  /** How often each fault struck. */
  readonly struck: Readonly<Record<keyof QueueFaults, number>>;
}

/** Wraps a queue so that it misbehaves; everything else reaches the real one. */
export function faultyQueue(real: QueueClient, faults: QueueFaults, seed: number): FaultyQueue {
  const random = randomFrom(seed);
  const struck = {
    duplicate: 0,
    reorder: 0,
    failedDelete: 0,
    lostDelete: 0,
    receiveError: 0,
    throttle: 0,
    expire: 0,
  };
  const strikes = (fault: keyof QueueFaults) => {
    if (random() >= (faults[fault] ?? 0)) return false;
    struck[fault] += 1;
    return true;
  };
  const again: QueueMessage[] = [];
  let copies = 0;
  const copyOf = (message: QueueMessage): QueueMessage => {
    copies += 1;
    return { ...message, receiptHandle: `copy-${copies}-${message.receiptHandle}` };
  };
  return {
    struck,
    async receive(options) {
      if (strikes('receiveError')) throw errorOf('InternalError', 'an injected fault of the queue');
      if (strikes('throttle')) throw errorOf('ThrottlingException', 'rate exceeded');
      const repeated = again.splice(0, 3);
      if (repeated.length > 0) return repeated;
      const messages = [...(await real.receive(options))];
      for (const message of messages) {
        if (strikes('duplicate')) again.push(copyOf(message));
        if (strikes('expire')) await real.setVisibility([message.receiptHandle], 0);
      }
      return messages.length > 1 && strikes('reorder') ? messages.reverse() : messages;
    },
    async delete(receiptHandles) {
      const failed: FailedHandle[] = [];
      const kept: string[] = [];
      for (const receiptHandle of receiptHandles) {
        if (receiptHandle.startsWith('copy-')) continue;
        if (strikes('failedDelete')) {
          failed.push({ receiptHandle, isFinal: false, code: 'InternalError' });
        } else if (strikes('lostDelete')) {
          await real.setVisibility([receiptHandle], 0);
        } else {
          kept.push(receiptHandle);
        }
      }
      return [...failed, ...(kept.length === 0 ? [] : await real.delete(kept))];
    },
    async setVisibility(receiptHandles, seconds) {
      const handles = receiptHandles.filter((handle) => !handle.startsWith('copy-'));
      return handles.length === 0 ? [] : real.setVisibility(handles, seconds);
    },
    async depth() {
      await pause(0);
      return (await real.depth()) + again.length;
    },
    close: () => real.close(),
  };
}

function errorOf(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

/** Makes mulberry32: the same numbers from the same seed, on every machine. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
