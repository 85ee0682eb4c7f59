import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { create, type Font } from 'fontkit';
import { inVisualOrder, levelsOf, type Piece } from './bidi-order.ts';
import { unfoldWoff } from './woff.ts';

/** One font that text can be written in. */
interface Face {
  /** By it a document knows the font. */
  readonly name: string;
  readonly source: () => Buffer;
  /** The place among a collection's fonts; null for a file that holds one. */
  readonly member: string | null;
  readonly has: (codePoint: number) => boolean;
  /** Whether its digits can all be made of one width. */
  readonly tabular: boolean;
}

/** Text of one font. */
export interface TextRun {
  readonly text: string;
  readonly face: Face;
}

/** Stands, once in a text, for all of its characters that no font has. */
export const NOT_SHOWN = '[characters not shown]';

/**
 * Splits text by the fonts that have its characters: our own for Latin, Greek, Cyrillic and Vietnamese,
 * and for every other script the first further font that has them. `isWhole` is false where none has.
 */
export function splitByFont(
  text: string,
  of: { readonly bold: boolean; readonly folders: readonly string[] },
): { readonly runs: readonly TextRun[]; readonly isWhole: boolean } {
  const own = of.bold ? boldFaces() : regularFaces();
  const [latin] = own;
  if (latin !== undefined && /^[\x20-\x7e]+$/.test(text)) {
    return { runs: [{ text, face: latin }], isWhole: true };
  }
  const graphemes = [...GRAPHEMES.segment(text)]
    .map(({ segment }) => segment)
    .filter((segment) => !isInvisible(segment));
  const levels = levelsOf(graphemes, isRightToLeft(text) ? 1 : 0);
  const runs: { text: string; face: Face; level: number }[] = [];
  let isWhole = true;
  for (const [index, shown] of graphemes.entries()) {
    const level = levels[index] ?? 0;
    const last = runs.at(-1);
    // A space between two words of a script stays with them, so that they are laid out together; and so does a
    // comma between words that run to the left, which readers turn around as a whole.
    const joins = level % 2 === 0 ? /^\s+$/ : /^[\s,.;:!?'"&/–-]+$/;
    const stays = last !== undefined && joins.test(shown) && hasAll(last.face, shown);
    const face = stays ? last.face : findFace(shown, own, of.folders);
    if (face === null) {
      if (isWhole && latin !== undefined) runs.push({ text: NOT_SHOWN, face: latin, level: 0 });
      isWhole = false;
    } else if (last?.face === face && last.level === level && last.text !== NOT_SHOWN) {
      last.text += shown;
    } else runs.push({ text: shown, face, level });
  }
  return { runs: inVisualOrder(runs).map(turned), isWhole };
}

/** Signs alone among words that run to the left are turned by hand; where letters are, their font turns them. */
function turned({ text, face, level }: TextRun & Piece): TextRun {
  if (level % 2 === 0 || isRightToLeft(text)) return { text, face };
  const signs = [...GRAPHEMES.segment(text)].map(({ segment }) => MIRRORED[segment] ?? segment);
  return { text: signs.reverse().join(''), face };
}

const MIRRORED: Readonly<Record<string, string>> = Object.fromEntries(
  ['()', ')(', '[]', '][', '{}', '}{', '<>', '><', '«»', '»«', '‹›', '›‹'].map(
    ([sign = '', other = '']) => [sign, other],
  ),
);

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Controls, and what only directs the order of text: no font shows them, and they must not turn a name around. */
function isInvisible(segment: string): boolean {
  return /^[\p{Cc}\p{Cs}\p{Co}\p{Cn}\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]+$/u.test(
    segment,
  );
}

/**
 * Tells whether a text runs to the left: its first letter decides, as it does in a page that
 * isolates a name.
 */
export function isRightToLeft(text: string): boolean {
  const first = /\p{L}/u.exec(text)?.[0];
  return first !== undefined && RIGHT_TO_LEFT.test(first);
}

const RIGHT_TO_LEFT =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

function findFace(shown: string, own: readonly Face[], folders: readonly string[]): Face | null {
  const face = own.find((candidate) => hasAll(candidate, shown));
  return face ?? furtherFaces(folders).find((candidate) => hasAll(candidate, shown)) ?? null;
}

function hasAll(face: Face, text: string): boolean {
  return [...text].every((character) => {
    const code = character.codePointAt(0) ?? 0;
    // What joins or varies its neighbors has no glyph of its own in most fonts.
    return JOINERS.has(code) || face.has(code);
  });
}

const JOINERS: ReadonlySet<number> = new Set([0x200c, 0x200d, 0xfe0e, 0xfe0f]);

/** Inter comes in a file a script; text of most statements needs the first alone. */
const SCRIPTS = [
  ...['latin', 'latin-ext', 'greek', 'greek-ext', 'cyrillic', 'cyrillic-ext', 'vietnamese'],
];

const regularFaces = remember(() => openOwn(400));
const boldFaces = remember(() => openOwn(600));

function openOwn(weight: number): readonly Face[] {
  const { resolve } = createRequire(import.meta.url);
  return SCRIPTS.map((script) => {
    const file = `inter-${script}-${weight}-normal.woff`;
    return lazyFace(file, resolve(`@fontsource/inter/files/${file}`));
  });
}

function lazyFace(name: string, file: string): Face {
  const source = remember(() => unfoldWoff(readFileSync(file)));
  const font = remember(() => create(source()) as Font);
  return {
    name,
    source,
    member: null,
    has: (code) => font().hasGlyphForCodePoint(code),
    tabular: true,
  };
}

const opened = new Map<string, readonly Face[]>();

/**
 * Returns the fonts of some folders, plain ones first; those of the system where no folder is
 * named.
 */
function furtherFaces(folders: readonly string[]): readonly Face[] {
  const key = folders.join(delimiter);
  const known = opened.get(key);
  if (known !== undefined) return known;
  const files = (folders.length > 0 ? folders : systemFolders()).flatMap(fontFilesIn);
  const faces = files.sort(plainFirst).flatMap(openFurther);
  opened.set(key, faces);
  return faces;
}

function systemFolders(): readonly string[] {
  return [
    ...['/usr/share/fonts', '/usr/local/share/fonts', '/System/Library/Fonts', '/Library/Fonts'],
    ...['.local/share/fonts', '.fonts', 'Library/Fonts'].map((path) => join(homedir(), path)),
    'C:\\Windows\\Fonts',
  ];
}

function fontFilesIn(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path, { recursive: true, encoding: 'utf8' });
    return names.filter((name) => FONT_FILE.test(name)).map((name) => join(path, name));
  } catch {
    // Most of these folders are on systems of one kind only.
    return [];
  }
}

const FONT_FILE = /\.(ttf|otf|ttc|woff2?)$/i;

/** Pictures of characters cannot be embedded as text can. */
const NO_TEXT = /emoji/i;
const ORNATE = /(mono|serif|italic|oblique|bold|black|thin|light|condensed|narrow)/i;

/** Of equals the name decides, so that a machine writes the same bytes each time. */
function plainFirst(a: string, b: string): number {
  const rank = (file: string) => Number(ORNATE.test(file));
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}

/** A file that is no font, or one that cannot be embedded, is passed over. */
function openFurther(file: string): readonly Face[] {
  if (NO_TEXT.test(file)) return [];
  try {
    const source = readFileSync(file);
    const font = create(source);
    const fonts = 'fonts' in font ? font.fonts : [font];
    return fonts.map((one) => ({
      name: `${file}#${one.postscriptName}`,
      source: () => source,
      member: 'fonts' in font ? one.postscriptName : null,
      has: (code) => one.hasGlyphForCodePoint(code),
      tabular: false,
    }));
  } catch {
    return [];
  }
}

function remember<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
