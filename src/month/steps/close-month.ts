import { closePeriods } from '../../ledger/closes/close-periods.ts';
import type { MonthRequest } from '../month-answer.ts';
import { keyOfRow, type MonthParts, outcomeOf, type StepOutcome } from '../month-step.ts';

/** Closes the periods of all tenants that have ended. */
export async function closeMonth(parts: MonthParts, { month }: MonthRequest): Promise<StepOutcome> {
  const answers = await closePeriods(parts, { month, tenant_id: null });
  const refused = answers.filter((answer) => answer.state === 'refused');
  for (const period of refused) parts.untold.add(keyOfRow(period));
  const early = answers.filter((answer) => answer.state === 'not_ended');
  const closed = answers.length - refused.length - early.length;
  return outcomeOf(`${closed} of ${answers.length} periods closed`, {
    wrong: refused.map((answer) => `tenant "${answer.tenant_id}": ${answer.detail ?? ''}`),
    unfinished: early.map((answer) => `tenant "${answer.tenant_id}" ${answer.detail ?? ''}`),
  });
}
