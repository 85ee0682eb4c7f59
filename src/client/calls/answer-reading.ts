import { at, isObject } from '../../events/foreign/foreign-value.ts';
import { elementsOf, membersOf, readValue } from './json-skim.ts';

/** What is known of an answer, whole or streamed as far as it came; none of its text. */
export interface AnswerReading {
  readonly id?: unknown;
  readonly model?: unknown;
  readonly service_tier?: unknown;
  readonly usage?: unknown;
  readonly status?: unknown;
  readonly background?: unknown;
  readonly created_at?: unknown;
  readonly completed_at?: unknown;
  /** When a batch was done. */
  readonly ended_at?: unknown;
  /** Seconds of sound that were heard. */
  readonly duration?: unknown;
  readonly error?: unknown;
  /** The items of an answer by their types alone, since some are paid for by themselves. */
  readonly output?: readonly { readonly type: unknown }[];
  /** How many pictures it holds. */
  readonly items?: number;
}

const MEMBERS = [
  'id',
  'model',
  'service_tier',
  'usage',
  'status',
  'background',
  'created_at',
  'completed_at',
  'ended_at',
  'duration',
  'error',
] as const;

/** Reads an answer's text without building the rest of it; null where it is no JSON object. */
export function readAnswer(text: string, start = 0): AnswerReading | null {
  const members = membersOf(text, start);
  if (members === null) return null;
  const read = MEMBERS.map((name) => [name, readValue(text, members.get(name))] as const);
  const output = members.get('output');
  const data = members.get('data');
  return {
    ...Object.fromEntries(read.filter(([, value]) => value !== undefined && value !== null)),
    ...(output === undefined
      ? {}
      : { output: elementsOf(text, output).map((item) => typeOf(text, item.start)) }),
    ...(data === undefined ? {} : { items: elementsOf(text, data).length }),
  };
}

function typeOf(text: string, start: number): { readonly type: unknown } {
  return { type: readValue(text, membersOf(text, start)?.get('type')) };
}

/**
 * Reads an answer of which only the beginning and the end are at hand, as of one with megabytes of
 * vectors in its middle: its model and its usage stand at one of the ends.
 */
export function readEnds(head: string, tail: string): AnswerReading {
  const usageAt = tail.lastIndexOf('"usage"');
  const usage = usageAt < 0 ? null : membersOf(tail, tail.indexOf('{', usageAt));
  const model =
    /"model"\s*:\s*"([^"]+)"/.exec(tail)?.[1] ?? /"model"\s*:\s*"([^"]+)"/.exec(head)?.[1];
  const counts = [...(usage ?? [])].map(([name, slice]) => [name, readValue(tail, slice)]);
  return {
    ...(model === undefined ? {} : { model }),
    ...(usage === null ? {} : { usage: Object.fromEntries(counts) }),
  };
}

/** Finds the kind of an error as a provider names it, never its words. */
export function errorTypeIn(answer: unknown): string | undefined {
  const error = at(answer, 'error');
  const kinds = [at(error, 'code'), at(error, 'type'), at(answer, 'type'), error];
  const found = kinds.find((kind) => typeof kind === 'string' && /^[\w.-]{1,100}$/.test(kind));
  return typeof found === 'string' ? found : undefined;
}

/** Later counts of a stream stand over earlier ones: Anthropic's are of the whole answer so far. */
export function mergeUsage(before: unknown, after: unknown): unknown {
  return isObject(before) && isObject(after) ? { ...before, ...after } : (after ?? before);
}
