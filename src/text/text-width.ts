import { stripVTControlCharacters } from 'node:util';

/** How many columns of a terminal a text takes, and what of it fits into fewer. */

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** Letters that are two columns wide. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const NARROW_ONLY = /^[\u0020-\u02ff\u2010-\u2027\u2190-\u21ff\u2500-\u257f]*$/;

export function columnsOf(text: string): number {
  const plain = stripVTControlCharacters(text);
  if (NARROW_ONLY.test(plain)) return plain.length;
  return [...GRAPHEMES.segment(plain)].reduce((sum, { segment }) => sum + widthOf(segment), 0);
}

/** Returns the text itself, or its begin and an ellipsis where it is wider than that. */
export function cutTo(text: string, room: number): string {
  if (columnsOf(text) <= room) return text;
  let kept = '';
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(stripVTControlCharacters(text))) {
    width += widthOf(segment);
    if (width > room - 1) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

/**
 * Returns the text in lines that are no wider than the page, broken at spaces, each after the
 * indentation. A word is never broken.
 */
export function wrapTo(text: string, width: number | null, indent: string): readonly string[] {
  if (width === null) return [`${indent}${text}`];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && columnsOf(indent + longer) > width) {
      lines.push(indent + line);
      line = word;
    } else line = longer;
  }
  return [...lines, indent + line];
}

/**
 * Returns the text with its lines broken at spaces where they are wider than the screen; what goes
 * on stands below what is said, and not below its label. Into a file or a pipe lines go whole, so
 * that a search finds them.
 */
export function foldLines(text: string, width: number | null): string {
  if (width === null) return text;
  return text
    .split('\n')
    .flatMap((line) => foldLine(line, width))
    .join('\n');
}

/** A label wider than this would leave too little room beside it. */
const WIDEST_LABEL = 30;

function foldLine(line: string, width: number): readonly string[] {
  if (columnsOf(line) <= width) return [line];
  const indent = /^ */.exec(line)?.[0] ?? '';
  const label = /^ *\S+(?: \S+)* {2,}(?=\S)/.exec(line)?.[0] ?? '';
  const head = label !== '' && columnsOf(label) <= WIDEST_LABEL ? label : indent;
  const hanging = head === label && label !== '' ? ' '.repeat(columnsOf(label)) : `${indent}  `;
  const [first = '', ...rest] = wrapTo(line.slice(head.length), width - columnsOf(head), '');
  const others = rest.length === 0 ? [] : wrapTo(rest.join(' '), width, hanging);
  return [`${head}${first}`, ...others];
}

/** Breaks a text as `wrapTo` does, with words broken that are wider than the page. */
export function breakTo(text: string, width: number): readonly string[] {
  return wrapTo(text, width, '').flatMap((line) => {
    const parts: string[] = [''];
    for (const { segment } of GRAPHEMES.segment(line)) {
      const last = parts.length - 1;
      if (columnsOf(`${parts[last]}${segment}`) > width) parts.push(segment);
      else parts[last] = `${parts[last]}${segment}`;
    }
    return parts;
  });
}

/**
 * Returns the text with spaces after it up to so many columns; one that is wider stays as it is.
 */
export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}

function widthOf(segment: string): number {
  return WIDE.test(segment) ? 2 : 1;
}
