/** The only file that asks what time it is. Instants are epoch milliseconds, UTC. */

/** Epoch milliseconds. */
export type InstantMs = number;

export type Clock = () => InstantMs;

export const systemClock: Clock = () => Date.now();

/** RFC 3339 in UTC with milliseconds, such as `2026-10-01T00:00:00.000Z`. */
export function formatInstant(instant: InstantMs): string {
  return new Date(instant).toISOString();
}

/** The UTC day of an instant, such as `2026-10-01`. */
export function utcDay(instant: InstantMs): string {
  return formatInstant(instant).slice(0, 10);
}

/** Resolves after so many milliseconds, or at once when the signal is aborted. Never rejects. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done, { once: true });
  });
}
