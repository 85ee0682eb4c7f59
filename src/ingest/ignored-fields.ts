/**
 * Finds what of a message nobody reads, without knowing its format: a value is ignored where another one in
 * its place changes nothing of what the message becomes. Names of fields alone are told, never a value.
 */

/** Values of each kind that nothing expects; a field that is read comes out otherwise with one of them. */
const STRANGERS: readonly unknown[] = ['spanledger-check', 987_654_321];

/** Readings at the most, which is a few seconds. */
export const MOST_TRIES = 4_000;

/** What the message becomes, as one text that differs where anything of it differs. */
export type Reading = (message: unknown) => string;

export interface FieldUse {
  /** Paths without the places in lists, such as `spans[].name`. */
  readonly ignored: ReadonlySet<string>;
  readonly used: ReadonlySet<string>;
  readonly tries: number;
}

/** Tries every field of the message; null where that is more than is left to be tried. */
export function findIgnored(message: unknown, read: Reading, tries: number): FieldUse | null {
  const search: Search = {
    read,
    before: read(message),
    left: tries,
    used: new Set(),
    ignored: new Set(),
  };
  const finished = tryAt(search, { value: message, path: '', put: (value) => value });
  if (!finished) return null;
  return { ignored: search.ignored, used: search.used, tries: tries - search.left };
}

interface Search {
  readonly read: Reading;
  readonly before: string;
  left: number;
  readonly used: Set<string>;
  readonly ignored: Set<string>;
}

interface Place {
  readonly value: unknown;
  readonly path: string;
  /** The whole message with another value here. */
  readonly put: (value: unknown) => unknown;
}

/** A part of which no value matters is named as a whole; else each part of it is tried. False ends it. */
function tryAt(search: Search, place: Place): boolean {
  if (search.left < STRANGERS.length) return false;
  search.left -= STRANGERS.length;
  const changes = STRANGERS.some(
    (stranger) => search.read(place.put(withStrangers(place.value, stranger))) !== search.before,
  );
  if (!changes) {
    search.ignored.add(place.path);
    return true;
  }
  const parts = partsOf(place);
  if (parts.length === 0) search.used.add(place.path);
  return parts.every((part) => tryAt(search, part));
}

function withStrangers(value: unknown, stranger: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withStrangers(item, stranger));
  if (typeof value !== 'object' || value === null) return stranger;
  const fields = Object.entries(value).map(([name, inner]) => [
    name,
    // The names of OTLP's attributes are no values.
    name === 'key' && typeof inner === 'string' ? inner : withStrangers(inner, stranger),
  ]);
  return Object.fromEntries(fields);
}

function partsOf({ value, path, put }: Place): readonly Place[] {
  if (Array.isArray(value)) {
    return value.map((item, index) => ({
      value: item,
      path: `${path}[${attributeName(item)}]`,
      put: (other) => put(value.with(index, other)),
    }));
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value)
    .filter(([name]) => !(name === 'key' && attributeName(value) !== ''))
    .map(([name, inner]) => ({
      value: inner,
      path: path === '' ? name : `${path}.${name}`,
      put: (other) => put({ ...value, [name]: other }),
    }));
}

/** OTLP writes an object as a list of its fields, `{key, value}`. */
function attributeName(item: unknown): string {
  if (typeof item !== 'object' || item === null || !('key' in item) || !('value' in item))
    return '';
  return typeof item.key === 'string' ? item.key : '';
}
