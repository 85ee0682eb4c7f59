import { at, isObject } from '../../events/foreign/foreign-value.ts';
import { elementsOf, membersOf, readValue } from './json-skim.ts';

/** An item of an answer: what it is, and what it did, as a search that looked something up or opened a page. */
export interface AnswerItem {
  readonly type: unknown;
  readonly action?: { readonly type: unknown };
}

/** What is known of an answer, whole or streamed as far as it came; none of its text. */
export interface AnswerReading {
  readonly id?: unknown;
  readonly model?: unknown;
  readonly service_tier?: unknown;
  readonly usage?: unknown;
  /** What tools of the provider used, which is no part of the usage. */
  readonly tool_usage?: unknown;
  readonly status?: unknown;
  readonly background?: unknown;
  readonly created_at?: unknown;
  readonly completed_at?: unknown;
  /** When a batch was done. */
  readonly ended_at?: unknown;
  /** Seconds of sound that were heard. */
  readonly duration?: unknown;
  readonly error?: unknown;
  /** The items of an answer by their kinds alone, since some are paid for by themselves. */
  readonly output?: readonly AnswerItem[];
  /** How many pictures it holds. */
  readonly items?: number;
}

export const MEMBERS = [
  'id',
  'model',
  'service_tier',
  'usage',
  'tool_usage',
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
      : { output: elementsOf(text, output).map((item) => readItem(text, item.start)) }),
    ...(data === undefined ? {} : { items: elementsOf(text, data).length }),
  };
}

/** Reads the kind of the item that begins here, and what it did. */
export function readItem(text: string, start = 0): AnswerItem {
  const members = membersOf(text, start);
  const type = readValue(text, members?.get('type'));
  const action = members?.get('action');
  if (action === undefined) return { type };
  return { type, action: { type: readValue(text, membersOf(text, action.start)?.get('type')) } };
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
