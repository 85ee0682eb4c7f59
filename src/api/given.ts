import type { JsonObject } from '../events/foreign/foreign-value.ts';
import { Refusal } from '../refusal.ts';
import type { Fields, RequestField } from './fields-of.ts';
import type { Route } from './route.ts';

/** What a request says, before any schema. */
export interface Said {
  /** The values in the path, by their names. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The JSON body of an action; null for a question. */
  readonly body: JsonObject | null;
}

/** Short names by which requests name a field. */
const SHORT: Readonly<Record<string, string>> = {
  tenant: 'tenant_id',
  user: 'user_id',
  entry: 'entry_id',
  key: 'key_id',
  event: 'event_id',
  trace: 'trace_id',
  alert: 'alert_id',
  request: 'request_id',
  quarantined: 'quarantine_id',
  month: 'period',
  id: 'entry_id',
};

/** Returns the name of the field that a parameter means. */
export function fieldNamed(name: string, fields: Fields): string {
  const long = SHORT[name];
  return !Object.hasOwn(fields, name) && long !== undefined && Object.hasOwn(fields, long)
    ? long
    : name;
}

/**
 * The JSON of the use case's request, made of the path, the query and the body; what is not given is null
 * where it may be. Throws a `Refusal` that names what is no field of the request.
 */
export function givenBy(
  { fields }: Pick<Route, 'fields'>,
  { path, query, body }: Said,
): JsonObject {
  refuseUnknown([...Object.keys(body ?? {}), ...query.keys()], fields);
  const given: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (field.otherwise !== undefined) given[name] = field.otherwise;
  }
  for (const [name, value] of Object.entries(body ?? {})) {
    given[fieldNamed(name, fields)] = value;
  }
  for (const name of new Set(query.keys())) {
    const long = fieldNamed(name, fields);
    given[long] = readTexts(query.getAll(name), fields[long], name);
  }
  for (const [name, value] of Object.entries(path)) {
    const long = fieldNamed(name, fields);
    given[long] = readTexts([value], fields[long], name);
  }
  return given;
}

function refuseUnknown(names: readonly string[], fields: Fields): void {
  const unknown = names.filter((name) => !Object.hasOwn(fields, fieldNamed(name, fields)));
  if (unknown.length === 0) return;
  const known = Object.keys(fields).filter((name) => name !== 'actor');
  throw new Refusal(
    'bad_request',
    `the request has no ${[...new Set(unknown)].map((name) => JSON.stringify(name)).join(', no ')}`,
    known.length === 0 ? 'it takes nothing: leave it out' : `it takes ${known.join(', ')}`,
  );
}

function readTexts(
  texts: readonly string[],
  field: RequestField | undefined,
  name: string,
): unknown {
  if (field?.reads === 'list') {
    const parts = texts.flatMap((text) => text.split(','));
    return parts.map((part) => part.trim()).filter((part) => part !== '');
  }
  const [text = ''] = texts;
  if (texts.length > 1) refuseRepeated(name);
  if (field?.reads === 'integer') return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
  if (field?.reads === 'boolean') return text === '' ? true : (BOOLEANS[text] ?? text);
  return dayOf(text, field);
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  1: true,
  yes: true,
  false: false,
  0: false,
  no: false,
};

/** A UTC midnight is taken for its day, where a day is asked for. */
function dayOf(text: string, field: RequestField | undefined): string {
  const isDay = JSON.stringify(field?.schema ?? {}).includes('"format":"date"');
  const day = /^(\d{4}-\d{2}-\d{2})T00:00(?::00(?:\.0+)?)?Z$/.exec(text)?.[1];
  return isDay && day !== undefined ? day : text;
}

function refuseRepeated(name: string): never {
  throw new Refusal(
    'bad_request',
    `the parameter ${name} stands more than once`,
    'give it once; only lists are given again, or by commas',
  );
}
