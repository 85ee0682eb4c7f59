import { closePeriods } from '../../ledger/closes/close-periods.ts';
import { lastEndedMonth } from '../last-ended-month.ts';
import type { MonthRequest } from '../month-answer.ts';
import { keyOfRow, type MonthParts, named, outcomeOf, type StepOutcome } from '../month-step.ts';

/**
 * Closes the periods of all tenants that have ended. Once the month is over everywhere, those that go on are those of a later
 * anchor day: they are named, and are no fault of the month. A run after their end closes them.
 */
export async function closeMonth(parts: MonthParts, { month }: MonthRequest): Promise<StepOutcome> {
  const answers = await closePeriods(parts, { month, tenant_id: null });
  const refused = answers.filter((answer) => answer.state === 'refused');
  for (const period of refused) parts.untold.add(keyOfRow(period));
  const early = answers.filter((answer) => answer.state === 'not_ended');
  const closed = answers.length - refused.length - early.length;
  const summary = `${closed} of ${answers.length} periods closed`;
  const wrong = refused.map((answer) => `tenant "${answer.tenant_id}": ${answer.detail ?? ''}`);
  const goOn = early.map((answer) => `tenant "${answer.tenant_id}" ${answer.detail ?? ''}`);
  const isOver = month <= lastEndedMonth(parts).name;
  if (!isOver || goOn.length === 0) return outcomeOf(summary, { wrong, unfinished: goOn });
  return outcomeOf(`${summary}; not ended yet: ${named(goOn)}`, { wrong, unfinished: [] });
}
