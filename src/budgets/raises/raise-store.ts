import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import type { Pico } from '../../money.ts';
import { present } from '../../present.ts';
import type { Budget, Measure } from '../budget.ts';
import { BUDGET_COLUMNS, type BudgetRow, budgetOf } from '../budget-store.ts';

/** A request to raise a limit, as the table has it. */
export interface RaiseRow {
  readonly request_id: bigint;
  readonly tenant_id: string;
  readonly budget_id: bigint;
  readonly measure: Measure;
  readonly currency: string | null;
  readonly state: 'open' | 'approved' | 'refused';
  readonly amount_then: Pico;
  readonly amount_asked: Pico;
  readonly amount_granted: Pico | null;
  readonly asked_at: InstantMs;
  readonly asked_by: string;
  readonly asked_because: string;
  readonly answered_at: InstantMs | null;
  readonly answered_by: string | null;
  readonly answered_because: string | null;
}

const COLUMNS = `r.request_id, r.tenant_id, r.budget_id, r.measure, r.currency, r.state, r.amount_then, r.amount_asked,
    r.amount_granted, r.asked_at, r.asked_by, r.asked_because, r.answered_at, r.answered_by, r.answered_because`;

/**
 * Reads a budget by its number; locked, where its limit is about to change. Null where there is
 * none.
 */
export async function readBudget(
  { client }: Transaction,
  budgetId: bigint,
  { locked }: { readonly locked: boolean },
): Promise<Budget | null> {
  const { rows } = await client.query<BudgetRow>(
    `select ${BUDGET_COLUMNS} from budgets b where budget_id = $1${locked ? ' for update' : ''}`,
    [budgetId],
  );
  return rows[0] === undefined ? null : budgetOf(rows[0]);
}

/**
 * Keeps that somebody asks. Of one budget one request waits: who asks again changes it, its currency, too, and who
 * asks the same again changes nothing.
 */
export async function saveRaise(
  { client }: Transaction,
  budget: Budget,
  asked: {
    readonly limit: Pico;
    readonly reason: string;
    readonly actor: string;
    readonly at: InstantMs;
  },
): Promise<RaiseRow> {
  const { tenantId, budgetId, measure, currency, limit } = budget;
  await client.query(
    `insert into budget_raises as r (tenant_id, budget_id, measure, currency, amount_then, amount_asked, asked_because,
       asked_by, asked_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (tenant_id, budget_id) where state = 'open' do update
       set currency = excluded.currency, amount_then = excluded.amount_then, amount_asked = excluded.amount_asked,
         asked_because = excluded.asked_because, asked_by = excluded.asked_by, asked_at = excluded.asked_at
       where (r.currency, r.amount_then, r.amount_asked, r.asked_because)
         is distinct from (excluded.currency, excluded.amount_then, excluded.amount_asked, excluded.asked_because)`,
    [
      ...[tenantId, budgetId, measure, currency, limit],
      ...[asked.limit, asked.reason, asked.actor, formatInstant(asked.at)],
    ],
  );
  const { rows } = await client.query<RaiseRow>(
    `select ${COLUMNS} from budget_raises r where tenant_id = $1 and budget_id = $2 and state = 'open'`,
    [tenantId, budgetId],
  );
  return present(rows[0], 'the request that was kept');
}

/**
 * Reads and locks a request by its number, which nobody else answers until the transaction ends;
 * null where there is none.
 */
export async function lockRaise(
  { client }: Transaction,
  requestId: bigint,
): Promise<RaiseRow | null> {
  const { rows } = await client.query<RaiseRow>(
    `select ${COLUMNS} from budget_raises r where request_id = $1 for update`,
    [requestId],
  );
  return rows[0] ?? null;
}

/** Keeps the answer; a limit that was granted holds from here on. */
export async function answerRaise(
  { client }: Transaction,
  raise: Pick<RaiseRow, 'request_id' | 'budget_id'>,
  answer: {
    /** It is null for a refusal. */
    readonly granted: Pico | null;
    readonly reason: string;
    readonly actor: string;
    readonly at: InstantMs;
  },
): Promise<RaiseRow> {
  const { granted, reason, actor } = answer;
  const at = formatInstant(answer.at);
  if (granted !== null) {
    await client.query(
      'update budgets set amount = $2, set_at = $3, set_by = $4 where budget_id = $1',
      [raise.budget_id, granted, at, actor],
    );
  }
  const { rows } = await client.query<RaiseRow>(
    `update budget_raises r set state = case when $2::numeric is null then 'refused' else 'approved' end,
       amount_granted = $2, answered_at = $3, answered_by = $4, answered_because = $5
     where request_id = $1 returning ${COLUMNS}`,
    [raise.request_id, granted, at, actor, reason],
  );
  return present(rows[0], 'the request that was answered');
}

export async function readRaises(
  { pool }: Database,
  of: { readonly tenantId: string | null; readonly all: boolean },
): Promise<readonly RaiseRow[]> {
  const { rows } = await pool.query<RaiseRow>(
    `select ${COLUMNS} from budget_raises r
     where ($1::text is null or tenant_id = $1) and ($2 or state = 'open')
     order by state <> 'open', asked_at, request_id`,
    [of.tenantId, of.all],
  );
  return rows;
}
