import type { LineMeter } from '../../ledger/closes/manifest-lines.ts';
import { type Unit, unitOfMeter } from '../../units.ts';

/** What FOCUS calls a meter, and in which units its quantities are. */
export interface FocusMeter {
  /** SkuMeter, such as "Input Tokens". */
  readonly name: string;
  /** ConsumedUnit, such as "Tokens". */
  readonly consumed: string;
  /** PricingUnit, such as "1000000 Tokens". */
  readonly priced: string;
  /** By this power of ten a counted quantity is more than one in pricing units. */
  readonly pricedDecimals: number;
}

export function focusMeter(meter: LineMeter): FocusMeter {
  const unit = unitOfMeter(meter);
  if (unit === null)
    return { name: 'Calls', consumed: 'Calls', priced: 'Calls', pricedDecimals: 6 };
  const consumed = consumedUnit(unit);
  const name = title(unit.words[1]);
  const isNamed = name.endsWith(consumed) || consumed !== 'Tokens';
  return { name: isNamed ? name : `${name} ${consumed}`, consumed, ...pricingOf(unit, consumed) };
}

function pricingOf({ price }: Unit, consumed: string) {
  switch (price.per) {
    case 'million':
      return { priced: `1000000 ${consumed}`, pricedDecimals: 6 };
    case 'thousand':
      return { priced: `1000 ${consumed}`, pricedDecimals: 3 };
    case 'second':
      return { priced: consumed, pricedDecimals: 3 };
    case 'one':
      return { priced: consumed, pricedDecimals: 0 };
  }
}

/** Time is counted in seconds, and a unit that is no token has its own words. */
function consumedUnit({ side, price, words }: Unit): string {
  if (price.per === 'second') return 'Seconds';
  return side === 'call' ? title(words[1]) : 'Tokens';
}

function title(words: string): string {
  return words.replaceAll(/(?:^|[ -])[a-z]/g, (start) => start.toUpperCase());
}
