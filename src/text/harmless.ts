/** What a terminal acts upon, or shows in another order than it stands. */
const CONTROLS = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** What follows an escape where it makes text bold, red or green, as commands of ours do, or plain again. */
const OURS = /^\[(?:1|22|31|32|39)m/;

/**
 * Returns the text with every control written out, as `\u001b`: cursor moves, titles and links that
 * a producer or a tenant wrote are never acted upon. What is left are line ends and our own
 * colours.
 */
export function harmless(text: string): string {
  return text.replace(CONTROLS, (control, at: number) => {
    if (control === '\n' || (control === '\r' && text[at + 1] === '\n')) return control;
    if (control === '\u001b' && OURS.test(text.slice(at + 1, at + 5))) return control;
    return writtenOut(control);
  });
}

/** The same of one value within a line, which has no line ends and no colours. */
export function harmlessValue(value: string): string {
  return value.replace(CONTROLS, writtenOut);
}

/**
 * Writes the controls out in every value of an answer. An address has line ends, and who sets one
 * is an operator.
 */
export function harmlessDocument<Document>(document: Document): Document {
  return harmlessWithin('', document) as Document;
}

function harmlessWithin(name: string, value: unknown): unknown {
  if (typeof value === 'string') return name === 'address' ? harmless(value) : harmlessValue(value);
  if (Array.isArray(value)) return value.map((one) => harmlessWithin(name, one));
  if (value === null || typeof value !== 'object') return value;
  const fields = Object.entries(value).map(([field, inner]) => [
    harmlessValue(field),
    harmlessWithin(field, inner),
  ]);
  return Object.fromEntries(fields);
}

function writtenOut(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
