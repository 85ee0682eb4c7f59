import { formatInstant, type InstantMs, parseInstant } from '../../clock.ts';
import type { Manifest } from '../../ledger/closes/manifest.ts';
import { describeLine, type ExactLine, exactLines } from '../../ledger/closes/manifest-lines.ts';
import { exactPico, formatDecimal, formatPico, type Pico } from '../../money.ts';
import { priceOfUnit } from '../../rating/rate-usage.ts';
import { pricedTogether, unitOfMeter } from '../../units.ts';
import type { FocusRow } from './focus-columns.ts';
import { focusMeter } from './focus-meters.ts';
import type { FocusGroup } from './focus-store.ts';

/** The statement that rows belong to. */
export interface FocusStatement {
  readonly manifest: Manifest;
  readonly issuer: string;
  /** The invoice is Stripe's; null where there is none. */
  readonly invoiceId: string | null;
}

/** A row, and its billed cost as a number to reckon with. */
export interface CostedRow {
  readonly row: FocusRow;
  readonly billed: Pico;
}

/** Returns the rows of one day's group: one for each unit that was charged. Pure. */
export function rowsOfGroup(of: FocusGroup, statement: FocusStatement): readonly CostedRow[] {
  const { group } = of;
  const chargePeriod = chargePeriodOf(of, statement);
  return exactLines(group).map((line) => {
    const own = { ...commonOf(statement), ...chargePeriod };
    const late = { ChargeClass: group.late ? 'Correction' : '', Tags: tagsOf(of) };
    if (line.meter === 'adjustment') return withCost({ ...own, ...late, ...adjusted(line) }, line);
    if (line.meter === 'allocation') return withCost({ ...own, ...late, ...shared(line) }, line);
    const row = { ...own, ...late, ...usageOf(of, line) };
    return { row: { ...row, BilledCost: formatPico(line.exact) }, billed: line.exact };
  });
}

/**
 * Returns the rows that take the exact sum of the others to the total of the statement: what came
 * in and went out of other periods, and the one rounding. FOCUS has the category Adjustment for
 * that. Pure.
 */
export function roundingRows(statement: FocusStatement): readonly CostedRow[] {
  const { manifest } = statement;
  const carriedIn = exactPico(manifest.carried_in);
  const carriedOut = exactPico(manifest.carried_out);
  const rounding = exactPico(manifest.charge_total) - exactPico(manifest.billable);
  const rows = [
    { exact: carriedIn, words: 'Carried in from the period before' },
    { exact: -carriedOut, words: 'Carried on to the next period' },
    { exact: rounding, words: `Rounding: ${manifest.rounding}` },
  ];
  return rows
    .filter(({ exact }) => exact !== 0n)
    .map(({ exact, words }) =>
      withCost(
        {
          ...commonOf(statement),
          ChargePeriodStart: focusInstant(parseInstant(manifest.starts_at)),
          ChargePeriodEnd: focusInstant(parseInstant(manifest.ends_at)),
          ChargeCategory: 'Adjustment',
          ChargeDescription: words,
          ChargeFrequency: 'One-Time',
        },
        { exact },
      ),
    );
}

/** Returns what has one amount and no price of its own. */
function withCost(row: FocusRow, { exact }: { readonly exact: Pico }): CostedRow {
  const cost = formatPico(exact);
  const costs = { BilledCost: cost, ContractedCost: cost, EffectiveCost: cost, ListCost: cost };
  return { row: { ...row, ...costs }, billed: exact };
}

/** Columns that are the same in every row of a statement, and empty ones for the rest. */
function commonOf({ manifest, issuer, invoiceId }: FocusStatement): FocusRow {
  return {
    BilledCost: '0',
    BillingAccountId: manifest.tenant_id,
    BillingAccountName: manifest.tenant_id,
    BillingAccountType: 'Tenant',
    BillingCurrency: manifest.currency,
    BillingPeriodEnd: focusInstant(parseInstant(manifest.ends_at)),
    BillingPeriodStart: focusInstant(parseInstant(manifest.starts_at)),
    ChargeCategory: '',
    ChargeClass: '',
    ChargeDescription: '',
    ChargeFrequency: '',
    ChargePeriodEnd: '',
    ChargePeriodStart: '',
    ConsumedQuantity: '',
    ConsumedUnit: '',
    ContractedCost: '0',
    ContractedUnitPrice: '',
    EffectiveCost: '0',
    // A customer is not told who executes its calls.
    HostProviderName: '',
    InvoiceId: invoiceId ?? '',
    InvoiceIssuerName: issuer,
    ListCost: '0',
    ListUnitPrice: '',
    PricingCategory: '',
    PricingQuantity: '',
    PricingUnit: '',
    ProviderName: issuer,
    PublisherName: issuer,
    ServiceCategory: 'AI and Machine Learning',
    ServiceName: 'Model usage',
    ServiceProviderName: issuer,
    ServiceSubcategory: 'Generative AI',
    SkuId: '',
    SkuMeter: '',
    SkuPriceDetails: '',
    SkuPriceId: '',
    Tags: '',
  };
}

function usageOf(of: FocusGroup, line: ExactLine): Partial<FocusRow> {
  const { price } = of.group;
  const { quantity, rate, exact } = describeLine(line);
  const meter = focusMeter(line.meter);
  const listed = listRateOf(of, line);
  const [book, version] = price === null ? ['', ''] : [price.book, formatInstant(price.version)];
  const sku = [book, line.model, line.serviceTier, line.meter].join('/');
  return {
    ChargeCategory: 'Usage',
    ChargeDescription: `${line.model}: ${meter.name.toLowerCase()}`,
    ChargeFrequency: 'Usage-Based',
    ConsumedQuantity: quantity,
    ConsumedUnit: meter.consumed,
    ContractedCost: exact,
    ContractedUnitPrice: rate,
    EffectiveCost: exact,
    ListCost: formatPico(listed.rate * line.quantity),
    ListUnitPrice: formatPico(listed.rate * listed.together),
    PricingCategory: 'Standard',
    PricingQuantity: formatDecimal(line.quantity, meter.pricedDecimals),
    PricingUnit: meter.priced,
    SkuId: sku,
    SkuMeter: meter.name,
    SkuPriceDetails: JSON.stringify({ ModelId: line.model, x_ServiceTier: line.serviceTier }),
    // A version that holds for whole days may have several rows for a model, told apart by their price.
    SkuPriceId: `${sku}@${version}:${rate}`,
  };
}

/** Lists the list price of one counted unit, in picodollars; a call is counted in millionths. */
function listRateOf({ group, listRate }: FocusGroup, { meter }: ExactLine) {
  const unit = unitOfMeter(meter);
  if (listRate === null || group.price === null) return { rate: 0n, together: 1n };
  if (unit === null) return { rate: listRate.perCall / 1_000_000n, together: 1_000_000n };
  const rate = priceOfUnit(unit.name, listRate, group.price.caching) ?? 0n;
  return { rate, together: pricedTogether(unit) };
}

/** A credit lowers the bill; a fee is FOCUS's adjustment. Its reason stands where a model would. */
function adjusted(line: ExactLine): Partial<FocusRow> & object {
  return {
    ChargeCategory: line.exact < 0n ? 'Credit' : 'Adjustment',
    ChargeDescription: line.model,
    ChargeFrequency: 'One-Time',
  };
}

/** A share of a pool is bought for the month, one at the price that it comes to; one that is taken back counts below zero. */
function shared(line: ExactLine): Partial<FocusRow> & object {
  const isTakenBack = line.exact < 0n;
  const price = formatPico(isTakenBack ? -line.exact : line.exact);
  const sku = `pool/${line.model}`;
  return {
    ChargeCategory: 'Purchase',
    ChargeDescription: `Share of ${line.model}`,
    ChargeFrequency: 'Recurring',
    ContractedUnitPrice: price,
    ListUnitPrice: price,
    PricingCategory: 'Standard',
    PricingQuantity: isTakenBack ? '-1' : '1',
    PricingUnit: 'Shares',
    SkuId: sku,
    SkuPriceId: `${sku}:${price}`,
  };
}

function tagsOf({ tags }: FocusGroup): string {
  return Object.keys(tags).length === 0 ? '' : JSON.stringify(tags);
}

/**
 * Returns the customer's day; the part of it within the period, unless it belongs to an earlier
 * one.
 */
function chargePeriodOf(
  { group, dayStartsAt, dayEndsAt }: FocusGroup,
  { manifest }: FocusStatement,
): Pick<FocusRow, 'ChargePeriodStart' | 'ChargePeriodEnd'> {
  const starts = group.late ? dayStartsAt : Math.max(dayStartsAt, parseInstant(manifest.starts_at));
  const ends = group.late ? dayEndsAt : Math.min(dayEndsAt, parseInstant(manifest.ends_at));
  return { ChargePeriodStart: focusInstant(starts), ChargePeriodEnd: focusInstant(ends) };
}

/** FOCUS writes instants to the second. */
function focusInstant(instant: InstantMs): string {
  return formatInstant(instant).replace(/\.\d{3}Z$/, 'Z');
}
