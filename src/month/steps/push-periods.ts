import type { PushedPeriod } from '../../push/push-answer.ts';
import { pushMonth } from '../../stripe/push-month.ts';
import type { MonthRequest } from '../month-answer.ts';
import { keyOfRow, type MonthParts, outcomeOf, type StepOutcome } from '../month-step.ts';

/** Tells Stripe what each closed period came to. */
export async function pushPeriods(
  parts: MonthParts,
  { month }: MonthRequest,
): Promise<StepOutcome> {
  const results = await pushMonth(parts, { month, tenant_id: null, dry_run: false });
  const those = (states: readonly string[]) =>
    results.filter(({ state }) => states.includes(state));
  const [wrong, unfinished] = [those(WRONG), those(UNFINISHED)];
  // The check has said already who has no customer.
  const isUnsaid = ({ tenant_id: tenantId }: PushedPeriod) => !parts.unlinked.has(tenantId);
  const said = wrong.filter((row) => !isUnsaid(row)).length;
  const outcome = outcomeOf(
    `${results.filter(({ state }) => state === 'confirmed').length} of ${results.length} periods told to Stripe`,
    {
      wrong: wrong.filter(isUnsaid).map(describe(parts)),
      unfinished: unfinished.filter(isUnsaid).map(describe(parts)),
    },
  );
  for (const row of [...wrong, ...unfinished]) parts.untold.add(keyOfRow(row));
  if (said === 0) return outcome;
  return { state: 'wrong', detail: `${outcome.detail}; ${said} cannot be told, as the check says` };
}

const WRONG = ['refused', 'parked'];
const UNFINISHED = ['sent', 'ambiguous', 'busy', 'skipped'];

function describe({ phrase }: MonthParts): (row: PushedPeriod) => string {
  return ({ tenant_id: tenantId, state, detail, remedy }) =>
    `tenant "${tenantId}" ${state}: ${detail ?? ''}${remedy === null ? '' : `; ${phrase(remedy)}`}`;
}
