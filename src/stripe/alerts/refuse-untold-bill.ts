import type { Database } from '../../database/database.ts';
import { formatDecimal } from '../../money.ts';
import type { KeptAlert } from '../../push/alert.ts';
import { readIntents } from '../../push/intent-store.ts';
import { dueOf } from '../../push/push-period.ts';
import { readTargets } from '../../push/target-store.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { readPeriodsOfInvoice } from '../invoices/invoice-store.ts';
import { findBilledBeyond } from '../meters/billed-beyond.ts';

/**
 * Refuses to resolve an invoice that differs while something of its periods is on record as told nowhere: the next push bills
 * that by an item, and whoever billed it by hand, or left the invoice to bill it, billed it twice. It is let go where as much is
 * recorded as settled as the invoice bills beyond the record.
 */
export async function refuseUntoldBill(database: Database, alert: KeptAlert): Promise<void> {
  if (alert.kind !== 'invoice_differs') return;
  const { tenantId, periodStart, subject, alertId } = alert;
  if (tenantId === null || periodStart === null) return;
  const kept = (await readPeriodsOfInvoice(database, subject)).map((row) => row.periodStart);
  const starts = new Set([periodStart, ...kept]);
  const targets = await readTargets(database, { month: null, tenantId });
  for (const target of targets.filter((each) => starts.has(each.periodStart))) {
    if (target.mode === 'shadow') continue;
    const due = dueOf(target, await readIntents(database, target));
    if (due <= 0n || (await findBilledBeyond(database, target))?.isExplained === true) continue;
    const month = target.periodStart.slice(0, 7);
    const settled = { operation: 'stripe settled', tenant_id: tenantId, month } as const;
    const alert_id = String(alertId);
    const resolve = { operation: 'stripe resolve', alert_id, nothing_else_billed: true } as const;
    throw new Refusal(
      'conflict',
      `${formatDecimal(due, 6)} ${target.currency} of tenant "${tenantId}" period ${target.periodStart} is neither told nor settled, and once alert ${alertId} is resolved an invoice item bills it`,
      advise`record with ${settled} what was billed of it by hand, or by that invoice and not credited; where nothing of it was, ${resolve}`,
    );
  }
}
