/**
 * Every currency that Stripe bills, with its minor unit: the one table. Amounts in code are picos of the major
 * unit, whatever the currency; the minor unit matters where a total is rounded, written, or compared with
 * an invoice.
 */

/** The currencies of two decimals, in which the least amount is a hundredth. */
const TWO_DECIMALS = `
  USD AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CNY COP
  CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR JMD KES KGS KHR
  KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK
  PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL THB TJS TOP TRY TTD TWD TZS UAH UYU UZS
  WST XCD XCG YER ZAR ZMW`;

/** The currencies without a minor unit: the API's amounts are whole units. */
const NO_DECIMALS = 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF';

/** The currencies that have no minor unit any more, while the API goes on counting hundredths that must be 00. */
const HUNDREDTHS_OF_NOTHING = 'ISK UGX';

/** The currencies of three decimals, of which Stripe takes only amounts whose last digit is 0. */
const THREE_DECIMALS = 'BHD JOD KWD OMR TND';

interface Currency {
  /** Decimals of the minor unit in which Stripe counts, and in which totals are written. */
  readonly decimals: number;
  /** Decimals of the least amount that is billed; the same but for a few. */
  readonly billedDecimals: number;
}

const CURRENCIES: ReadonlyMap<string, Currency> = new Map([
  ...currencies(TWO_DECIMALS, { decimals: 2, billedDecimals: 2 }),
  ...currencies(NO_DECIMALS, { decimals: 0, billedDecimals: 0 }),
  ...currencies(HUNDREDTHS_OF_NOTHING, { decimals: 2, billedDecimals: 0 }),
  ...currencies(THREE_DECIMALS, { decimals: 3, billedDecimals: 2 }),
]);

function currencies(codes: string, of: Currency): readonly (readonly [string, Currency])[] {
  return codes
    .trim()
    .split(/\s+/)
    .map((code) => [code, of] as const);
}

export const SUPPORTED_CURRENCIES: readonly string[] = [...CURRENCIES.keys()].sort();

/** What a refusal says is allowed; a list of them all would bury it. */
export const CURRENCY_ALLOWED =
  'a currency that Stripe bills, by its three capital letters, such as USD, EUR or JPY';

export function isSupportedCurrency(currency: string): boolean {
  return CURRENCIES.has(currency);
}

/**
 * Returns the decimals of the minor unit, such as 2 for USD. Throws on a currency that is not
 * supported.
 */
export function minorUnitDecimals(currency: string): number {
  return currencyOf(currency).decimals;
}

/**
 * Returns the decimals of the least amount that is billed: 2 for USD, 0 for ISK, 2 for KWD although
 * it has three.
 */
export function billedDecimals(currency: string): number {
  return currencyOf(currency).billedDecimals;
}

/** Returns the picodollars in one minor unit: 10¹⁰ for USD (a cent), 10¹² for JPY. */
export function picoPerMinor(currency: string): bigint {
  return 10n ** BigInt(12 - minorUnitDecimals(currency));
}

/** Returns the picodollars in the least amount that is billed: 10¹⁰ for USD, 10¹² for ISK. */
export function picoPerBilled(currency: string): bigint {
  return 10n ** BigInt(12 - billedDecimals(currency));
}

/**
 * Returns the minor units in the least amount that is billed: 1 for USD, 100 for ISK, 10 for KWD.
 */
export function minorPerBilled(currency: string): bigint {
  return 10n ** BigInt(minorUnitDecimals(currency) - billedDecimals(currency));
}

function currencyOf(code: string): Currency {
  const currency = CURRENCIES.get(code);
  if (currency === undefined) throw new Error(`currency ${code} is not supported`);
  return currency;
}
