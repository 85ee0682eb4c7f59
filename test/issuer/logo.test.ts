import { expect, it } from 'vitest';
import { logoUri, readLogo } from '../../src/issuer/logo.ts';
import { samplePng } from '../statements/sample-png.ts';

/** The begin of a JPEG of 3 by 2 pixels: what says its size. */
const JPEG = Buffer.from(
  'ffd8ffe000104a46494600010100000100010000ffc0001108000200030301220002',
  'hex',
);

it('reads PNG and JPEG, and says what they are', () => {
  const png = samplePng(24, 8);
  expect(readLogo(logoUri(png))).toEqual({ type: 'image/png', bytes: png, width: 24, height: 8 });
  expect(readLogo(logoUri(JPEG))).toMatchObject({ type: 'image/jpeg', width: 3, height: 2 });
});

const CUT = samplePng(24, 8).subarray(0, 60);
const INTERLACED = Buffer.from(samplePng(24, 8));
INTERLACED[28] = 1;
const LARGE = Buffer.from(samplePng(24, 8));
LARGE.writeUInt32BE(2_001, 16);

it.each<[string, Buffer, string]>([
  ['no picture', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'neither PNG nor JPEG'],
  ['nothing', Buffer.alloc(0), 'neither PNG nor JPEG'],
  ['a PNG that is cut off', CUT, 'is a PNG that is cut off'],
  ['an interlaced PNG', INTERLACED, 'interlaced'],
  ['more pixels than a page has', LARGE, '2001 by 8 pixels'],
  ['more than 64 KiB', Buffer.concat([JPEG, Buffer.alloc(65_536)]), 'may have 65,536'],
  ['a JPEG without a size', JPEG.subarray(0, 12), 'is a broken JPEG'],
])('refuses %s', (_what, bytes, why) => {
  expect(() => logoUri(bytes)).toThrow(why);
});

it('refuses what is called another picture than it is, and what is no data URI', () => {
  const png = logoUri(samplePng(24, 8));
  expect(() => readLogo(png.replace('png', 'jpeg'))).toThrow('is called image/jpeg');
  expect(() => readLogo('https://northwind.example/logo.png')).toThrow('no data URI');
});
