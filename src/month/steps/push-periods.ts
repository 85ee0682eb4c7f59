import type { PushedPeriod } from '../../push/push-answer.ts';
import type { Fault } from '../../remedy.ts';
import { pushMonth } from '../../stripe/push-month.ts';
import { counted } from '../../text/counted.ts';
import type { MonthRequest } from '../month-answer.ts';
import { keyOfRow, type MonthParts, outcomeOf, type StepOutcome } from '../month-step.ts';

/** Tells Stripe what each closed period came to. */
export async function pushPeriods(
  parts: MonthParts,
  { month }: MonthRequest,
): Promise<StepOutcome> {
  let outage: Fault | null = null;
  const onOutage = (reason: Fault) => {
    outage = reason;
  };
  const request = { month, tenant_id: null, dry_run: false };
  const results = await pushMonth({ ...parts, onOutage }, request);
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
      unfinished:
        outage === null
          ? unfinished.filter(isUnsaid).map(describe(parts))
          : [describeOutage(parts, outage, unfinished.length)],
    },
  );
  for (const row of [...wrong, ...unfinished]) parts.untold.add(keyOfRow(row));
  const isStripeAway = outage !== null;
  if (said === 0) return { ...outcome, isStripeAway };
  const detail = `${outcome.detail}; ${said} cannot be told, as the check says`;
  return { state: 'wrong', detail, isStripeAway };
}

/** A fault that concerns every tenant is reported once, and not for each. */
function describeOutage({ phrase }: MonthParts, outage: Fault, waiting: number): string {
  const remedy = outage.remedy === null ? '' : `; ${phrase(outage.remedy)}`;
  return `${counted(waiting, 'period waits', 'periods wait')}: ${outage.fault}${remedy}`;
}

const WRONG = ['refused', 'parked'];
const UNFINISHED = ['sent', 'ambiguous', 'busy', 'skipped'];

function describe({ phrase }: MonthParts): (row: PushedPeriod) => string {
  return ({ tenant_id: tenantId, state, detail, remedy }) =>
    `tenant "${tenantId}" ${state}: ${detail ?? ''}${remedy === null ? '' : `; ${phrase(remedy)}`}`;
}
