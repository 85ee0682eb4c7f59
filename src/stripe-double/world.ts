import type { InstantMs } from '../clock.ts';
import type { Account } from './account.ts';
import type { DoubleClock } from './double-clock.ts';
import type { FaultQueue } from './fault.ts';
import type { HoldGate } from './hold-gate.ts';
import type { LifeCycle } from './life-cycle.ts';
import type { DoubleSettings } from './settings.ts';

/** All that one running double holds. */
export interface World {
  readonly clock: DoubleClock;
  readonly settings: DoubleSettings;
  /** The accounts stand by their API key. */
  readonly accounts: Map<string, Account>;
  readonly faults: FaultQueue;
  readonly gate: HoldGate;
  readonly lifeCycle: LifeCycle;
  readonly requests: RequestRecord[];
}

/** One request to the API, in the order of arrival. */
export interface RequestRecord {
  readonly method: string;
  readonly path: string;
  readonly idempotencyKey: string | null;
  readonly apiKey: string | null;
  /** The body as it came, so that a test can compare a resend byte by byte. */
  readonly body: string;
  readonly receivedAt: InstantMs;
  /** It is null while in flight, and when the connection was reset or cut instead of answered. */
  status: number | null;
  /** The kind of the fault that hit it. */
  fault: string | null;
}
