import { constants, zstdCompressSync } from 'node:zlib';

/**
 * SQS bills every 64 KiB of a call as a request, so a larger message saves nothing. Half a KiB less
 * keeps ten of them below ten requests whatever the call adds to the bodies.
 */
export const LARGEST_MESSAGE_BYTES = 64 * 1024 - 512;

/** Ten of these fit one billed request as they are: compressing them would save nothing. */
const PLAIN_BYTES = 6 * 1024;

export type Encoding = 'zstd' | 'plain';

/** The bodies of one pack: more than one only where it compressed less than was expected. */
export interface EncodedBody<Event> {
  readonly events: readonly Event[];
  readonly body: string;
}

interface WithJson {
  readonly json: string;
}

/** Makes message bodies, each within the limit, that hold every event once and in order. */
export function encodeBodies<Event extends WithJson>(
  events: readonly Event[],
  encoding: Encoding,
): readonly EncodedBody<Event>[] {
  const body = encodeBody(events, encoding);
  if (body !== null) return [{ events, body }];
  if (events.length === 1) throw new Error('an event was packed that fits no message');
  const middle = Math.ceil(events.length / 2);
  return [
    ...encodeBodies(events.slice(0, middle), encoding),
    ...encodeBodies(events.slice(middle), encoding),
  ];
}

const PLAIN_HEAD = '{"events":';
/** Characters of a plain body besides the events and the commas between them. */
export const PLAIN_FRAME_BYTES = PLAIN_HEAD.length + '[]}'.length;

/** Tells whether the event alone fits a message, as it is or compressed. */
export function fitsMessage(json: string): boolean {
  const plainBytes = PLAIN_FRAME_BYTES + json.length;
  return plainBytes <= LARGEST_MESSAGE_BYTES || isWithinLimit(compress(`[${json}]`));
}

/** Answers null where the events are too much for one message. */
function encodeBody(events: readonly WithJson[], encoding: Encoding): string | null {
  const array = `[${events.map((event) => event.json).join(',')}]`;
  const plain = `${PLAIN_HEAD}${array}}`;
  if (plain.length <= PLAIN_BYTES || (encoding === 'plain' && isWithinLimit(plain))) return plain;
  // A single event that is too large as it is may fit when compressed, whatever was chosen.
  if (encoding === 'plain' && events.length > 1) return null;
  return [compress(array), plain].find(isWithinLimit) ?? null;
}

function isWithinLimit(body: string): boolean {
  return body.length <= LARGEST_MESSAGE_BYTES;
}

/** Level 1 makes packs as small as level 3 does, for a third of its time: what is left is random ids. */
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

function compress(array: string): string {
  return `{"encoding":"zstd","events":"${zstdCompressSync(array, FAST).toString('base64')}"}`;
}
