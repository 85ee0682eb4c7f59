import { compareMonth } from '../../stripe/reconcile-month.ts';
import type { MonthRequest } from '../month-answer.ts';
import { keyOfRow, type MonthParts, outcomeOf, type StepOutcome } from '../month-step.ts';

/** Compares what was told with what Stripe's summaries show. */
export async function confirmPushes(
  parts: MonthParts,
  { month }: MonthRequest,
): Promise<StepOutcome> {
  const all = await compareMonth(parts, { month, tenant_id: null });
  const rows = all.filter((row) => !parts.untold.has(keyOfRow(row)));
  const describe = (row: (typeof rows)[number]) =>
    `tenant "${row.tenant_id}" ${row.difference}: ledger ${row.ledger}, confirmed ${row.confirmed}, Stripe ${row.stripe ?? 'nothing'}${row.detail === null ? '' : `; ${row.detail}`}${row.remedy === null ? '' : `; ${parts.phrase(row.remedy)}`}`;
  const wrong = rows.filter((row) => !row.explained);
  for (const row of wrong) parts.untold.add(keyOfRow(row));
  const waiting = rows.filter((row) => ['lag', 'in_flight'].includes(row.difference));
  return outcomeOf(`${all.length} periods compared with Stripe`, {
    wrong: wrong.map(describe),
    unfinished: waiting.map(describe),
  });
}
