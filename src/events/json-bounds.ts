import { jsonIn } from '../text/json.ts';
import type { QuarantineReason } from './event.ts';

/** Deeper than any format here; JSON.stringify and the validators recurse. */
const DEEPEST_NESTING = 64;

/** Events of one message, or members of all its events: what is posted in one transaction. */
export const MOST_ITEMS = 10_000;

/**
 * Values of one message, each list and object counted as one. An honest event of 30 fields has 400 characters
 * and more, so that a message of 4 MiB has fewer; as objects they are some 30 MiB.
 */
export const MOST_VALUES = 300_000;

/** A text, an object or a count that is more than a worker can bear, or than any producer means. */
export class OutOfBounds extends Error {
  readonly reason: QuarantineReason;

  constructor(reason: QuarantineReason, detail: string) {
    super(detail);
    this.name = 'OutOfBounds';
    this.reason = reason;
  }
}

/**
 * Reads the value of a JSON text, or undefined when it is none. Throws `OutOfBounds` before any
 * object is made of a text that holds too much: a megabyte of `[0,0,…]` would be the end of a small
 * worker.
 */
export function readJson(text: string): unknown {
  checkBounds(text);
  return jsonIn(text);
}

/** Throws `OutOfBounds` where a text that may be JSON holds too much, with what was counted. */
export function checkBounds(text: string): void {
  const { deepest, longest, values } = measure(text);
  if (deepest > DEEPEST_NESTING) throw tooDeep();
  if (longest > MOST_ITEMS) {
    throw new OutOfBounds(
      'too_large',
      `a list or object of the message has ${longest} elements, more than ${MOST_ITEMS}; send smaller packs`,
    );
  }
  if (values > MOST_VALUES) throw tooManyValues(values);
}

/** The count is not known of what was not read to its end. */
export function tooManyValues(count: number | null = null): OutOfBounds {
  const counted = count ?? `more than ${MOST_VALUES}`;
  return new OutOfBounds(
    'too_large',
    `the message holds ${counted} values; ${MOST_VALUES} are read at the most, send smaller packs`,
  );
}

export function tooDeep(): OutOfBounds {
  return new OutOfBounds(
    'invalid_field',
    `the body is nested more than ${DEEPEST_NESTING} deep; a usage event is flat`,
  );
}

/** It says that a message has so many events, or members of events. */
export function tooManyItems(count: number): OutOfBounds {
  return new OutOfBounds(
    'too_large',
    `the message holds ${count} events or more, counted with their members; ${MOST_ITEMS} are taken, send smaller packs`,
  );
}

interface Measured {
  readonly deepest: number;
  /** Elements of the longest list or object. */
  readonly longest: number;
  readonly values: number;
}

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];

/** Commas at each depth; what is deeper than the limit needs no telling apart. */
const commas = new Uint32Array(DEEPEST_NESTING + 2);

/**
 * Judges a text by its brackets and commas, which costs a tenth of making its objects. A text that is no JSON
 * has a measure, too, which means nothing.
 */
function measure(json: string): Measured {
  let depth = 0;
  let deepest = 0;
  let longest = 0;
  let values = 1;
  commas[0] = 0;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(json, at);
    } else if (code === COMMA) {
      values += 1;
      const place = Math.min(depth, DEEPEST_NESTING + 1);
      const elements = (commas[place] ?? 0) + 1;
      commas[place] = elements;
      if (elements >= longest) longest = elements + 1;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      values += 1;
      depth += 1;
      commas[Math.min(depth, DEEPEST_NESTING + 1)] = 0;
      if (depth > deepest) deepest = depth;
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      if (depth > 0) depth -= 1;
    }
  }
  return { deepest, longest, values };
}

/**
 * Returns the place of the quote that ends the string begun here; the end of the text where none
 * does.
 */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let escapes = end;
    while (json.charCodeAt(escapes - 1) === BACKSLASH) escapes -= 1;
    if ((end - escapes) % 2 === 0) return end;
  }
  return json.length;
}

export function isTooDeep(value: unknown, depthLeft = DEEPEST_NESTING): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depthLeft === 0) return true;
  // JSON's objects have no fields but their own, and a list of their values would be made for nothing.
  for (const name in value) {
    const child = (value as Readonly<Record<string, unknown>>)[name];
    if (typeof child === 'object' && isTooDeep(child, depthLeft - 1)) return true;
  }
  return false;
}

/** Tells whether the JSON of a value has more characters than the limit; stops where it has. */
export function isLongerThan(value: unknown, limit: number): boolean {
  return left(value, limit) < 0;
}

function left(value: unknown, limit: number): number {
  if (typeof value === 'string') return limit - value.length - 2;
  if (typeof value !== 'object' || value === null) return limit - 1;
  let rest = limit - 2;
  for (const name in value) {
    if (rest < 0) return rest;
    const child = (value as Readonly<Record<string, unknown>>)[name];
    rest = left(child, Array.isArray(value) ? rest - 1 : rest - name.length - 4);
  }
  return rest;
}
