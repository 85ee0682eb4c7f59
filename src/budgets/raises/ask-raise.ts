import { formatInstant, formatInstantOrNull } from '../../clock.ts';
import { inTransaction } from '../../database/database.ts';
import { exactPico, type Pico } from '../../money.ts';
import type { Parts } from '../../parts.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { refuseUnknownTenant } from '../../tenants/asked-tenant.ts';
import { formatMeasure, type Measure } from '../budget.ts';
import type { AskRaiseRequest, RaiseAnswer, RaisesAnswer, RaisesRequest } from './raise-answer.ts';
import type { RaiseRow } from './raise-store.ts';
import { readBudget, readRaises, saveRaise } from './raise-store.ts';

/**
 * Asks an operator for a higher limit. Nothing changes until one answers; of one budget one request waits, so that a
 * program that asks at each denial asks once.
 */
export async function askRaise(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: AskRaiseRequest,
): Promise<RaiseAnswer> {
  const { tenant_id: tenantId, reason, actor } = request;
  const raise = await inTransaction(database, async (transaction) => {
    const budget = await readBudget(transaction, BigInt(request.budget_id), { locked: false });
    if (budget === null || budget.tenantId !== tenantId) {
      throw new Refusal(
        'not_found',
        `tenant "${tenantId}" has no budget ${request.budget_id}`,
        advise`name the budget as the answer that denied the call does, or see ${{ operation: 'budget list' }}`,
      );
    }
    const limit = readLimit(budget.measure, request.limit);
    if (limit <= budget.limit) {
      throw new Refusal(
        'bad_request',
        `the limit of budget ${request.budget_id} is ${formatMeasure(budget.measure, budget.limit)} already`,
        'ask for a higher one',
      );
    }
    return saveRaise(transaction, budget, { limit, reason, actor, at: clock() });
  });
  return tellRaise(raise);
}

/** Lists the requests that wait for an answer, or all of them. */
export async function listRaises(
  { database }: Pick<Parts, 'database'>,
  { tenant_id: tenantId, all }: RaisesRequest,
): Promise<RaisesAnswer> {
  await refuseUnknownTenant({ database }, tenantId);
  return (await readRaises(database, { tenantId, all })).map(tellRaise);
}

/** Reads a limit as it is given: an amount of money, or a whole number of tokens. */
export function readLimit(measure: Measure, text: string): Pico {
  if (measure === 'money') return exactPico(text);
  if (/^\d+$/.test(text)) return BigInt(text);
  throw new Refusal(
    'bad_request',
    `the budget limits tokens, and ${text} is not a whole number`,
    'give a whole number',
  );
}

export function tellRaise(row: RaiseRow): RaiseAnswer {
  const limitOf = (amount: Pico) => formatMeasure(row.measure, amount);
  return {
    request_id: row.request_id.toString(),
    tenant_id: row.tenant_id,
    budget_id: row.budget_id.toString(),
    measure: row.measure,
    currency: row.currency,
    state: row.state,
    limit_then: limitOf(row.amount_then),
    limit_asked: limitOf(row.amount_asked),
    limit_granted: row.amount_granted === null ? null : limitOf(row.amount_granted),
    asked_at: formatInstant(row.asked_at),
    asked_by: row.asked_by,
    asked_because: row.asked_because,
    answered_at: formatInstantOrNull(row.answered_at),
    answered_by: row.answered_by,
    answered_because: row.answered_because,
  };
}
