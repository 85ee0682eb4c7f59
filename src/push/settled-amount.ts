import { billedDecimals, minorUnitDecimals } from '../currencies.ts';
import { divideHalfUp, formatDecimal, parseDecimal } from '../money.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import type { SettleRequest } from './settle-answer.ts';

/**
 * Returns the micro units that an amount of major units stands for, of those that are due: all of them where it is what a
 * bill of them says, which is the total of the statement or rounded to the minor unit, and nothing where they are too few
 * for any bill; else as many as it says. Refuses more than is due.
 */
export function settledMicro(
  { amount, month }: Pick<SettleRequest, 'amount' | 'month'>,
  { currency, due }: { readonly currency: string; readonly due: bigint },
): bigint {
  const decimals = minorUnitDecimals(currency);
  const minor = parseDecimal(amount, decimals);
  if (minor === null || minor < 0n) {
    throw new Refusal(
      'bad_request',
      `"${amount}" is not a valid amount in ${currency}`,
      `write it as zero or more, with at most ${decimals} decimals`,
    );
  }
  const value = minor * microOf(decimals);
  if (due > 0n && billsOf(due, currency).includes(value)) return due;
  if (value > 0n && value < due) return value;
  if (value === 0n) {
    throw new Refusal(
      'bad_request',
      `${amount} ${currency} settles nothing`,
      'write what was billed; zero is for what is due and rounds to nothing',
    );
  }
  throw new Refusal(
    'conflict',
    `${formatDecimal(due, 6)} ${currency} of this period is due, and ${amount} is more`,
    due === 0n
      ? advise`nothing is left to settle; ${{ operation: 'reconcile', month }} shows what was told, and what was settled by mistake is taken back with ${{ operation: 'stripe unsettle', identifier: null }}`
      : 'settle at most what is due',
  );
}

/** Whether what is settled is what a bill of these micro units says, or more. */
export function coversBill(
  settled: bigint,
  { micro, currency }: { readonly micro: bigint; readonly currency: string },
): boolean {
  return settled > 0n && [micro, ...billsOf(micro, currency)].some((sum) => sum <= settled);
}

/** Beyond so many records the combinations would say nothing. */
const MOST_RECORDS_COMBINED = 8;

/**
 * Takes the records that come to what a bill of these micro units says out of those that stand, and returns the rest; null
 * where none come to it. What is too little for any bill takes none.
 */
export function takeBill(
  records: readonly bigint[],
  { micro, currency }: { readonly micro: bigint; readonly currency: string },
): readonly bigint[] | null {
  const bills = billsOf(micro, currency);
  if (bills.includes(0n)) return records.length === 0 ? null : records;
  const some = records.slice(-MOST_RECORDS_COMBINED);
  for (let chosen = 1; chosen < 2 ** some.length; chosen += 1) {
    const isChosen = (index: number) => Math.floor(chosen / 2 ** index) % 2 === 1;
    const sum = some.reduce((all, value, index) => (isChosen(index) ? all + value : all), 0n);
    const isBill = bills.includes(sum) || bills[0] === billsOf(sum, currency)[0];
    if (isBill) {
      const left = some.filter((_, index) => !isChosen(index));
      return [...records.slice(0, -some.length), ...left];
    }
  }
  return null;
}

/** Whether an amount of major units is what a bill of these micro units says, or as many as they are. */
export function isBillOf(
  amount: string,
  { micro, currency }: { readonly micro: bigint; readonly currency: string },
): boolean {
  const decimals = minorUnitDecimals(currency);
  const minor = parseDecimal(amount, decimals);
  return minor !== null && [micro, ...billsOf(micro, currency)].includes(minor * microOf(decimals));
}

/** What bills say of these micro units: rounded to the minor unit, or more coarsely where the currency is billed so. */
function billsOf(micro: bigint, currency: string): readonly bigint[] {
  return [minorUnitDecimals(currency), billedDecimals(currency)].map(
    (decimals) => divideHalfUp(micro, microOf(decimals)) * microOf(decimals),
  );
}

/** Micro units in one unit of so many decimals. */
function microOf(decimals: number): bigint {
  return 10n ** BigInt(6 - decimals);
}
