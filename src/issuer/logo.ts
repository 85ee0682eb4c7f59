import { inflateSync } from 'node:zlib';
import { Refusal } from '../refusal.ts';

/** A picture that HTML embeds and PDF draws. */
export interface Logo {
  readonly type: 'image/png' | 'image/jpeg';
  readonly bytes: Buffer;
  readonly width: number;
  readonly height: number;
}

/** It stands in every statement, so that a large one would make each of them large. */
const MOST_BYTES = 64 * 1024;
const MOST_PIXELS = 2_000;

/** Reads the logo in a data URI. Throws a `Refusal` for what is none, or what no PDF could draw. */
export function readLogo(uri: string): Logo {
  const [, type = '', base64 = ''] = /^data:([\w/+.-]+);base64,([A-Za-z0-9+/]+=*)$/.exec(uri) ?? [];
  if (base64 === '') refuse('is no data URI in base64');
  return parseLogo(Buffer.from(base64, 'base64'), type);
}

/** Returns the data URI of the bytes of a file. */
export function logoUri(bytes: Buffer): string {
  const { type } = parseLogo(bytes, null);
  return `data:${type};base64,${bytes.toString('base64')}`;
}

function parseLogo(bytes: Buffer, said: string | null): Logo {
  if (bytes.length > MOST_BYTES) {
    refuse(`has ${bytes.length.toLocaleString('en-US')} bytes, and may have 65,536`);
  }
  const logo = parsePng(bytes) ?? parseJpeg(bytes) ?? refuse('is neither PNG nor JPEG');
  if (said !== null && said !== logo.type) refuse(`is ${logo.type}, and is called ${said}`);
  const { width, height } = logo;
  if (width < 1 || height < 1 || width > MOST_PIXELS || height > MOST_PIXELS) {
    refuse(`is ${width} by ${height} pixels, and may be 2,000 by 2,000`);
  }
  return logo;
}

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
/** How many samples a pixel has, by the color type. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Its pixels are unpacked, too: a picture that is cut off would fail only when a statement is drawn. */
function parsePng(bytes: Buffer): Logo | null {
  if (!bytes.subarray(0, 8).equals(PNG_SIGNATURE)) return null;
  if (bytes.length < 33 || bytes.toString('latin1', 12, 16) !== 'IHDR') refuse('is a broken PNG');
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const [bits = 0, color = 0, , , interlaced = 0] = bytes.subarray(24, 29);
  const samples = SAMPLES[color];
  if (interlaced !== 0) refuse('is an interlaced PNG, which no PDF shows');
  if (samples === undefined || bits > 8) refuse('is a PNG of more than 8 bits a color');
  const logo = { type: 'image/png', bytes, width, height } as const;
  if (width > MOST_PIXELS || height > MOST_PIXELS) return logo;
  const size = height * (1 + Math.ceil((width * samples * bits) / 8));
  if (unpackedSize(bytes, size) !== size) refuse('is a PNG that is cut off');
  return logo;
}

function unpackedSize(bytes: Buffer, most: number): number {
  const parts: Buffer[] = [];
  let at = 8;
  while (at + 8 <= bytes.length) {
    const length = bytes.readUInt32BE(at);
    const name = bytes.toString('latin1', at + 4, at + 8);
    if (name === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  try {
    return inflateSync(Buffer.concat(parts), { maxOutputLength: most + 1 }).length;
  } catch {
    return -1;
  }
}

/** The markers of a frame, of whatever coding; the three between them begin no frame. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

function parseJpeg(bytes: Buffer): Logo | null {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return null;
  let at = 2;
  while (at + 9 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    if (isFrame(marker)) {
      const [height, width] = [bytes.readUInt16BE(at + 5), bytes.readUInt16BE(at + 7)];
      return { type: 'image/jpeg', bytes, width, height };
    }
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return refuse('is a broken JPEG');
}

function refuse(why: string): never {
  throw new Refusal(
    'bad_document',
    `the logo ${why}`,
    'give a PNG or JPEG of at most 64 KiB, such as 600 by 200 pixels',
  );
}
