/**
 * The order in which a line of text stands from left to right: the implicit part of the Unicode Bidirectional
 * Algorithm (UAX #9), for one paragraph. Marks and embeddings that only direct text are taken out before.
 */

/** A piece of text that runs one way. */
export interface Piece {
  readonly text: string;
  /** Its depth: even where it runs to the right, odd where it runs to the left. */
  readonly level: number;
}

type Kind = 'L' | 'R' | 'AL' | 'EN' | 'AN' | 'ES' | 'ET' | 'CS' | 'N';

/** Returns the level of each of some graphemes, in a paragraph that runs to the right or to the left. */
export function levelsOf(graphemes: readonly string[], base: 0 | 1): readonly number[] {
  const start = base === 0 ? 'L' : 'R';
  const kinds = resolveNeutrals(resolveNumbers(graphemes.map(kindOf), start), start);
  return kinds.map((kind) => {
    if (kind === 'L') return base === 0 ? 0 : 2;
    if (kind === 'R') return 1;
    return 2;
  });
}

/** Returns the pieces as they stand from left to right: what runs to the left is turned around, the innermost first. */
export function inVisualOrder<Of extends Piece>(pieces: readonly Of[]): readonly Of[] {
  const highest = Math.max(0, ...pieces.map(({ level }) => level));
  let order = [...pieces];
  for (let level = highest; level > 0; level -= 1) {
    const next: Of[] = [];
    let turned: Of[] = [];
    for (const piece of order) {
      if (piece.level >= level) turned = [piece, ...turned];
      else {
        next.push(...turned, piece);
        turned = [];
      }
    }
    order = [...next, ...turned];
  }
  return order;
}

function kindOf(grapheme: string): Kind {
  return KINDS.find(([, pattern]) => pattern.test(grapheme))?.[0] ?? 'L';
}

const KINDS: readonly (readonly [Kind, RegExp])[] = [
  ['EN', /^[0-9\u00b2\u00b3\u00b9\u06f0-\u06f9\u2070-\u2079\u2080-\u2089]/u],
  ['AN', /^[\u0660-\u0669\u066b\u066c]/u],
  ['ES', /^[+\-\u2212\u207a\u207b]/u],
  ['ET', /^[#%\u00b0\u00b1\u066a\u2030-\u2034\p{Sc}]/u],
  ['CS', /^[,./:\u00a0\u060c\u202f\u2044]/u],
  ['AL', /^(?=\p{L}|\p{M})[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}]/u],
  ['R', /^(?=\p{L}|\p{M})[\p{Script=Hebrew}\p{Script=Nko}]/u],
  ['N', /^[^\p{L}\p{N}\p{M}]/u],
];

/** Rules W1 to W7: what a digit, and a sign at a number, is beside its neighbors. */
function resolveNumbers(kinds: readonly Kind[], start: Kind): readonly Kind[] {
  const found = [...kinds];
  let strong = start;
  for (const [index, kind] of found.entries()) {
    if (kind === 'L' || kind === 'R' || kind === 'AL') strong = kind;
    else if (kind === 'EN' && strong === 'AL') found[index] = 'AN';
  }
  for (const [index, kind] of found.entries()) {
    const [before, after] = [found[index - 1], found[index + 1]];
    if (kind === 'AL') continue;
    const between = before === after && (before === 'EN' || (kind === 'CS' && before === 'AN'));
    if ((kind === 'ES' || kind === 'CS') && between && before !== undefined) found[index] = before;
  }
  eachStretch(found, 'ET', (from, to) => {
    if (found[from - 1] === 'EN' || found[to] === 'EN') found.fill('EN', from, to);
  });
  strong = start;
  return found.map((kind) => {
    if (kind === 'AL') strong = 'R';
    else if (kind === 'L' || kind === 'R') strong = kind;
    if (kind === 'AL') return 'R';
    if (kind === 'EN') return strong === 'L' ? 'L' : 'EN';
    return kind === 'ES' || kind === 'ET' || kind === 'CS' ? 'N' : kind;
  });
}

/** Rules N1 and N2: what stands between two of one direction has it, and all else that of the paragraph. */
function resolveNeutrals(kinds: readonly Kind[], start: Kind): readonly Kind[] {
  const found = [...kinds];
  const sideOf = (kind: Kind | undefined) =>
    kind === undefined ? start : kind === 'L' ? 'L' : 'R';
  eachStretch(found, 'N', (from, to) => {
    const [before, after] = [sideOf(found[from - 1]), sideOf(found[to])];
    found.fill(before === after ? before : start, from, to);
  });
  return found;
}

function eachStretch(kinds: readonly Kind[], of: Kind, use: (from: number, to: number) => void) {
  let from = 0;
  while (from < kinds.length) {
    let to = from;
    while (kinds[to] === of) to += 1;
    if (to > from) use(from, to);
    from = to + 1;
  }
}
