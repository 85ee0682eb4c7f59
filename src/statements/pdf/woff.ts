import { inflateSync } from 'node:zlib';

const WOFF_HEADER = 44;
const WOFF_ENTRY = 20;
const SFNT_HEADER = 12;
const SFNT_ENTRY = 16;

/**
 * Returns the plain font (sfnt) that a WOFF 1.0 file holds compressed, table by table. A document
 * reads a font's tables many times, and its library would unfold each of them again for every
 * document. Source: https://www.w3.org/TR/WOFF/, sections 3 and 4.
 */
export function unfoldWoff(woff: Buffer): Buffer {
  if (woff.toString('latin1', 0, 4) !== 'wOFF') throw new Error('the file is not a WOFF 1.0 font');
  const count = woff.readUInt16BE(12);
  const sfnt = Buffer.alloc(woff.readUInt32BE(16));
  const power = Math.floor(Math.log2(count));
  woff.copy(sfnt, 0, 4, 8);
  sfnt.writeUInt16BE(count, 4);
  sfnt.writeUInt16BE(16 * 2 ** power, 6);
  sfnt.writeUInt16BE(power, 8);
  sfnt.writeUInt16BE(16 * count - 16 * 2 ** power, 10);
  let end = SFNT_HEADER + count * SFNT_ENTRY;
  for (let index = 0; index < count; index += 1) {
    const entry = WOFF_HEADER + index * WOFF_ENTRY;
    const [offset, folded, length] = [4, 8, 12].map((at) => woff.readUInt32BE(entry + at));
    const bytes = woff.subarray(offset, (offset ?? 0) + (folded ?? 0));
    (folded === length ? bytes : inflateSync(bytes)).copy(sfnt, end);
    const place = SFNT_HEADER + index * SFNT_ENTRY;
    woff.copy(sfnt, place, entry, entry + 4);
    woff.copy(sfnt, place + 4, entry + 16, entry + 20);
    sfnt.writeUInt32BE(end, place + 8);
    sfnt.writeUInt32BE(length ?? 0, place + 12);
    // Each table begins on a multiple of four bytes.
    end += Math.ceil((length ?? 0) / 4) * 4;
  }
  return sfnt;
}
