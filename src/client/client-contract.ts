import type { Clock } from '../clock.ts';
import type { Encoding } from './message-body.ts';
import type { NewEvent, RefusedEvent } from './new-event.ts';

/** The client as an application sees it: its options, its answers, its counters. */

export interface ClientOptions {
  /** A standard queue; without one, events go to the server over HTTP. */
  readonly queueUrl?: string | null;
  /** The Spanledger server that answers for budgets, and takes events where there is no queue. */
  readonly server?: ServerAddress | null;
  /**
   * The folder where accepted events stand until the queue has them, so that neither a kill nor an
   * outage of SQS loses one. Null keeps them in memory only: a kill then loses what was not sent.
   */
  readonly folder: string | null;
  /** The endpoint is another address than the queue URL's own, such as a VPC endpoint's. */
  readonly endpoint?: string | null;
  readonly region?: string | null;
  /** @defaultvalue `zstd` */
  readonly encoding?: Encoding;
  /** Milliseconds that an event waits for company at most. @defaultvalue 1000 */
  readonly flushMs?: number;
  /** Bytes of events in memory at most. @defaultvalue 16 MiB */
  readonly bufferBytes?: number;
  /** Bytes of the folder's files at most. @defaultvalue 1 GiB */
  readonly folderBytes?: number;
  /**
   * Milliseconds in which a power cut (never a kill) may undo what is on disk; 0 makes every `record`
   * wait for the disk. @defaultvalue 1000
   */
  readonly syncMs?: number;
  /** Signals on which the client closes and then lets the process end. @defaultvalue none */
  readonly closeOn?: readonly NodeJS.Signals[];
  /**
   * The function is called with accepted events that will not reach the queue through us.
   * @defaultvalue a line on stderr
   */
  readonly onLost?: (loss: Loss) => void;
  /**
   * The function is called with a call that was made and of which no event could be recorded.
   * @defaultvalue a line on stderr
   */
  readonly onUnmetered?: (call: UnmeteredCall) => void;
  /** The queue, the server or the folder does not do its part; events wait. */
  readonly onTrouble?: (trouble: Trouble) => void;
  readonly clock?: Clock;
}

/** A server that was started by `serve`, and a key for it with the role `ingest`. */
export interface ServerAddress {
  /** The address, such as `https://usage.example.com`. */
  readonly url: string;
  readonly key: string;
}

/** A call that a wrapper, a span or a guard saw, and whose event was refused. */
export interface UnmeteredCall {
  readonly reason: string;
  /** The event as it was made; null where none could be. */
  readonly event: unknown;
}

export interface Loss {
  readonly reason: string;
  /** The events as JSON, so that whoever is told can keep them. */
  readonly events: readonly string[];
  /** Whether they stand in `set-aside.jsonl` in the folder. */
  readonly setAside: boolean;
}

export interface Trouble {
  /** `budgets` is a server that could not be asked whether a call may be made. */
  readonly kind: 'queue' | 'folder' | 'budgets';
  readonly error: unknown;
}

/** The outcome of one event. `disk` survives a kill, `memory` does not. */
export type RecordAnswer =
  | { readonly kind: 'accepted'; readonly eventId: string; readonly kept: 'disk' | 'memory' }
  | RefusedEvent
  | { readonly kind: 'refused'; readonly reason: 'full' | 'closed'; readonly detail: string };

export interface ClientStatus {
  readonly accepted: number;
  readonly refused: number;
  /** Confirmed by the queue; what an earlier process left counts here, too. */
  readonly sent: number;
  readonly lost: number;
  /** Calls that were made and of which no event could be recorded; each was told to `onUnmetered`. */
  readonly unmetered: number;
  /** These events are in memory: not packed yet, or on the way. */
  readonly waitingEvents: number;
  readonly waitingBytes: number;
  readonly folderBytes: number;
  /** Whether the last call to the queue failed. */
  readonly queueAway: boolean;
}

/** What records calls: the wrappers of providers' packages need no more of the client. */
export interface CallMeter {
  readonly clock: Clock;
  /**
   * Takes an event; tags that it leaves out are those of `withUsage`. It never throws and never waits
   * for the queue.
   */
  record(event: NewEvent): RecordAnswer;
  /** Records the event of a call that was watched; where it is refused, `onUnmetered` is told. */
  meter(event: NewEvent): RecordAnswer;
  /** A call was made of which no event can be made at all. */
  unmetered(call: UnmeteredCall): void;
  /** Does a turn later what no call is to wait for, and before the client tells anything or ends. */
  later(work: () => void): void;
  /**
   * Records a call that is over: with a folder before its answer is handed on, so that a kill loses no call whose answer
   * the application has; without one a turn later, since memory is lost either way.
   */
  afterwards(record: () => void): void;
}

export interface EventRecorder extends CallMeter {
  /** Resolves when half of the memory is free: what a producer faster than the queue awaits. */
  room(): Promise<void>;
  /** Sends what waits now; answers whether the queue has everything within the time. */
  flush(options?: { readonly deadlineMs?: number }): Promise<boolean>;
  status(): ClientStatus;
  /** Takes nothing more, sends what waits, and leaves the rest on disk; what cannot be left is lost. */
  close(options?: { readonly deadlineMs?: number }): Promise<ClientStatus>;
}
