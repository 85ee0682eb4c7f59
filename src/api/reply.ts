/** What a request is answered with. */
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

/** Whole numbers beyond 2⁵³ are strings; a bigint becomes one too. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, of) => (typeof of === 'bigint' ? String(of) : of));
}

export function textReply(type: string, body: string | Uint8Array): Reply {
  return { status: 200, type, body, headers: {} };
}
