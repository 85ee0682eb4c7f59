import { formatInstant, type InstantMs } from '../../clock.ts';

/** The text format of Postgres's COPY; each value has one form, and it is Postgres's own. */
export type CopyText = string | number | bigint;

export const NULL = '\\N';

const SPECIAL = /[\\\t\n\r]/;

export function escapeText(value: string): string {
  if (!SPECIAL.test(value)) return value;
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('\t', '\\t')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
}

const SIGNS: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '\\': '\\' };

/**
 * Returns what a text says, as it was before it was escaped; null where it says that there is
 * nothing.
 */
export function unescapeText(text: string): string | null {
  if (text === NULL) return null;
  return text.replace(/\\(.)/g, (_, sign: string) => SIGNS[sign] ?? sign);
}

export function nullableText(value: string | null): string {
  return value === null ? NULL : escapeText(value);
}

export function numberText(value: bigint | null): CopyText {
  return value ?? NULL;
}

export function instantText(value: InstantMs | null): string {
  return value === null ? NULL : formatInstant(value);
}

export function booleanText(value: boolean): string {
  return value ? 't' : 'f';
}

/** Writes an object as jsonb does: shorter keys first, and spaces after colons and commas. */
export function jsonText(object: Readonly<Record<string, string | number>>): string {
  const members = Object.keys(object)
    .map((name) => ({ bytes: Buffer.from(name), name }))
    .sort((a, b) => a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes))
    .map(({ name }) => `${JSON.stringify(name)}: ${JSON.stringify(object[name])}`);
  return `{${members.join(', ')}}`;
}
