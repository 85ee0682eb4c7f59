import type { SourceFile } from './source-files.ts';
import { SOURCE_FILES } from './source-files.ts';

/** One place of the sources that makes a refusal. */
export interface RefusalSite {
  /** From src, with slashes. */
  readonly file: string;
  /** The arguments as they are written. */
  readonly kind: string;
  readonly message: string;
  /** What the message may read as; null where it is not a text that stands there. */
  readonly pattern: RegExp | null;
}

/** Every `new Refusal(…)`, and the `super(…)` of every class that extends it. */
export const REFUSAL_SITES: readonly RefusalSite[] = SOURCE_FILES.filter(
  ({ path }) => path !== 'refusal.ts',
).flatMap(sitesOf);

function sitesOf(file: SourceFile): readonly RefusalSite[] {
  const { code, path } = file;
  const begins = /extends Refusal\b/.test(code) ? /(?:new Refusal|super)\(/g : /new Refusal\(/g;
  return [...code.matchAll(begins)].flatMap((found) => {
    const [kind = '', message = ''] = argumentsFrom(code, found.index + found[0].length);
    // A class that hands its message on is given one elsewhere.
    return message === 'message'
      ? []
      : [{ file: path, kind, message, pattern: patternOf(message) }];
  });
}

/** The texts between the commas of a call whose parenthesis was just opened. */
function argumentsFrom(code: string, start: number): readonly string[] {
  const found: string[] = [];
  let depth = 0;
  let begin = start;
  for (let at = start; at < code.length; at += 1) {
    const letter = code[at] ?? '';
    if (`'"\``.includes(letter)) at = endOfText(code, at);
    else if ('([{'.includes(letter)) depth += 1;
    else if (depth === 0 && (letter === ',' || letter === ')')) {
      found.push(code.slice(begin, at).trim());
      begin = at + 1;
      if (letter === ')') return found;
    } else if (')]}'.includes(letter)) depth -= 1;
  }
  return found;
}

/** Where the text that begins here ends; a template may hold expressions with texts of their own. */
function endOfText(code: string, start: number): number {
  const quote = code[start];
  for (let at = start + 1; at < code.length; at += 1) {
    if (code[at] === '\\') at += 1;
    else if (quote === '`' && code.startsWith('${', at)) at = endOfExpression(code, at + 2);
    else if (code[at] === quote) return at;
  }
  return code.length;
}

function endOfExpression(code: string, start: number): number {
  let depth = 0;
  for (let at = start; at < code.length; at += 1) {
    const letter = code[at] ?? '';
    if (`'"\``.includes(letter)) at = endOfText(code, at);
    else if (letter === '{') depth += 1;
    else if (letter === '}') {
      if (depth === 0) return at;
      depth -= 1;
    }
  }
  return code.length;
}

/** A quoted text is itself, in a template each expression is anything, a choice is one of its two texts. */
function patternOf(message: string): RegExp | null {
  const texts = textsOf(message);
  if (texts.length === 0 || texts.every((text) => text.replaceAll('\u0000', '') === ''))
    return null;
  const escaped = texts.map((text) =>
    text
      .split('\u0000')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[\\s\\S]*'),
  );
  return new RegExp(`^(?:${escaped.join('|')})$`);
}

function textsOf(message: string): readonly string[] {
  const texts: string[] = [];
  for (let at = 0; at < message.length; at += 1) {
    const letter = message[at] ?? '';
    if (`'"\``.includes(letter)) {
      const end = endOfText(message, at);
      texts.push(plain(message.slice(at + 1, end), letter));
      at = end;
    } else if (!/[\s\w.?:=!()]/.test(letter)) return [];
  }
  return texts;
}

function plain(text: string, quote: string): string {
  let read = '';
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') {
      at += 1;
      read += text[at] ?? '';
    } else if (quote === '`' && text.startsWith('${', at)) {
      at = endOfExpression(text, at + 2);
      read += '\u0000';
    } else read += text[at] ?? '';
  }
  return read;
}
