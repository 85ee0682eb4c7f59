import { minorUnitDecimals } from '../../currencies.ts';
import { divideHalfUp, exactDecimal, formatDecimal } from '../../money.ts';
import type { MonthBefore, StatementDocument } from '../statement-answer.ts';
import { formatMoney, formatMonth } from '../statement-format.ts';
import type { LabeledAmount } from './section-words.ts';

/** How a period compares with the one before it. */
export interface MonthComparison {
  /** A sentence. */
  readonly summary: string;
  /** What each model came to more or less, and the rest of the difference; none where they are too many to be read. */
  readonly models: readonly LabeledAmount[];
}

/** So many models still make a line. */
const MODELS_COMPARED = 6;

export function compareMonths(document: StatementDocument): MonthComparison | null {
  const { month_before: before, currency, preview, total } = document;
  if (before === null) return null;
  const name = nameOf(before);
  const was = formatMoney(before.total, currency);
  // What an open period came to so far says nothing beside a whole one.
  if (preview !== null) return { summary: `${name} came to ${was}.`, models: [] };
  const decimals = minorUnitDecimals(currency);
  const [old, now] = [exactDecimal(before.total, decimals), exactDecimal(total, decimals)];
  const change = now - old;
  const models = modelChanges(document, { before, change });
  const words = changeWords(change, { old, currency });
  return { summary: `${name} came to ${was}: ${words}.`, models };
}

/** A period that is a calendar month has that month's name. */
function nameOf({ start }: MonthBefore): string {
  const month = formatMonth(start.slice(0, 7));
  return start.endsWith('-01') ? month : `The period that began in ${month}`;
}

function changeWords(
  change: bigint,
  { old, currency }: { readonly old: bigint; readonly currency: string },
): string {
  if (change === 0n) return 'this period comes to the same';
  const size = change < 0n ? -change : change;
  const amount = formatMoney(formatDecimal(size, minorUnitDecimals(currency)), currency);
  const tenths = old > 0n ? divideHalfUp(size * 1000n, old) : null;
  const percent =
    tenths === null ? '' : ` (${change < 0n ? '−' : '+'}${formatDecimal(tenths, 1)} %)`;
  return `this period comes to ${amount} ${change < 0n ? 'less' : 'more'}${percent}`;
}

function modelChanges(
  { lines, currency }: StatementDocument,
  { before, change: whole }: { readonly before: MonthBefore; readonly change: bigint },
): readonly LabeledAmount[] {
  const decimals = minorUnitDecimals(currency);
  const changes = new Map<string, bigint>();
  const add = (model: string, amount: bigint) =>
    changes.set(model, (changes.get(model) ?? 0n) + amount);
  for (const { model, amount } of lines.filter(({ meter }) => !meter.startsWith('carried_'))) {
    add(model, exactDecimal(amount, decimals));
  }
  for (const { model, amount } of before.lines) add(model, -exactDecimal(amount, decimals));
  if (changes.size > MODELS_COMPARED) return [];
  const changed = [...changes]
    .filter(([, change]) => change !== 0n)
    .sort(([, a], [, b]) => (size(a) < size(b) ? 1 : -1));
  if (changed.length === 0) return [];
  // Late usage and late shares, and what is carried, are no lines of a model.
  const rest = changed.reduce((left, [, change]) => left - change, whole);
  return [...changed, ...(rest === 0n ? [] : [['everything else', rest] as const])].map(
    ([label, change]) => {
      const amount = formatMoney(formatDecimal(change, decimals), currency);
      return { label, amount: change > 0n ? `+${amount}` : amount };
    },
  );
}

function size(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}
