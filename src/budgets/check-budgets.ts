import type { Parts } from '../parts.ts';
import { judgeCall } from './admission-store.ts';
import { askAbout, decideAll, tellDecisions } from './ask-budgets.ts';
import type { CheckAnswer, CheckRequest } from './budget-answer.ts';
import { callAsKept, type NamingParts } from './name-as-kept.ts';

/**
 * Asks every budget that concerns a call, and holds nothing: of many calls that ask at once each hears of
 * the same rest. A call that is to be sure of it reserves.
 */
export async function checkBudgets(
  parts: Pick<Parts, 'database' | 'clock'> & NamingParts,
  given: CheckRequest,
): Promise<CheckAnswer> {
  const { database, clock } = parts;
  const request = callAsKept(parts, given);
  const now = clock();
  const asked = { request, time: { from: now, until: now } };
  const { call, rows } = await askAbout(database, asked, (about) => judgeCall(database, about));
  return tellDecisions(decideAll(rows, call), call.estimate, false);
}
