import { pushMonth } from '../../stripe/push-month.ts';
import type { MonthRequest } from '../month-answer.ts';
import { type MonthParts, outcomeOf, type StepOutcome } from '../month-step.ts';

/** Tells Stripe what each closed period came to. */
export async function pushPeriods(
  parts: MonthParts,
  { month }: MonthRequest,
): Promise<StepOutcome> {
  const results = await pushMonth(parts, { month, tenant_id: null, dry_run: false });
  const those = (states: readonly string[]) =>
    results
      .filter((result) => states.includes(result.state))
      .map((result) => `tenant "${result.tenant_id}" ${result.state}: ${result.detail ?? ''}`);
  const confirmed = results.filter((result) => result.state === 'confirmed').length;
  return outcomeOf(`${confirmed} of ${results.length} periods told to Stripe`, {
    wrong: those(['refused', 'parked']),
    unfinished: those(['sent', 'ambiguous', 'busy', 'skipped']),
  });
}
