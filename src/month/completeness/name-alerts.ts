import type { Parts } from '../../parts.ts';
import type { KeptAlert } from '../../push/alert.ts';
import { readOpenAlerts } from '../../push/alert-store.ts';
import { remedyOf } from '../../stripe/alerts/alert-answer.ts';
import { readInvoices } from '../../stripe/invoices/invoice-store.ts';
import type { Scope } from './completeness-store.ts';
import { type MissingFound, NO_AMOUNT } from './missing-found.ts';
import { invoiceRemedy } from './missing-remedy.ts';
import { findPauses } from './paused-collections.ts';
import { kindOfAlert } from './wrong-invoices.ts';

/** Names the open alerts, and the tenants whose collection is paused, so that what their month came to is not paid. */
export async function nameAlerts(
  { database }: Pick<Parts, 'database'>,
  { month, tenantId }: Scope,
): Promise<readonly MissingFound[]> {
  const alerts = await readOpenAlerts(database, month);
  const invoices = alerts.length === 0 ? [] : await readInvoices(database, { month, tenantId });
  const ofItems = new Set(
    invoices.flatMap(({ invoiceId, identifier }) => (identifier === null ? [] : invoiceId)),
  );
  const pauses = await findPauses(database, { month, tenantId });
  return [
    ...alerts
      .filter(
        (alert) => tenantId === null || alert.tenantId === null || alert.tenantId === tenantId,
      )
      .map((alert) => alertThing(alert, kindOfAlert(alert, invoices), ofItems.has(alert.subject))),
    ...pauses.map((alert) => alertThing(alert, 'alert')),
  ];
}

function alertThing(
  alert: KeptAlert,
  kind: ReturnType<typeof kindOfAlert>,
  isOfItem = false,
): MissingFound {
  const { alertId, tenantId, periodStart } = alert;
  const month = periodStart?.slice(0, 7) ?? null;
  return {
    about: String(alertId),
    names: [alert.detail],
    thing: {
      kind,
      tenant_id: tenantId,
      period_start: periodStart,
      count: 1,
      ...NO_AMOUNT,
      detail: `alert ${alertId}, ${alert.kind} ${alert.subject}: ${alert.detail}`,
      remedy:
        // What an item was made for is settled by no record.
        kind === 'alert' || kind === 'unbilled' || (kind === 'on_voided_invoice' && isOfItem)
          ? remedyOf(alert)
          : invoiceRemedy(kind, { alertId, tenantId, month }),
    },
  };
}
