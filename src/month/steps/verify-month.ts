import { checkLaws } from '../../audit/laws/check-laws.ts';
import type { Alert } from '../../push/alert.ts';
import { readOpenAlerts } from '../../push/alert-store.ts';
import { remedyOf } from '../../stripe/alerts/alert-answer.ts';
import type { AlertKind } from '../../stripe/alerts/stripe-alert.ts';
import { lookAgainAtFinal } from '../../stripe/invoices/final-again.ts';
import { endWhatIsEqual } from '../../stripe/invoices/meter-bill.ts';
import { verifyReleased } from '../../stripe/invoices/verify-released.ts';
import { checkSummaries } from '../../stripe/summary-law.ts';
import { counted } from '../../text/counted.ts';
import type { MonthRequest } from '../month-answer.ts';
import { keyOfRow, type MonthParts, outcomeOf, type StepOutcome } from '../month-step.ts';

/** The laws, the final invoices, and what webhooks have found wrong about the month. */
export async function verifyMonth(
  parts: MonthParts,
  { month }: MonthRequest,
): Promise<StepOutcome> {
  await lookAgainAtFinal(parts, { month, tenantId: null });
  const left = await verifyReleased(parts, month);
  await endWhatIsEqual(parts, month);
  const lawParts = { ...parts, checkStripe: () => checkSummaries(parts, parts.untold) };
  const { withoutSchema = false } = parts;
  const laws = await checkLaws(lawParts, { scope: 'full', published: [], withoutSchema });
  // Why an intent is parked was said by the push.
  const alerts = (await readOpenAlerts(parts.database, month)).filter(
    (alert) => !(INTENTS_OWN.has(alert.kind) && parts.untold.has(keyOfAlert(alert))),
  );
  const outcome = outcomeOf(`${laws.length} laws checked`, {
    wrong: [
      ...laws.flatMap((law) => law.violations.map((violation) => `law ${law.law}: ${violation}`)),
      ...alerts.map(
        (alert) =>
          `${alert.tenantId === null ? '' : `tenant "${alert.tenantId}" `}${alert.kind} ${alert.subject}: ${alert.detail}; ${parts.phrase(remedyOf(alert))}`,
      ),
    ],
    unfinished: [],
  });
  const forNow = `; ${counted(left, 'invoice is', 'invoices are')} not final yet, and compared by a later run or by the server of webhooks`;
  return left === 0 ? outcome : { ...outcome, forNow };
}

function keyOfAlert({ tenantId, periodStart }: Alert): string {
  return keyOfRow({ tenant_id: tenantId, period_start: periodStart });
}

/** What an invoice lacks follows from what was not told, as long as that is so. */
const INTENTS_OWN: ReadonlySet<string> = new Set<AlertKind>([
  'invoice_differs',
  'push_parked',
  'meter_error',
  'no_meter_found',
]);
