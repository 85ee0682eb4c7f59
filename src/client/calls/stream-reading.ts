import { at, isObject } from '../../events/foreign/foreign-value.ts';
import type { AnswerReading } from './answer-reading.ts';
import { mergeUsage, readAnswer } from './answer-reading.ts';
import { membersOf, readValue } from './json-skim.ts';

/** A stream of server-sent events as far as it came, however its bytes are cut. */
export class StreamReading {
  /** Whether we asked for the usage in place of the application, which then does not see it. */
  readonly #hidesUsage: boolean;
  #rest = '';
  #answer: AnswerReading = {};
  #isOver = false;
  #characters = 0;

  constructor(hidesUsage: boolean) {
    this.#hidesUsage = hidesUsage;
  }

  get answer(): AnswerReading {
    return this.#answer;
  }

  /** Whether the provider said that this is all. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Characters of the answer that came. */
  get characters(): number {
    return this.#characters;
  }

  /** Takes more text; answers what of it, and of what waited for its end, the application is to see. */
  take(text: string): string {
    this.#rest += text;
    let shown = '';
    for (;;) {
      const end = endOfEvent(this.#rest);
      if (end < 0) return shown;
      shown += this.#read(this.#rest.slice(0, end));
      this.#rest = this.#rest.slice(end);
    }
  }

  /** What is left when nothing more comes: an event without its end. */
  finish(): string {
    const rest = this.#rest;
    this.#rest = '';
    return rest === '' ? '' : this.#read(rest);
  }

  #read(event: string): string {
    const data = dataOf(event);
    if (data === '') return event;
    if (data === '[DONE]') {
      this.#isOver = true;
      return event;
    }
    const isUsageAlone = this.#note(data);
    if (!this.#hidesUsage) return event;
    return isUsageAlone ? '' : event.replace(/,\s*"usage"\s*:\s*null(?=\s*[,}])/, '');
  }

  /** Answers whether the event is nothing but the usage of a chat. */
  #note(data: string): boolean {
    const members = membersOf(data);
    if (members === null) return false;
    const type = readValue(data, members.get('type'));
    const nested = members.get('response') ?? members.get('message');
    const isNested = nested !== undefined && data[nested.start] === '{';
    const read = readAnswer(data, isNested ? nested.start : 0) ?? {};
    const { usage, id, ...rest } = read;
    // An item of an answer has an id of its own; that of the answer comes first.
    const first = this.#answer.id ?? id;
    this.#answer = {
      ...this.#answer,
      ...rest,
      ...(first === undefined ? {} : { id: first }),
      usage: mergeUsage(this.#answer.usage, usage),
    };
    if (typeof type === 'string' && OVER.test(type)) this.#isOver = true;
    this.#characters += deltaCharacters(data);
    return isObject(usage) && /"choices"\s*:\s*\[\s*\]/.test(data);
  }
}

/** The last event of a stream, by the interfaces that have one. */
const OVER =
  /^(?:message_stop|response\.(?:completed|incomplete|failed)|(?:image_generation|image_edit)\.completed|speech\.audio\.done|transcript\.text\.done|error)$/;

const SEPARATOR = /\r\n\r\n|\n\n|\r\r/;

/** Returns the place after the blank line that ends the first event; -1 where it has not come. */
function endOfEvent(text: string): number {
  const found = SEPARATOR.exec(text);
  return found === null ? -1 : found.index + found[0].length;
}

function dataOf(event: string): string {
  const lines = event.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:'));
  return lines.map((line) => line.slice('data:'.length).trimStart()).join('\n');
}

const LARGEST_DELTA = 64 * 1024;

/** Returns how much of an answer an event brings; a picture brings none. */
function deltaCharacters(data: string): number {
  if (data.length > LARGEST_DELTA || !data.includes('"delta"')) return 0;
  const event: unknown = readValue(data, { start: 0, end: data.length });
  const choices = at(event, 'choices');
  const deltas = Array.isArray(choices)
    ? choices.map((choice: unknown) => at(choice, 'delta'))
    : [at(event, 'delta')];
  return deltas.reduce((sum: number, delta) => sum + textIn(delta), 0);
}

/** Names beside the words of a delta. */
const NO_TEXT: ReadonlySet<string> = new Set([
  'type',
  'role',
  'id',
  'name',
  'stop_reason',
  'signature',
]);

function textIn(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [name, inner]) => sum + (NO_TEXT.has(name) ? 0 : textIn(inner)),
    0,
  );
}
