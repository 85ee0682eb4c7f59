/**
 * Finds values in the text of JSON without building them: a request may hold megabytes of pictures and an answer
 * megabytes of vectors, and of either only a few members matter. Strings are jumped over, so that what is
 * long costs no more than what is short. The text is that of a well-formed document; of any other it finds nothing.
 */

/** A value's place in the text, half-open. */
export interface Slice {
  readonly start: number;
  readonly end: number;
}

/**
 * Returns the members of the object that begins here; null where none does, or its text is cut off.
 */
export function membersOf(text: string, start = 0): ReadonlyMap<string, Slice> | null {
  const members = new Map<string, Slice>();
  let at = skipSpace(text, start);
  if (text[at] !== '{') return null;
  at = skipSpace(text, at + 1);
  while (text[at] === '"') {
    const nameEnd = skipString(text, at);
    const valueStart = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = skipValue(text, valueStart);
    if (nameEnd < 0 || end < 0) return null;
    members.set(text.slice(at + 1, nameEnd - 1), { start: valueStart, end });
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return text[at] === '}' ? members : null;
}

/** Returns the elements of an array; none where the value is no array. */
export function elementsOf(text: string, { start, end }: Slice): readonly Slice[] {
  const elements: Slice[] = [];
  if (text[start] !== '[') return elements;
  let at = skipSpace(text, start + 1);
  while (at < end - 1) {
    const elementEnd = skipValue(text, at);
    if (elementEnd < 0) return elements;
    elements.push({ start: at, end: elementEnd });
    at = skipSpace(text, elementEnd);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return elements;
}

/** Reads the value itself; undefined where there is none, or it cannot be read. */
export function readValue(text: string, slice: Slice | undefined): unknown {
  if (slice === undefined) return undefined;
  try {
    return JSON.parse(text.slice(slice.start, slice.end));
  } catch {
    return undefined;
  }
}

/**
 * Counts the characters of the strings in a value; of pictures and sound none, since they are no
 * text.
 */
export function charactersIn(text: string, { start, end }: Slice): number {
  let characters = 0;
  for (let at = text.indexOf('"', start); at >= 0 && at < end; at = text.indexOf('"', at)) {
    const after = skipString(text, at);
    if (after < 0) break;
    if (!isMedia(text, at + 1, after - 1)) characters += after - at - 2;
    at = after;
  }
  return characters;
}

const SHORTEST_MEDIA = 1_000;

/** Tells whether a text is a URL of data, or a long word of base64. */
function isMedia(text: string, start: number, end: number): boolean {
  if (text.startsWith('data:', start)) return true;
  return end - start > SHORTEST_MEDIA && /^[\w+/=-]{200}/.test(text.slice(start, start + 200));
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= 32) at += 1;
  return at;
}

/** Returns the place after the string whose first quote is here; -1 where it does not end. */
function skipString(text: string, from: number): number {
  let at = from;
  for (;;) {
    at = text.indexOf('"', at + 1);
    if (at < 0) return -1;
    let before = at - 1;
    while (text.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((at - before) % 2 === 1) return at + 1;
  }
}

const BACKSLASH = 92;

function skipValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return skipString(text, from);
  if (first !== '{' && first !== '[') {
    const end = nextMatch(/[,\]}\s]/g, text, from);
    return end === from ? -1 : end;
  }
  let depth = 0;
  for (let at = from; at < text.length; at = nextMatch(/["{}[\]]/g, text, at)) {
    const character = text[at];
    if (character === '"') {
      at = skipString(text, at);
      if (at < 0) return -1;
      continue;
    }
    depth += character === '{' || character === '[' ? 1 : -1;
    at += 1;
    if (depth === 0) return at;
  }
  return -1;
}

/** Returns the place of the next match, or the end of the text. */
export function nextMatch(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}
