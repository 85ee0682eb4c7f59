import { minorPerBilled, minorUnitDecimals, picoPerBilled } from '../../currencies.ts';
import {
  apportion,
  exactDecimal,
  exactPico,
  floorDivide,
  formatMinor,
  type Pico,
} from '../../money.ts';
import type { StatementDocument, UsageShare } from '../statement-answer.ts';
import { isUsageLine } from '../statement-document.ts';
import { formatMoney, formatQuantity } from '../statement-format.ts';

/** A statement divided by feature or by user: the amounts add up to the total. */
export interface ShareTable {
  readonly title: string;
  /** The heading of the names. */
  readonly of: string;
  readonly rows: readonly ShareRow[];
  readonly total: ShareRow;
}

interface ShareRow {
  readonly name: string;
  /** It is empty where no calls stand behind the amount. */
  readonly calls: string;
  readonly amount: string;
}

/** So many names stand by themselves; the CSV form has all of them. */
const NAMED = 8;

/** Where no call names a feature or a user, there is nothing to tell apart. */
export function viewShares(document: StatementDocument): readonly ShareTable[] {
  const tables = [
    { title: 'By feature', of: 'Feature', unnamed: 'No feature named', shares: document.features },
    { title: 'By user', of: 'User', unnamed: 'No user named', shares: document.users },
  ];
  return tables
    .filter(({ shares }) => shares.some(({ name }) => name !== null))
    .map((table) => viewTable(document, table));
}

function viewTable(
  document: StatementDocument,
  table: {
    readonly title: string;
    readonly of: string;
    readonly unnamed: string;
    readonly shares: readonly UsageShare[];
  },
): ShareTable {
  const { currency } = document;
  const parts = partsOf(table.shares, table.unnamed);
  const money = (minor: bigint) => formatMoney(formatMinor(minor, currency), currency);
  const lines = [...document.lines, ...document.late_lines];
  const minorOf = (some: typeof lines) =>
    some.reduce((sum, { amount }) => sum + exactDecimal(amount, minorUnitDecimals(currency)), 0n);
  const usage = minorOf(lines.filter(isUsageLine));
  const others = lines.filter((line) => !isUsageLine(line));
  const amounts = roundTo(
    usage,
    parts.map(({ exact }) => exact),
    currency,
  );
  const calls = parts.reduce((sum, part) => sum + part.calls, 0);
  return {
    title: table.title,
    of: table.of,
    rows: [
      ...parts.map((part, index) => ({
        name: shortened(part.name),
        calls: formatQuantity(String(part.calls)),
        amount: money(amounts[index] ?? 0n),
      })),
      ...(others.length === 0
        ? []
        : [
            {
              name: 'Of no call: shared, adjusted or carried',
              calls: '',
              amount: money(minorOf(others)),
            },
          ]),
    ],
    total: {
      name: 'Total',
      calls: formatQuantity(String(calls)),
      amount: formatMoney(document.total, currency),
    },
  };
}

/** A longer name would be a column of its own; both its ends tell it from others, and the CSV form has all of it. */
const LONGEST_NAME = 60;
const END_KEPT = 20;
const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });

function shortened(name: string): string {
  const letters = Array.from(GRAPHEMES.segment(name), ({ segment }) => segment);
  if (letters.length <= LONGEST_NAME) return name;
  const begin = letters.slice(0, LONGEST_NAME - END_KEPT - 1).join('');
  return `${begin}…${letters.slice(-END_KEPT).join('')}`;
}

interface Part {
  readonly name: string;
  readonly calls: number;
  readonly exact: Pico;
}

/** Returns the first ones by name, then the others together, and last what names none. */
function partsOf(shares: readonly UsageShare[], unnamed: string): readonly Part[] {
  const parts = shares.map(({ name, calls, exact }) => ({
    name: name ?? unnamed,
    isNamed: name !== null,
    calls,
    exact: exactPico(exact),
  }));
  const { named = [], without = [] } = Object.groupBy(parts, ({ isNamed }) =>
    isNamed ? 'named' : 'without',
  );
  const rest = named.slice(NAMED);
  if (rest.length < 2) return [...named, ...without];
  const others = {
    name: `${rest.length.toLocaleString('en-US')} others`,
    calls: rest.reduce((sum, { calls }) => sum + calls, 0),
    exact: rest.reduce((sum, { exact }) => sum + exact, 0n),
  };
  return [...named.slice(0, NAMED), others, ...without];
}

/**
 * Rounds exact amounts so that they add up to what the lines were rounded to. Many lines may be some units away from
 * the few parts; the largest part takes what no rounding explains.
 */
function roundTo(total: bigint, exact: readonly Pico[], currency: string): readonly bigint[] {
  if (exact.length === 0) return [];
  const [unit, perBilled] = [picoPerBilled(currency), minorPerBilled(currency)];
  const least = exact.reduce((sum, amount) => sum + floorDivide(amount, unit), 0n);
  const most = least + BigInt(exact.length);
  const billed = total / perBilled;
  const within = billed < least ? least : billed > most ? most : billed;
  const parts = apportion(within, exact, unit);
  const largest = parts.reduce((at, part, index) => (part > (parts[at] ?? part) ? index : at), 0);
  return parts.map(
    (part, index) => (part + (index === largest ? billed - within : 0n)) * perBilled,
  );
}
