import { divideHalfUp, type Pico } from '../money.ts';

/** The projected charge of a month if usage continues at its pace. */
interface Projection {
  readonly charge: Pico;
  readonly method: 'weekdays' | 'days';
  /** The number of whole past days on which it is based. */
  readonly fromDays: number;
}

interface Asked {
  /** The charge of the month up to now, with what of today is there. */
  readonly toDate: Pico;
  readonly today: Pico;
  /** Days of the month from tomorrow on. */
  readonly daysToCome: number;
  /** The charges of the whole days before today, the newest first; as many as are known. */
  readonly daysBefore: readonly Pico[];
}

const WEEK = 7;
const WEEKS = 4;

/**
 * Projects a month: the month to date, what of today is still to come, and each day to come as the
 * same weekdays of the last four weeks were on the average; without two whole weeks, as all days
 * before were. Today never comes to less than it has. Null where there is no day before.
 */
export function projectMonth({ toDate, today, daysToCome, daysBefore }: Asked): Projection | null {
  const known = daysBefore.slice(0, WEEK * WEEKS);
  if (known.length === 0) return null;
  const isWeekly = known.length >= 2 * WEEK;
  const expected = (ahead: number) =>
    // Today is a whole number of weeks after every seventh day before it.
    isWeekly ? known.filter((_, back) => (back + 1 + ahead) % WEEK === 0) : known;
  const days = Array.from({ length: daysToCome }, (_, index) => average(expected(index + 1)));
  const restOfToday = average(expected(0)) - today;
  return {
    charge: [toDate, restOfToday > 0n ? restOfToday : 0n, ...days].reduce((sum, one) => sum + one),
    method: isWeekly ? 'weekdays' : 'days',
    fromDays: known.length,
  };
}

function average(amounts: readonly Pico[]): Pico {
  if (amounts.length === 0) return 0n;
  return divideHalfUp(
    amounts.reduce((sum, amount) => sum + amount, 0n),
    BigInt(amounts.length),
  );
}
