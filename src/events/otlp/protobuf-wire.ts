import { tooManyValues } from '../json-bounds.ts';
import { textOfBytes } from '../text-of-bytes.ts';

/**
 * The type says how a field's bytes are to be read; a function names the type of a message within
 * the message.
 */
type FieldType =
  | 'text'
  | 'hex'
  | 'base64'
  | 'boolean'
  | 'enum'
  | 'integer'
  | 'double'
  | 'nanos'
  | (() => MessageType);

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly repeated?: true;
}

/** The fields of a message by their numbers. A field that is not here is skipped. */
export type MessageType = ReadonlyMap<number, Field>;

/** Attributes may nest values without end; no producer of usage nests them this deep. */
const DEPTH_LIMIT = 32;

/** What of a message may still be read: the whole of it is one budget. */
export interface WireBudget {
  values: number;
}

/**
 * Reads one message in the way that protobuf maps to JSON: 64-bit times as digits, ids as the type says.
 * Throws an Error when the bytes end early, nest too deep or do not have the type's form, and `OutOfBounds`
 * when they hold more values than the budget has.
 */
export function readMessage(
  bytes: Buffer,
  type: MessageType,
  { budget, depth = 0 }: { readonly budget: WireBudget; readonly depth?: number },
): Record<string, unknown> {
  if (depth > DEPTH_LIMIT) {
    throw new Error(`the protobuf message nests deeper than ${DEPTH_LIMIT} levels`);
  }
  const message: Record<string, unknown> = {};
  const cursor: Cursor = { bytes, offset: 0 };
  while (cursor.offset < bytes.length) {
    const raw = readField(cursor);
    budget.values -= 1;
    if (budget.values < 0) throw tooManyValues();
    const field = type.get(raw.number);
    if (field !== undefined) {
      addTo(message, field, decode(raw, field, { budget, depth: depth + 1 }));
    }
  }
  return message;
}

/** Field names come from the message types and never from the bytes, so no name is a surprise. */
function addTo(message: Record<string, unknown>, field: Field, value: unknown): void {
  const earlier = message[field.name];
  if (field.repeated !== true) message[field.name] = value;
  else if (Array.isArray(earlier)) earlier.push(value);
  else message[field.name] = [value];
}

interface Cursor {
  readonly bytes: Buffer;
  offset: number;
}

/** A field as the wire has it: a number for a varint, else the bytes of its value. */
interface RawField {
  readonly number: number;
  readonly value: bigint | Buffer;
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

function readField(cursor: Cursor): RawField {
  const tag = Number(readVarint(cursor));
  const number = Math.floor(tag / 8);
  if (number === 0) throw new Error(`the protobuf field at byte ${cursor.offset} has no number`);
  return { number, value: readValue(cursor, tag % 8) };
}

function readValue(cursor: Cursor, wireType: number): bigint | Buffer {
  switch (wireType) {
    case VARINT:
      return readVarint(cursor);
    case FIXED64:
      return take(cursor, 8);
    case LENGTH_DELIMITED:
      return take(cursor, Number(readVarint(cursor)));
    case FIXED32:
      return take(cursor, 4);
    default:
      throw new Error(`the protobuf wire type ${wireType} at byte ${cursor.offset} is not in use`);
  }
}

const VARINT_BYTES = 10;

/** Seven bits a byte, the lowest first; the highest bit says that another byte follows. */
function readVarint(cursor: Cursor): bigint {
  const start = cursor.offset;
  let value = 0n;
  for (let index = 0; index < VARINT_BYTES; index += 1) {
    const byte = cursor.bytes[start + index];
    if (byte === undefined) throw new Error(`the protobuf message ends early, at byte ${start}`);
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) {
      cursor.offset = start + index + 1;
      return BigInt.asUintN(64, value);
    }
  }
  throw new Error(`the protobuf integer at byte ${start} is longer than ${VARINT_BYTES} bytes`);
}

function take(cursor: Cursor, length: number): Buffer {
  const { bytes, offset } = cursor;
  if (length > bytes.length - offset) {
    throw new Error(`the protobuf message ends early: ${length} bytes are due at byte ${offset}`);
  }
  cursor.offset += length;
  return bytes.subarray(offset, offset + length);
}

function decode(
  { value }: RawField,
  { name, type }: Field,
  within: { readonly budget: WireBudget; readonly depth: number },
): unknown {
  if (typeof value === 'bigint') {
    if (type === 'integer') return jsonInteger(BigInt.asIntN(64, value));
    if (type === 'enum') return Number(BigInt.asIntN(32, value));
    if (type === 'boolean') return value !== 0n;
  } else if (typeof type === 'function') return readMessage(value, type(), within);
  else if (type === 'text') return textOfBytes(value);
  else if (type === 'hex' || type === 'base64') return value.toString(type);
  else if (type === 'double' && value.length === 8) return value.readDoubleLE();
  else if (type === 'nanos' && value.length === 8) return value.readBigUInt64LE().toString();
  throw new Error(`the protobuf field ${name} is not encoded as its type requires`);
}

/** Returns a number where it is exact, else digits, as the JSON encoding allows. */
function jsonInteger(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
