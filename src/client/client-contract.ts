import type { Clock } from '../clock.ts';
import type { Encoding } from './message-body.ts';
import type { NewEvent, RefusedEvent } from './new-event.ts';

/** What an application sees of the client: its options, its answers, its counters. */

export interface ClientOptions {
  /** A standard queue. */
  readonly queueUrl: string;
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
  /** The queue or the folder does not do its part; events wait. */
  readonly onTrouble?: (trouble: Trouble) => void;
  readonly clock?: Clock;
}

export interface Loss {
  readonly reason: string;
  /** The events as JSON, so that whoever is told can keep them. */
  readonly events: readonly string[];
  /** Whether they stand in `set-aside.jsonl` in the folder. */
  readonly setAside: boolean;
}

export interface Trouble {
  readonly kind: 'queue' | 'folder';
  readonly error: unknown;
}

/** What became of one event. `disk` survives a kill, `memory` does not. */
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
  /** These events are in memory: not packed yet, or on the way. */
  readonly waitingEvents: number;
  readonly waitingBytes: number;
  readonly folderBytes: number;
  /** Whether the last call to the queue failed. */
  readonly queueAway: boolean;
}

export interface UsageClient {
  /** Takes an event. It never throws and never waits for the queue. */
  record(event: NewEvent): RecordAnswer;
  /** Resolves when half of the memory is free: what a producer faster than the queue awaits. */
  room(): Promise<void>;
  /** Sends what waits now; answers whether the queue has everything within the time. */
  flush(options?: { readonly deadlineMs?: number }): Promise<boolean>;
  status(): ClientStatus;
  /** Takes nothing more, sends what waits, and leaves the rest on disk; what cannot be left is lost. */
  close(options?: { readonly deadlineMs?: number }): Promise<ClientStatus>;
}
