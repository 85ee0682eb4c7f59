import { billedDecimals } from '../../currencies.ts';
import type { ManifestLine } from '../../ledger/closes/manifest-lines.ts';
import { exactPico, PICO_PER_MICRO } from '../../money.ts';
import { lateWords } from '../late-words.ts';
import { sumAmounts } from '../line-groups.ts';
import type { StatementDocument } from '../statement-answer.ts';
import { isUsageLine } from '../statement-document.ts';
import { formatExact, formatMoney, groupDigits } from '../statement-format.ts';
import {
  ADJUSTMENTS,
  adjustmentsOf,
  type LabeledAmount,
  SHARED_SPEND,
  sharedSpendOf,
} from './section-words.ts';

/** Returns the printed amounts, summed: they add up to the total because lines are apportioned. */
export function statementTotals(document: StatementDocument): readonly LabeledAmount[] {
  const { currency, lines } = document;
  const late = document.late_lines.filter(isUsageLine);
  const shared = sharedSpendOf(document);
  const adjustments = adjustmentsOf(document);
  const carried = (meter: ManifestLine['meter'], label: string) =>
    lines
      .filter((line) => line.meter === meter)
      .map((line) => ({ label, amount: formatMoney(line.amount, currency) }));
  const own = lines.filter(isUsageLine);
  return [
    { label: 'Metered usage', amount: sumAmounts(own, currency) },
    ...(late.length > 0
      ? [{ label: lateWords(document, late).title, amount: sumAmounts(late, currency) }]
      : []),
    ...(shared.length > 0 ? [{ label: SHARED_SPEND, amount: sumAmounts(shared, currency) }] : []),
    ...(adjustments.length > 0
      ? [{ label: ADJUSTMENTS, amount: sumAmounts(adjustments, currency) }]
      : []),
    ...carried('carried_in', carriedWords(document).into),
    ...carried('carried_out', carriedWords(document).onTo),
    {
      label: `Total${document.preview === null ? '' : ' so far'} (${currency})`,
      amount: formatMoney(document.total, currency),
    },
    ...(document.mode === 'live' || document.preview !== null
      ? []
      : [{ label: 'Due', amount: formatMoney(document.due, currency) }]),
  ];
}

export function reckoningOf(document: StatementDocument): readonly LabeledAmount[] {
  const { exact, currency, total } = document;
  const places = billedDecimals(currency);
  const to = places === 0 ? 'whole units' : `${places} decimals`;
  return [
    {
      label: `Exact sum of all entries${document.not_due.length > 0 ? ' that are due' : ''}`,
      amount: formatExact(exact.charge),
    },
    { label: carriedWords(document).into, amount: formatExact(exact.carried_in) },
    { label: carriedWords(document).onTo, amount: formatExact(negate(exact.carried_out)) },
    { label: 'Billable, in whole millionths', amount: groupDigits(exact.billable) },
    { label: `Total, rounded once, half up, to ${to}`, amount: groupDigits(total) },
  ];
}

/** What a month in shadow carries on may be due to the next one in live mode, and beside it a credit of its own mode. */
function onTo({ carried_out: all, carried_out_due: due }: StatementDocument['exact']): string {
  if (due === undefined) return 'Carried on to the next period';
  const ofItsMode = exactPico(all) - exactPico(due);
  return ofItsMode <= -PICO_PER_MICRO
    ? 'Carried on, to the next period in live mode and in shadow'
    : 'Carried on to the next period in live mode';
}

/** What is due and came in months in shadow is of several months, and waits for one in live mode. */
function carriedWords({ exact }: Pick<StatementDocument, 'exact'>) {
  return {
    into:
      exact.carried_in_due === undefined
        ? 'Carried in from the period before'
        : 'From earlier months',
    onTo: onTo(exact),
  };
}

function negate(amount: string): string {
  if (exactPico(amount) === 0n) return amount;
  return amount.startsWith('-') ? amount.slice(1) : `-${amount}`;
}

/** Returns the statement's own notes, and what only the forms for people need explaining. */
export function statementNotes(document: StatementDocument): readonly string[] {
  const { exact, mode } = document;
  const to = mode === 'live' ? 'to the next period' : 'in shadow mode, and comes off no bill';
  const carried =
    exactPico(exact.carried_out) < exactPico(exact.carried_out_due ?? '0')
      ? `Credits and corrections of this period exceed its usage: nothing is billed, and the difference is carried on ${to}.`
      : 'What is left below a millionth is not lost: it is carried on to the next period.';
  return [
    'Quantity × rate = exact. Amounts are rounded so that they add up to the total.',
    carried,
    ...document.notes,
  ];
}
