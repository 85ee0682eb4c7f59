import { inTransaction, type Transaction } from '../../database/database.ts';
import type { Parts } from '../../parts.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { formatMeasure } from '../budget.ts';
import { readLimit, tellRaise } from './ask-raise.ts';
import type { ApproveRaiseRequest, RaiseAnswer, RefuseRaiseRequest } from './raise-answer.ts';
import type { RaiseRow } from './raise-store.ts';
import { answerRaise, lockRaise, readBudget } from './raise-store.ts';

/** Raises the limit to what was asked for, or to what the operator grants; the next call is judged by it. */
export async function approveRaise(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  { request_id: requestId, limit, reason, actor }: ApproveRaiseRequest,
): Promise<RaiseAnswer> {
  const raise = await inTransaction(database, async (transaction) => {
    const asked = await requireOpen(transaction, requestId);
    const budget = await readBudget(transaction, asked.budget_id, { locked: true });
    if (budget === null) {
      throw new Refusal(
        'conflict',
        `budget ${asked.budget_id}, of which request ${requestId} is, was taken away`,
        'refuse the request',
      );
    }
    if (budget.currency !== asked.currency) {
      throw new Refusal(
        'conflict',
        `budget ${asked.budget_id} is in ${budget.currency}, and request ${requestId} asks for ${asked.currency}`,
        'let it be asked for again, or refuse the request and set the budget',
      );
    }
    const granted = limit === null ? asked.amount_asked : readLimit(asked.measure, limit);
    if (granted <= budget.limit) {
      throw new Refusal(
        'conflict',
        `the limit of budget ${asked.budget_id} is ${formatMeasure(budget.measure, budget.limit)} already`,
        'grant a higher one, or refuse the request',
      );
    }
    return answerRaise(transaction, asked, { granted, reason, actor, at: clock() });
  });
  return tellRaise(raise);
}

/** Leaves the limit as it is, and keeps why. */
export async function refuseRaise(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  { request_id: requestId, reason, actor }: RefuseRaiseRequest,
): Promise<RaiseAnswer> {
  const raise = await inTransaction(database, async (transaction) => {
    const asked = await requireOpen(transaction, requestId);
    return answerRaise(transaction, asked, { granted: null, reason, actor, at: clock() });
  });
  return tellRaise(raise);
}

/** What was answered stays as it was answered: two operators do not overwrite each other. */
async function requireOpen(transaction: Transaction, requestId: string): Promise<RaiseRow> {
  const raise = await lockRaise(transaction, BigInt(requestId));
  if (raise?.state === 'open') return raise;
  const those = { operation: 'budget requests', all: raise !== null } as const;
  throw raise === null
    ? new Refusal('not_found', `there is no request ${requestId}`, advise`see ${those}`)
    : new Refusal(
        'conflict',
        `request ${requestId} was ${raise.state} by ${raise.answered_by} already`,
        advise`see ${those}; whoever needs more asks again`,
      );
}
