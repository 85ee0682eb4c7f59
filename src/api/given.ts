import { isDeepStrictEqual } from 'node:util';
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
  endpoint: 'endpoint_id',
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
 * where it may be. Throws a `Refusal` that names what is no field of the request, and a field that is given twice and
 * otherwise: one of the two would be passed over in silence.
 */
export function givenBy(
  { fields }: Pick<Route, 'fields'>,
  { path, query, body }: Said,
): JsonObject {
  refuseUnknown([...Object.keys(body ?? {}), ...query.keys()], fields);
  const said = new Map<string, SaidField>();
  const say = (name: string, read: (field: string) => unknown) => {
    const field = fieldNamed(name, fields);
    const [before, value] = [said.get(field), read(field)];
    // What may be left out says nothing as null, either.
    if (before === undefined || before.value === null) said.set(field, { name, value });
    else if (value !== null) {
      refuseOther(field, before, { name, value });
      // What stands in the path or the query was read in the form that the field has.
      said.set(field, { name, value });
    }
  };
  for (const [name, value] of Object.entries(body ?? {})) say(name, () => value);
  for (const name of new Set(query.keys())) {
    say(name, (field) => readTexts(query.getAll(name), fields[field], name));
  }
  for (const [name, value] of Object.entries(path)) {
    say(name, (field) => readTexts([value], fields[field], name));
  }
  const given = Object.entries(fields).flatMap(([name, { otherwise }]) =>
    otherwise === undefined ? [] : [[name, otherwise] as const],
  );
  return Object.fromEntries([...given, ...[...said].map(([name, { value }]) => [name, value])]);
}

/** What was said of a field, and by which of its names. */
interface SaidField {
  readonly name: string;
  readonly value: unknown;
}

function refuseOther(field: string, before: SaidField, other: SaidField): void {
  if (isDeepStrictEqual(asText(before.value), asText(other.value))) return;
  const shown = ({ name, value }: SaidField) => `${name} ${JSON.stringify(value).slice(0, 100)}`;
  throw new Refusal(
    'bad_request',
    `the request says ${field} twice, and not the same: ${shown(before)}, and ${shown(other)}`,
    'say it once, in the path where it stands there',
  );
}

/** A number or a truth is the same where it stands as a text, as in a path. */
function asText(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
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
