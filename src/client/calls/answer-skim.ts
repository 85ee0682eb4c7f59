import type { AnswerItem, AnswerReading } from './answer-reading.ts';
import { MEMBERS, readItem } from './answer-reading.ts';
import { nextMatch, readValue } from './json-skim.ts';

/** Each member that is read is no longer than this, and neither is what is kept of an item. */
const LONGEST_VALUE = 64 * 1024;
/** Pictures, sound and what was said are longer than any name or id. */
const LONGEST_TEXT = 200;
/** No answer has as many items. */
const MOST_ITEMS = 2_000;

/** How deep an answer, a list in it and a part of an item of it lie. */
const [ANSWER, LIST, PART] = [1, 2, 4];

const NAMES: ReadonlySet<string> = new Set(MEMBERS);

/**
 * Reads an answer while it comes, however it is cut and however long it is, as `readAnswer` reads one that is short. What it
 * keeps is bounded: of the members that are read each up to a size, of the items their kinds, of pictures
 * their number, and of the text of the answer nothing.
 */
export class AnswerSkim {
  readonly #read: Record<string, unknown> = {};
  readonly #output: AnswerItem[] = [];
  #hasOutput = false;
  #items: number | null = null;
  #depth = 0;
  /** The member whose value comes; null before a name. */
  #name: string | null = null;
  /** The value, or the item, as far as it is kept. */
  #value = '';
  /** The string whose end has not come, as far as it is kept; null outside of strings. */
  #text: string | null = null;
  #isEscaped = false;
  /** The value is a list, whose items are looked at one by one. */
  #isList = false;
  #isItem = false;

  get answer(): AnswerReading {
    return {
      ...this.#read,
      ...(this.#hasOutput ? { output: this.#output } : {}),
      ...(this.#items === null ? {} : { items: this.#items }),
    };
  }

  take(text: string): void {
    let at = 0;
    while (at < text.length) {
      at = this.#text === null ? this.#outside(text, at) : this.#inside(text, at);
    }
  }

  /** Goes on in a string, and answers where it ends. */
  #inside(text: string, from: number): number {
    let at = from;
    while (at < text.length) {
      if (!this.#isEscaped) at = nextMatch(/["\\]/g, text, at);
      if (!this.#isEscaped && text[at] === '"') {
        this.#keepText(text.slice(from, at));
        this.#endText();
        return at + 1;
      }
      this.#isEscaped = !this.#isEscaped && text[at] === '\\';
      at += 1;
    }
    this.#keepText(text.slice(from));
    return text.length;
  }

  /** Goes on to the next mark, and answers where it is passed. */
  #outside(text: string, from: number): number {
    // Of megabytes of numbers only the brackets matter.
    const isPassedOver = this.#depth > ANSWER && !this.#isKept() && !this.#isAmongItems();
    const at = nextMatch(isPassedOver ? /["{}[\]]/g : /["{}[\],]/g, text, from);
    if (!isPassedOver) this.#keepPlain(text.slice(from, at).trim());
    const mark = text[at];
    if (mark === '"') this.#text = '';
    else if (mark === '{' || mark === '[') this.#open(mark);
    else if (mark === '}' || mark === ']') this.#close(mark);
    else if (mark === ',') this.#goOn();
    return at + 1;
  }

  #keepPlain(text: string): void {
    if (text === '') return;
    this.#isItem ||= this.#isAmongItems();
    this.#keep(text);
  }

  #open(bracket: string): void {
    this.#isItem ||= this.#isAmongItems();
    this.#keep(bracket);
    this.#depth += 1;
    if (this.#depth === LIST) this.#isList = bracket === '[';
  }

  #close(bracket: string): void {
    if (this.#isAmongItems()) this.#endItem();
    this.#depth -= 1;
    if (this.#depth < ANSWER) this.#endMember();
    else this.#keep(bracket);
  }

  #goOn(): void {
    if (this.#depth === ANSWER) this.#endMember();
    else if (this.#isAmongItems()) this.#endItem();
    else this.#keep(',');
  }

  #endText(): void {
    const text = this.#text ?? '';
    this.#text = null;
    if (this.#depth === ANSWER && this.#name === null) this.#name = text;
    else this.#keepPlain(`"${text.length > LONGEST_TEXT ? '' : text}"`);
  }

  #endMember(): void {
    const name = this.#name ?? '';
    if (name === 'output') this.#hasOutput = true;
    if (name === 'data') this.#items ??= 0;
    if (NAMES.has(name)) {
      const value = readValue(this.#value, { start: 1, end: this.#value.length });
      if (value !== undefined && value !== null) this.#read[name] = value;
    }
    this.#name = null;
    this.#value = '';
    this.#isList = false;
  }

  #endItem(): void {
    if (this.#isItem && this.#name === 'data') this.#items = (this.#items ?? 0) + 1;
    if (this.#isItem && this.#name === 'output' && this.#output.length < MOST_ITEMS) {
      this.#output.push(readItem(this.#value));
    }
    this.#isItem = false;
    this.#value = '';
  }

  #isAmongItems(): boolean {
    const isRead = this.#name === 'output' || this.#name === 'data';
    return isRead && this.#depth === LIST && this.#isList;
  }

  /** Answers whether the place belongs to what is kept: of an item its members and those of its parts. */
  #isKept(): boolean {
    if (this.#name === 'output') return this.#isList && this.#depth >= LIST && this.#depth <= PART;
    return this.#name !== null && NAMES.has(this.#name);
  }

  #keep(text: string): void {
    const length = this.#value.length + text.length;
    if (length <= LONGEST_VALUE && this.#isKept()) this.#value += text;
  }

  #keepText(text: string): void {
    const kept = this.#text ?? '';
    this.#text = kept + text.slice(0, Math.max(0, LONGEST_TEXT + 1 - kept.length));
  }
}
