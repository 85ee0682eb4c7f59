/** The only file that asks what time it is. Instants are epoch milliseconds, UTC. */

/** Epoch milliseconds. */
export type InstantMs = number;

export type Clock = () => InstantMs;

export const systemClock: Clock = () => Date.now();

/** RFC 3339 in UTC with milliseconds, such as `2026-10-01T00:00:00.000Z`; since ever, `-infinity`. */
export function formatInstant(instant: InstantMs): string {
  if (instant === Number.NEGATIVE_INFINITY) return '-infinity';
  return new Date(instant).toISOString();
}

/**
 * Reads RFC 3339 or Postgres's own form; `-infinity` is since ever. Throws on anything else, since
 * whoever calls has already validated the text or has it from the database.
 */
export function parseInstant(text: string): InstantMs {
  if (text === '-infinity') return Number.NEGATIVE_INFINITY;
  const instant = Date.parse(text.replace(/([+-]\d\d)$/, '$1:00'));
  if (Number.isNaN(instant)) throw new Error(`"${text}" is not an instant`);
  return instant;
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
