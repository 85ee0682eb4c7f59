import { lastMonth } from '../../clock.ts';
import type { ClosedPeriod } from '../../ledger/closes/close-answer.ts';
import { closePeriods } from '../../ledger/closes/close-periods.ts';
import { lastEndedMonth } from '../last-ended-month.ts';
import type { MonthRequest } from '../month-answer.ts';
import { keyOfRow, type MonthParts, named, outcomeOf, type StepOutcome } from '../month-step.ts';

/**
 * Closes the periods of all tenants that have ended. Once the month is over, those that go on are those of a later anchor
 * day, and those of a zone in which it is the last day still. The former are named, and are no fault of the month: a run
 * after their end closes them.
 */
export async function closeMonth(parts: MonthParts, { month }: MonthRequest): Promise<StepOutcome> {
  const answers = await closePeriods(parts, { month, tenant_id: null });
  const refused = answers.filter((answer) => answer.state === 'refused');
  for (const period of refused) parts.untold.add(keyOfRow(period));
  const early = answers.filter((answer) => answer.state === 'not_ended');
  const closed = answers.length - refused.length - early.length;
  const summary = `${closed} of ${answers.length} periods closed`;
  const wrong = refused.map((answer) => `tenant "${answer.tenant_id}": ${answer.detail ?? ''}`);
  const isOver = month <= lastMonth(parts.clock);
  const isOverEverywhere = month <= lastEndedMonth(parts).name;
  const goesOn = ({ period_start: start }: ClosedPeriod) =>
    isOverEverywhere || (isOver && !start.endsWith('-01'));
  const [later, awaited] = [early.filter(goesOn), early.filter((period) => !goesOn(period))];
  const notEnded = later.length === 0 ? '' : `; not ended yet: ${named(later.map(whenEnds))}`;
  return outcomeOf(`${summary}${notEnded}`, { wrong, unfinished: awaited.map(whenEnds) });
}

function whenEnds({ tenant_id: tenantId, detail }: ClosedPeriod): string {
  return `tenant "${tenantId}" ${detail ?? ''}`;
}
