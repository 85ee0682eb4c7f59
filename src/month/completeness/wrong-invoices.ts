import type { Alert } from '../../push/alert.ts';
import type { InvoiceRow } from '../../stripe/invoices/invoice-store.ts';

/**
 * Returns what an open alert keeps from being whole: a period that stands on two invoices, on one that
 * was voided or on one that stays a draft or is gone is named by what it is (R24), and everything else as the
 * alert that it is.
 */
export function kindOfAlert(
  { kind, tenantId, periodStart }: Pick<Alert, 'kind' | 'tenantId' | 'periodStart'>,
  invoices: readonly InvoiceRow[],
): 'alert' | 'unbilled' | 'on_two_invoices' | 'on_voided_invoice' {
  if (kind === 'invoice_not_final' || kind === 'item_draft_gone') return 'unbilled';
  if (kind === 'invoice_void') return 'on_voided_invoice';
  if (kind !== 'invoice_differs') return 'alert';
  const billing = invoices.filter(
    (invoice) =>
      invoice.tenantId === tenantId &&
      invoice.periodStart === periodStart &&
      invoice.identifier === null &&
      invoice.state === 'finalized' &&
      invoice.quantity !== 0n,
  );
  return billing.length > 1 ? 'on_two_invoices' : 'alert';
}
