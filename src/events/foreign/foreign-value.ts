import { checkBounds } from '../json-bounds.ts';

/** Reading JSON that nobody has checked yet. Only own properties count, so `__proto__` is a plain name. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value under a path of property names, or undefined where the path ends early. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const name of path) {
    if (!isObject(current) || !Object.hasOwn(current, name)) return undefined;
    current = current[name];
  }
  return current;
}

/**
 * Returns the first value that says something. Gateways write an empty string where they know
 * nothing.
 */
export function firstGiven(...candidates: readonly unknown[]): unknown {
  return candidates.find((value) => value !== undefined && value !== null && value !== '');
}

/** A shorter text holds too little to be a danger. */
const MEASURED_CHARACTERS = 16_384;

/**
 * The value of a JSON text, or undefined when it is no text, not JSON (a truncated attribute), or holds more
 * than a worker can bear.
 */
export function parseJson(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    if (text.length > MEASURED_CHARACTERS) checkBounds(text);
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Reads the value of a JSON text, or of the text that Python makes of a dictionary (`{'a': 1, 'b':
 * None}`), which exporters send where they forgot to encode it. Texts with quotes or backslashes in
 * them are not read.
 */
export function parseLoose(text: unknown): unknown {
  const parsed = parseJson(text);
  if (parsed !== undefined || typeof text !== 'string' || !/^\s*[{[]/.test(text)) return parsed;
  if (text.includes('"') || text.includes('\\')) return undefined;
  const json = text
    .replaceAll("'", '"')
    .replaceAll(/\bNone\b/g, 'null')
    .replaceAll(/\bTrue\b/g, 'true')
    .replaceAll(/\bFalse\b/g, 'false');
  return parseJson(json);
}

/** Leaves out what is undefined, so that the schema sees an absent field and not an empty one. */
export function withoutAbsent(fields: object): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/**
 * The five attribution tags under their native names, or under `customer_id`, which means the tenant; callers
 * whose language writes names so have them in camel case. Of several places the first one that has a tag under any of
 * its names says it. Where that one gives two tenants, the event has both, and is refused as a native one is.
 */
export function attributionTags(...places: readonly ((name: string) => unknown)[]): JsonObject {
  const givenUnder = (names: readonly string[]): readonly unknown[] => {
    for (const look of places) {
      const given = names.map((name) => firstGiven(look(name))).filter((tag) => tag !== undefined);
      if (given.length > 0) return given;
    }
    return [];
  };
  const { tenant_id: tenantNames, ...others } = NAMES_OF_TAGS;
  const [tenant, ...tenants] = givenUnder(tenantNames);
  return {
    tenant_id: tenant,
    [OTHER_TENANT]: tenants.find((other) => String(other) !== String(tenant)),
    ...Object.fromEntries(
      Object.entries(others).map(([tag, names]) => [tag, givenUnder(names)[0]]),
    ),
  };
}

/** Where an event has the second of two tenants, which a native event may not have either. */
export const OTHER_TENANT = 'customer_id';

const NAMES_OF_TAGS = {
  tenant_id: ['tenant_id', 'customer_id', 'tenantId', 'customerId'],
  user_id: ['user_id', 'userId'],
  feature: ['feature'],
  agent_run_id: ['agent_run_id', 'agentRunId'],
  prompt_version: ['prompt_version', 'promptVersion'],
} as const;

/** The names under which attribution tags are looked up. */
export const ATTRIBUTION_NAMES: readonly string[] = Object.values(NAMES_OF_TAGS).flat();

/** This many tags of a caller's metadata are kept, which leaves room for the translator's own. */
const MOST_FURTHER_TAGS = 16;
const LONGEST_TAG_NAME = 100;

/**
 * What of a caller's metadata can be further tags: texts and numbers. Metadata is the caller's own and may
 * hold anything; what is no tag is left out, so that it does not cost the event.
 */
export function furtherTags(metadata: unknown): JsonObject {
  if (!isObject(metadata)) return {};
  const tags = Object.entries(metadata).filter(([name, value]) => isFurtherTag(name, value));
  return Object.fromEntries(tags.slice(0, MOST_FURTHER_TAGS));
}

function isFurtherTag(name: string, value: unknown): boolean {
  if (ATTRIBUTION_NAMES.includes(name) || name === '__proto__') return false;
  if (name.length === 0 || name.length > LONGEST_TAG_NAME) return false;
  if (typeof value === 'number' || typeof value === 'boolean') return true;
  return typeof value === 'string' && value.length > 0;
}

/** Answers undefined instead of an object without properties. */
export function unlessEmpty(object: JsonObject): JsonObject | undefined {
  return Object.keys(object).length === 0 ? undefined : object;
}
