import { picoPerMinor } from '../../currencies.ts';
import { divideHalfUp, exactPico, formatDecimal, formatMinor } from '../../money.ts';
import { figureOf } from '../../text/counted.ts';

/** How figures and times of answers are written for people: in one form, wherever they stand. */

/** Writes an exact amount in the major unit, every digit of it. */
export function moneyText(amount: string): string {
  return figureOf(amount);
}

/** Rounds an amount once to the currency's minor unit, half up. */
export function centsOf(amount: string, currency: string): string {
  const minor = divideHalfUp(exactPico(amount), picoPerMinor(currency));
  return figureOf(formatMinor(minor, currency));
}

/**
 * Writes whole millionths of the major unit, in which a meter counts, as an amount with all six
 * decimals.
 */
export function amountOfMicro(micro: string): string {
  const [whole = '', part = ''] = micro.split('.');
  return figureOf(`${formatDecimal(BigInt(whole), 6)}${part}`);
}

/** Writes an instant of an answer to the second, in UTC; since ever where it has no begin. */
export function timeOf(instant: string): string {
  return instant === '-infinity' ? 'ever' : instant.replace(/(?:\.\d+)?(?:Z|\+00:00)$/, 'Z');
}

/**
 * Returns the text with every instant in it to the second, in UTC: what rooms say in sentences has
 * the same form as what tables show. JSON has them to the millisecond.
 */
export function inSeconds(text: string): string {
  return text.replaceAll(
    /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)(?![\d:])/g,
    '$1Z',
  );
}
