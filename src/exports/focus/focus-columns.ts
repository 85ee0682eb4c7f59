import { csvRow } from '../../text/csv.ts';

/**
 * The columns of FOCUS 1.3 that hold for what is sold here, in the order of their names. ProviderName and
 * PublisherName are what older readers ask for; 1.3 has ServiceProviderName and HostProviderName beside them.
 */
const FOCUS_COLUMNS = [
  'BilledCost',
  'BillingAccountId',
  'BillingAccountName',
  'BillingAccountType',
  'BillingCurrency',
  'BillingPeriodEnd',
  'BillingPeriodStart',
  'ChargeCategory',
  'ChargeClass',
  'ChargeDescription',
  'ChargeFrequency',
  'ChargePeriodEnd',
  'ChargePeriodStart',
  'ConsumedQuantity',
  'ConsumedUnit',
  'ContractedCost',
  'ContractedUnitPrice',
  'EffectiveCost',
  'HostProviderName',
  'InvoiceId',
  'InvoiceIssuerName',
  'ListCost',
  'ListUnitPrice',
  'PricingCategory',
  'PricingQuantity',
  'PricingUnit',
  'ProviderName',
  'PublisherName',
  'ServiceCategory',
  'ServiceName',
  'ServiceProviderName',
  'ServiceSubcategory',
  'SkuId',
  'SkuMeter',
  'SkuPriceDetails',
  'SkuPriceId',
  'Tags',
] as const;

/** One row; an empty text is FOCUS's null. */
export type FocusRow = Readonly<Record<(typeof FOCUS_COLUMNS)[number], string>>;

const FIGURES: ReadonlySet<string> = new Set(
  FOCUS_COLUMNS.filter((column) => /Cost$|Quantity$|UnitPrice$/.test(column)),
);

export const FOCUS_HEAD = `${FOCUS_COLUMNS.join(',')}\r\n`;

export function focusLine(row: FocusRow): string {
  return csvRow(FOCUS_COLUMNS, row, FIGURES);
}
