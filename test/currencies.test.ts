import { expect, it } from 'vitest';
import {
  billedDecimals,
  isSupportedCurrency,
  minorUnitDecimals,
  SUPPORTED_CURRENCIES,
} from '../src/currencies.ts';
import { billableOf } from '../src/ledger/closes/billable.ts';
import { exactPico, formatMinor } from '../src/money.ts';

it.each([
  ['USD', 2, 2],
  ['HUF', 2, 2],
  ['TWD', 2, 2],
  ['JPY', 0, 0],
  ['KRW', 0, 0],
  ['ISK', 2, 0],
  ['UGX', 2, 0],
  ['KWD', 3, 2],
  ['TND', 3, 2],
])('%s is counted with %i decimals and billed with %i', (currency, counted, billed) => {
  expect([minorUnitDecimals(currency), billedDecimals(currency)]).toEqual([counted, billed]);
});

it('no currency stands in the table twice, and a stranger is not in it', () => {
  expect(new Set(SUPPORTED_CURRENCIES).size).toBe(SUPPORTED_CURRENCIES.length);
  expect(isSupportedCurrency('XBT')).toBe(false);
  expect(isSupportedCurrency('usd')).toBe(false);
});

it.each([
  ['USD', '12.345', '12.35'],
  ['JPY', '12.5', '13'],
  ['ISK', '12.5', '13.00'],
  ['UGX', '12.499999', '12.00'],
  ['KWD', '12.345', '12.350'],
  ['KWD', '12.344999', '12.340'],
])('a total in %s of %s is %s, rounded once to the least amount that is billed', (...of) => {
  const [currency, exact, total] = of;
  expect(formatMinor(billableOf(exactPico(exact), 0n, currency).total, currency)).toBe(total);
});
