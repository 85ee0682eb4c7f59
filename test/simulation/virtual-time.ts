import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../../src/clock.ts';
import type { Tried } from '../../src/webhooks/delivery-client.ts';
import type { Signed } from './receiver.ts';

/** Whoever waits in the simulation: its pauses pass as the simulation's own clock does. */
export interface Waiter {
  pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void>;
  /** Asks a receiver of webhooks. */
  tell(signed: Signed): Promise<Tried>;
}

const waiters = new AsyncLocalStorage<Waiter | null>();

/** Runs work of which every pause is the waiter's. */
export function asWaiter<Result>(waiter: Waiter, work: () => Result): Result {
  return waiters.run(waiter, work);
}

/** Runs what goes on by itself in the world: its pauses are nobody's. */
export function outsideOfActors<Result>(work: () => Result): Result {
  return waiters.run(null, work);
}

export function isActor(): boolean {
  return (waiters.getStore() ?? null) !== null;
}

/** Stands in the place of `pause` of src/clock.ts; whoever is nobody of the simulation does not wait. */
export function virtualPause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const waiter = waiters.getStore() ?? null;
  return waiter === null ? nextTurnOfLoop() : waiter.pause(milliseconds, signal);
}

/** Stands in the place of `sendSigned` of src/webhooks/delivery-client.ts, whose network is no network here. */
export function virtualSendSigned(signed: Signed): Promise<Tried> {
  const waiter = waiters.getStore() ?? null;
  if (waiter === null) throw new Error('only actors tell receivers of anything');
  return waiter.tell(signed);
}

let clock: Clock = () => 0;

/** Stands in the place of `monotonicMs` of src/clock.ts: how long something takes is nothing that a seed may hang on. */
export function virtualMonotonicMs(): number {
  return clock();
}

export function measureBy(now: Clock): void {
  clock = now;
}

export function nextTurnOfLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
