import { at, isObject, parseLoose } from '../foreign/foreign-value.ts';

/** A map, since attribute names come from outside and one may be called `__proto__`. */
export type Attributes = ReadonlyMap<string, unknown>;

/** An attribute nested deeper than this carries content, never usage; its value reads as absent. */
const NESTING_LIMIT = 16;

/**
 * Reads the attributes of a span or a resource. The protocol sends a list of keys and typed values;
 * exporters written by hand send a plain object, which says the same and is read as well.
 */
export function readAttributes(attributes: unknown): Attributes {
  if (Array.isArray(attributes)) return new Map(attributes.flatMap(keyAndValue));
  if (isObject(attributes)) return new Map(Object.entries(attributes));
  return new Map();
}

function keyAndValue(attribute: unknown): [string, unknown][] {
  const key = at(attribute, 'key');
  if (typeof key !== 'string') return [];
  return [[key, plainValue(at(attribute, 'value'), NESTING_LIMIT)]];
}

/** Returns what one of the protocol's typed values holds. */
export function plainValue(value: unknown, nestingLeft = NESTING_LIMIT): unknown {
  if (!isObject(value) || nestingLeft === 0) return undefined;
  if ('intValue' in value) return plainInteger(value['intValue']);
  if ('arrayValue' in value) {
    const values = at(value, 'arrayValue', 'values');
    return Array.isArray(values)
      ? values.map((item) => plainValue(item, nestingLeft - 1))
      : undefined;
  }
  if ('kvlistValue' in value) return plainObject(at(value, 'kvlistValue', 'values'), nestingLeft);
  return Object.values(value)[0];
}

function plainObject(values: unknown, nestingLeft: number): unknown {
  if (!Array.isArray(values)) return undefined;
  const entries = values.flatMap((item): [string, unknown][] => {
    const key = at(item, 'key');
    if (typeof key !== 'string' || key === '__proto__') return [];
    return [[key, plainValue(at(item, 'value'), nestingLeft - 1)]];
  });
  return Object.fromEntries(entries);
}

/** JSON writes a 64-bit integer as a number or as digits in a string. */
function plainInteger(value: unknown): unknown {
  if (typeof value !== 'string' || !/^-?\d{1,16}$/.test(value)) return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Returns the first of these attributes that says something. */
export function firstAttribute(attributes: Attributes, names: readonly string[]): unknown {
  for (const name of names) {
    const value = attributes.get(name);
    if (value !== undefined && value !== null && value !== '') return value;
  }
  return undefined;
}

/**
 * Returns what an attribute holds that carries an object as JSON, as the text of a Python
 * dictionary, or as itself.
 */
export function objectAt(attributes: Attributes, name: string): unknown {
  const value = attributes.get(name);
  return isObject(value) || Array.isArray(value) ? value : parseLoose(value);
}
