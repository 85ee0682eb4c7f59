import { breakTo, columnsOf, padTo } from '../text/text-width.ts';

/** So many columns has the page of a statement as text, which is what a terminal has. */
export const TEXT_WIDTH = 80;

/** The cells of one line: what it is of, its meter, and its figures. */
export type TextRow = readonly [
  name: string,
  meter: string,
  quantity: string,
  rate: string,
  amount: string,
];

const GAP = 2;
/** A narrower column would break most names. */
const LEAST_NAME = 14;

/**
 * Lays out the lines of a statement within its page: figures as wide as the widest of them, and the name in what is
 * left. A name that is longer stands above its line, and where the figures leave no room for a name, all of them do.
 */
export function layOut(rows: readonly TextRow[]): (row: TextRow) => readonly string[] {
  const widest = (cell: 1 | 2 | 3 | 4) => Math.max(0, ...rows.map((row) => columnsOf(row[cell])));
  const [meter, quantity, rate, amount] = [widest(1), widest(2), widest(3), widest(4)];
  const figures = [quantity, rate, amount].reduce((sum, width) => sum + width + GAP, 0);
  const name = TEXT_WIDTH - meter - GAP - figures;
  const figuresOf = (row: TextRow) =>
    `${row[2].padStart(quantity + GAP)}${row[3].padStart(rate + GAP)}${row[4].padStart(amount + GAP)}`;
  const narrow = TEXT_WIDTH - figures;
  return (row) => {
    if (name >= LEAST_NAME) {
      const rest = `${padTo(row[1], meter + GAP)}${figuresOf(row)}`;
      if (columnsOf(row[0]) <= name - GAP) return [`${padTo(row[0], name)}${rest}`.trimEnd()];
      return [...breakTo(row[0], TEXT_WIDTH), `${' '.repeat(name)}${rest}`.trimEnd()];
    }
    const label = `  ${row[1]}`;
    const above = row[0] === '' ? [] : breakTo(row[0], TEXT_WIDTH);
    if (columnsOf(label) <= narrow) {
      return [...above, `${padTo(label, narrow)}${figuresOf(row)}`.trimEnd()];
    }
    return [...above, label, figuresOf(row).trimStart().padStart(TEXT_WIDTH)];
  };
}

/**
 * Returns a label with its amount at the edge of the page; a label that is too long for one line
 * has lines of its own.
 */
export function labeled(label: string, amount: string): readonly string[] {
  const room = TEXT_WIDTH - columnsOf(amount) - GAP;
  const lines = breakTo(label, Math.max(LEAST_NAME, room));
  const last = lines.at(-1) ?? '';
  const space = ' '.repeat(Math.max(GAP, TEXT_WIDTH - columnsOf(last) - columnsOf(amount)));
  return [...lines.slice(0, -1), `${last}${space}${amount}`];
}
