import { createHash } from 'node:crypto';
import { isStorable } from '../schema-parts.ts';
import { isObject, type JsonObject } from './foreign-value.ts';

/** The limits of the native event; what a foreign producer writes knows nothing of them. */
const LONGEST_TAG = 200;
const LONGEST_SOURCE = 100;
const LONGEST_RESPONSE_ID = 500;
const LONGEST_FURTHER_TAG = 500;
const LONGEST_FURTHER_NAME = 100;
const MOST_FURTHER_TAGS = 20;

/** Names under which an event may keep a text that is cut off where it is too long. */
const CUT: Readonly<Record<string, number>> = {
  user_id: LONGEST_TAG,
  feature: LONGEST_TAG,
  agent_run_id: LONGEST_TAG,
  prompt_version: LONGEST_TAG,
  error_type: 500,
};

/** Texts that tell one thing from another: too long, they are told apart by a digest of the whole. */
const IDENTIFYING: Readonly<Record<string, number>> = {
  event_id: LONGEST_TAG,
  source: LONGEST_SOURCE,
  tenant_id: LONGEST_TAG,
  customer_id: LONGEST_TAG,
  response_id: LONGEST_RESPONSE_ID,
  call_id: LONGEST_RESPONSE_ID,
  trace_id: LONGEST_TAG,
  span_id: LONGEST_TAG,
  parent_span_id: LONGEST_TAG,
};

/** The further tag that names what was cut off. */
const CUT_TAG = 'cut_off';

/**
 * An event out of a foreign message with its texts made storable: numbers that are ids become text, what
 * is too long is cut, and the event says so. Anything else of the wrong type is left for the schema to
 * refuse by name.
 */
export function tidyEvent(event: JsonObject): JsonObject {
  const cut: string[] = [];
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(event)) {
    if (CUT[name] !== undefined) {
      const text = isTag(name) ? tagText(name, value, cut) : textOf(value);
      fields[name] = cutText(name, text, { cut, most: CUT[name] });
    } else if (IDENTIFYING[name] !== undefined) {
      fields[name] = shortened(name, idText(value), { cut, most: IDENTIFYING[name] });
    } else fields[name] = value;
  }
  const tags = tidyTags(event['tags'], cut);
  return cut.length === 0 && tags === event['tags'] ? fields : { ...fields, ...withCut(tags, cut) };
}

function isTag(name: string): boolean {
  return name !== 'error_type';
}

/** A tag that is neither a text nor a number says nothing that could be asked for; it does not cost the event. */
function tagText(name: string, value: unknown, cut: string[]): unknown {
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'object' || value === null) return textOf(value);
  cut.push(name);
  return undefined;
}

/** What no text can hold is left for the schema to refuse: without it, two names would be one. */
function idText(value: unknown): unknown {
  return typeof value === 'string' && !isStorable(value) ? value : textOf(value);
}

/** Writes numbers, booleans and big integers as text, and leaves other values as they are. */
function textOf(value: unknown): unknown {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'string' ? storable(value) : value;
}

function storable(value: string): string {
  const wellFormed = value.isWellFormed() ? value : value.toWellFormed();
  return wellFormed.includes('\u0000') ? wellFormed.replaceAll('\u0000', '\uFFFD') : wellFormed;
}

interface Limit {
  readonly cut: string[];
  readonly most: number;
}

function cutText(name: string, value: unknown, { cut, most }: Limit): unknown {
  if (typeof value !== 'string' || value.length <= most) return value;
  cut.push(name);
  return value.slice(0, most).toWellFormed();
}

function shortened(name: string, value: unknown, { cut, most }: Limit): unknown {
  if (typeof value !== 'string' || value.length <= most || !isStorable(value)) return value;
  cut.push(name);
  const digest = createHash('sha256').update(value).digest('hex').slice(0, 32);
  return `${value.slice(0, most - digest.length - 1).toWellFormed()}~${digest}`;
}

function tidyTags(tags: unknown, cut: string[]): unknown {
  if (!isObject(tags)) return tags;
  const entries = Object.entries(tags);
  const isTidy = entries.every(
    ([name, value]) =>
      name.length <= LONGEST_FURTHER_NAME &&
      typeof value === 'string' &&
      value.length <= LONGEST_FURTHER_TAG &&
      value !== '' &&
      isStorable(value),
  );
  if (isTidy && entries.length < MOST_FURTHER_TAGS) return tags;
  const tidy = entries.flatMap(([name, value]): [string, unknown][] => {
    const text = typeof value === 'boolean' ? String(value) : textOf(value);
    if (text === '' || text === null || text === undefined || name === '') return [];
    const most = LONGEST_FURTHER_TAG;
    return [
      [storable(name).slice(0, LONGEST_FURTHER_NAME), cutText(`tags.${name}`, text, { cut, most })],
    ];
  });
  if (tidy.length >= MOST_FURTHER_TAGS) cut.push('tags');
  return Object.fromEntries(tidy.slice(0, MOST_FURTHER_TAGS - 1));
}

function withCut(tags: unknown, cut: readonly string[]): JsonObject {
  if (cut.length === 0) return { tags };
  const said = [...new Set(cut)].join(' ').slice(0, LONGEST_FURTHER_TAG).toWellFormed();
  return { tags: { ...(isObject(tags) ? tags : {}), [CUT_TAG]: storable(said) } };
}
