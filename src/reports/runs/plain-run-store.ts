import type { Transaction } from '../../database/database.ts';
import { IS_WAITING } from '../../ledger/entries/waiting.ts';
import type { Pico } from '../../money.ts';
import type { SpansOfRun } from './agent-run.ts';
import type { RunFigures } from './run-figures.ts';
import {
  ASKED,
  CALLS,
  entryIsKnown,
  handOnRuns,
  IN_MONTH,
  RUN_OF,
  type RunQuestion,
  spanIsKnown,
  spansOf,
  valuesOf,
} from './run-store.ts';

/**
 * Most runs are plain: each of their calls answered at its first attempt and was never corrected, no wrapper is around
 * them, and they are too few for a loop. Such a run succeeded and spent nothing before its answer, so that its sums
 * tell all of it, and Postgres makes them.
 */
export interface PlainRuns {
  readonly count: number;
  /** All of them, summed by tenant and feature, each with its feature for a name. */
  readonly sums: readonly RunFigures[];
  /** As many as were asked for of those that stand first in any order, each with its run for a name. */
  readonly first: readonly RunFigures[];
}

interface Asked {
  readonly question: RunQuestion;
  /** Growing repetitions that make a loop: a run with so many calls may have one. */
  readonly loopSteps: number;
}

/** Reads the plain runs of a question. Nothing of them was wasted, so in each order the dearest of them stand first. */
export async function readPlainRuns(
  { client }: Transaction,
  { question, loopSteps, most }: Asked & { readonly most: number },
): Promise<PlainRuns> {
  await client.query(`set local work_mem = '${MEMORY_OF_RUNS}'`);
  const values = [...valuesOf(question), loopSteps, most];
  const dearest = (
    which: string,
  ) => `(select false as is_sum, tenant_id, run_id as name, currency, 1::bigint as runs,
      calls, uncosted, uncharged, charge, not_due, cost
    from runs where not is_told ${which} order by cost desc, run_id collate "C", tenant_id collate "C", currency limit $${values.length})`;
  const { rows } = await client.query<PlainRow>(
    `with runs as materialized (${runsOf(question)})
     select true as is_sum, tenant_id, feature as name, currency, count(*) as runs, sum(calls)::bigint as calls,
       sum(uncosted)::bigint as uncosted, sum(uncharged)::bigint as uncharged, sum(charge) as charge, sum(not_due) as not_due, sum(cost) as cost
     from runs where not is_told group by tenant_id, feature, currency
     union all (${dearest('')} union ${dearest('and uncosted = 0 and cost > 0')})`,
    values,
  );
  const sums = rows.filter(({ is_sum }) => is_sum).map(figuresOfRow);
  return {
    count: sums.reduce((all, { runs }) => all + runs, 0),
    sums,
    first: rows.filter(({ is_sum }) => !is_sum).map(figuresOfRow),
  };
}

/** Hands on every run that is not plain, with all of its spans. */
export async function eachTellingRun(
  transaction: Transaction,
  { question, loopSteps }: Asked,
  work: (run: SpansOfRun) => void,
): Promise<void> {
  const text = `select * from (${spansOf(question)}) spans
    where (tenant_id, run_id) in (select tenant_id, run_id from (${runsOf(question)}) runs where is_told)`;
  await handOnRuns(transaction, { text, values: [...valuesOf(question), loopSteps] }, work);
}

/** So much holds the sums of some hundred thousand runs; of more, Postgres writes a part to disk. */
const MEMORY_OF_RUNS = '64MB';

/** The runs of a question with their sums, and whether there is more to tell of one; the next value is of loops. */
function runsOf(question: RunQuestion): string {
  const loopSteps = `$${valuesOf(question).length + 1}`;
  return `
    select tenant_id, run_id, min(currency) as currency, min(feature) as feature, count(*) as calls,
      count(*) filter (where cost is null) as uncosted, count(*) filter (where waits) as uncharged,
      coalesce(sum(charge), 0) as charge,
      coalesce(sum(charge) filter (where not_due), 0) as not_due, coalesce(sum(cost), 0) as cost,
      bool_or(is_told) or count(*) >= ${loopSteps}::int or min(currency) <> max(currency)
        or count(feature) not in (0, count(*)) or coalesce(min(feature) <> max(feature), false) as is_told
    from (
      select tenant_id, ${RUN_OF} as run_id, currency, feature, cost, charge, not_due, ${IS_WAITING} as waits,
        status <> 'ok' or attempt > 1 or is_reversal or corrects_entry_id is not null as is_told
      from entries
      where ${CALLS} and ${RUN_OF} is not null and ${ASKED} and ${entryIsKnown('$4')}
        ${question.month == null ? '' : `and ${IN_MONTH}`}
      union all
      select tenant_id, ${RUN_OF}, null, null, null, null, null, null, true
      from structure_spans where ${RUN_OF} is not null and ${ASKED} and ${spanIsKnown('$4')}
    ) steps group by tenant_id, run_id`;
}

interface PlainRow {
  readonly is_sum: boolean;
  readonly tenant_id: string;
  readonly name: string | null;
  readonly currency: string;
  readonly runs: bigint;
  readonly calls: bigint;
  readonly uncosted: bigint;
  readonly uncharged: bigint;
  readonly charge: Pico;
  readonly not_due: Pico;
  readonly cost: Pico;
}

function figuresOfRow(row: PlainRow): RunFigures {
  return {
    tenantId: row.tenant_id,
    name: row.name,
    currency: row.currency,
    runs: Number(row.runs),
    succeeded: Number(row.runs),
    calls: Number(row.calls),
    uncosted: Number(row.uncosted),
    uncharged: Number(row.uncharged),
    charge: row.charge,
    notDue: row.not_due,
    cost: row.cost,
    runCost: row.cost,
    runUncosted: Number(row.uncosted),
    ...NOTHING_WASTED,
  };
}

const NOTHING_WASTED = {
  failed: 0,
  laterAttempts: 0,
  loops: 0,
  loopSteps: 0,
  wastedUncosted: 0,
  wastedCharge: 0n,
  wastedCost: 0n,
  costBefore: { failed: 0n, superseded: 0n, repeated: 0n },
};
