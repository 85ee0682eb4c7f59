import { counted } from '../../counted.ts';
import type { PushedPeriod } from '../../push/push-answer.ts';
import type { Fault } from '../../remedy.ts';
import { pushMonth } from '../../stripe/push-month.ts';
import type { MonthRequest } from '../month-answer.ts';
import { keyOfRow, type MonthParts, outcomeOf, type StepOutcome } from '../month-step.ts';

/** Tells Stripe what each closed period came to. */
export async function pushPeriods(
  parts: MonthParts,
  { month }: MonthRequest,
): Promise<StepOutcome> {
  let silence: Fault | null = null;
  const onSilence = (reason: Fault) => {
    silence = reason;
  };
  const request = { month, tenant_id: null, dry_run: false };
  const results = await pushMonth({ ...parts, onSilence }, request);
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
        silence === null
          ? unfinished.filter(isUnsaid).map(describe(parts))
          : [describeSilence(parts, silence, unfinished.length)],
    },
  );
  for (const row of [...wrong, ...unfinished]) parts.untold.add(keyOfRow(row));
  const isSilent = silence !== null;
  if (said === 0) return { ...outcome, isSilent };
  const detail = `${outcome.detail}; ${said} cannot be told, as the check says`;
  return { state: 'wrong', detail, isSilent };
}

/** What is everybody's is said once, and not of each. */
function describeSilence({ phrase }: MonthParts, silence: Fault, waiting: number): string {
  const remedy = silence.remedy === null ? '' : `; ${phrase(silence.remedy)}`;
  return `${counted(waiting, 'period waits', 'periods wait')}: ${silence.fault}${remedy}`;
}

const WRONG = ['refused', 'parked'];
const UNFINISHED = ['sent', 'ambiguous', 'busy', 'skipped'];

function describe({ phrase }: MonthParts): (row: PushedPeriod) => string {
  return ({ tenant_id: tenantId, state, detail, remedy }) =>
    `tenant "${tenantId}" ${state}: ${detail ?? ''}${remedy === null ? '' : `; ${phrase(remedy)}`}`;
}
