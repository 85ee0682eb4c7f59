import { AsyncLocalStorage } from 'node:async_hooks';

/** Whoever waits in the simulation: its pauses pass as the simulation's own clock does. */
export interface Waiter {
  pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void>;
}

const waiters = new AsyncLocalStorage<Waiter>();

/** Runs work of which every pause is the waiter's. */
export function asWaiter<Result>(waiter: Waiter, work: () => Result): Result {
  return waiters.run(waiter, work);
}

/** Stands in the place of `pause` of src/clock.ts; whoever is nobody of the simulation does not wait. */
export function virtualPause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const waiter = waiters.getStore();
  return waiter === undefined ? nextTurnOfLoop() : waiter.pause(milliseconds, signal);
}

export function nextTurnOfLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
