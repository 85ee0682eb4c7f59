/** The media type of tables. */
export const CSV = 'text/csv; charset=utf-8';

/** The answer to a request. */
export interface Reply {
  readonly status: number;
  /** The media type of the body. */
  readonly type: string;
  /** A body that no string can hold comes in pieces. */
  readonly body: string | Uint8Array | Iterable<string>;
  readonly headers: Readonly<Record<string, string>>;
}

export function jsonReply(body: unknown, status = 200): Reply {
  return { status, type: 'application/json', body: toJson(body), headers: {} };
}

/**
 * Whole numbers beyond 2⁵³ are strings, and a bigint becomes one too. Asking a function about every field takes five times
 * as long, which a report of a thousand rows would wait for, so it is asked where there is a bigint alone.
 */
function toJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, (_, of) => (typeof of === 'bigint' ? String(of) : of));
  }
}

export function textReply(type: string, body: string | Uint8Array): Reply {
  return { status: 200, type, body, headers: {} };
}
