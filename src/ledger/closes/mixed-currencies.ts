import { firstIds } from '../../text/counted.ts';
import type { MixedCurrencies } from './period-currencies-store.ts';

/** Says why a period in two currencies is not closed, and what gets it out (R15). */
export function describeMixed(mixed: MixedCurrencies, month: string): string {
  return `charges in ${mixed.currencies.join(' and ')}; a period has one currency: ${wayOutOfMixed(mixed, month)}`;
}

/**
 * Returns what gets a period out of two currencies. Its own calls are priced anew by the
 * tenant's book. What that does not reach keeps its currency: late calls of a time when the tenant paid in
 * another one, adjustments, and shares of pools.
 */
export function wayOutOfMixed({ charges }: MixedCurrencies, month: string): string {
  const own = new Set(charges.flatMap(({ what, currency }) => (what === 'call' ? currency : [])));
  const [currency = null] = own.size === 1 ? own : [];
  const others =
    own.size > 1
      ? []
      : charges.filter((some) => some.what !== 'call' && some.currency !== currency);
  const remedies = others.map(
    ({ what, currency: other, entries, entryIds }) =>
      `${WORDS[what][entries === 1 ? 0 : 1]} in ${other} (${firstIds(entryIds, entries)}): ${WAYS_OUT[what]}`,
  );
  return remedies.length > 0
    ? remedies.join('; ')
    : `rerate ${month} prices everything by the tenant's book, or correct the entries of the other`;
}

const WORDS = {
  call: ['a call', 'calls'],
  'late call': ['a late call', 'late calls'],
  adjustment: ['an adjustment', 'adjustments'],
  allocation: ['a share of a pool', 'shares of pools'],
} as const;

const WAYS_OUT = {
  call: 'price anew',
  'late call':
    'of a time when the tenant paid so; take it back by a correction, and charge it by an adjustment',
  adjustment: 'take it back, and make it again',
  allocation: 'reverse the pool, and allocate it again',
} as const;
