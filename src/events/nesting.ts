/** Deeper than any format here; JSON.stringify and the validators recurse. */
export const DEEPEST_NESTING = 64;

const QUOTE = 34;
const BACKSLASH = 92;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];

/**
 * Judges a text that is JSON by its brackets, which costs a tenth of a walk through what it holds.
 */
export function isTextTooDeep(json: string): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(json, at);
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      depth += 1;
      if (depth > DEEPEST_NESTING) return true;
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      depth -= 1;
    }
  }
  return false;
}

/** The place of the quote that ends the string begun here. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); ; end = json.indexOf('"', end + 1)) {
    let escapes = end;
    while (json.charCodeAt(escapes - 1) === BACKSLASH) escapes -= 1;
    if ((end - escapes) % 2 === 0) return end;
  }
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
