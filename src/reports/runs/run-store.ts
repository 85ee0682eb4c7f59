import { formatInstant, type InstantMs } from '../../clock.ts';
import { eachRow } from '../../database/cursor.ts';
import type { Database, Transaction } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import type { EventStatus } from '../../events/event.ts';
import { IS_WAITING } from '../../ledger/entries/waiting.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import type { SpansOfRun } from './agent-run.ts';
import type { RunFigures } from './run-figures.ts';
import type { RunEntry, RunSpan } from './run-step.ts';
import type { RunGroup } from './runs-answer.ts';

export interface RunQuestion {
  readonly tenantId: string | null;
  /** The month in which the periods begin that calls are billed in; absent or null for any. */
  readonly month?: string | null;
  /** Calls that completed on whole UTC days, half-open; a run across a bound shows its part. */
  readonly from: InstantMs | null;
  readonly to: InstantMs | null;
  /** What was recorded up to this instant, and nothing later; everything where it is absent. */
  readonly asOf?: InstantMs;
}

/** Where a span names no run, its trace is one. */
export const RUN_OF = 'coalesce(agent_run_id, trace_id)';

/**
 * Hands on the runs whose spans a statement gives, one after the other, so that no more than one is in memory: a run's
 * story needs every step, and no rollup has those.
 */
export async function handOnRuns(
  transaction: Transaction,
  { text, values }: { readonly text: string; readonly values: readonly unknown[] },
  work: (run: SpansOfRun) => void,
): Promise<void> {
  const grouping = new RunGrouping(work);
  const ordered = `select * from (${text}) s order by tenant_id, run_id collate "C"`;
  await eachRow<SpanRow>(transaction, { text: ordered, values }, (row) => grouping.add(row));
  grouping.end();
}

/** Hands on each run when the first row of the next one comes. */
class RunGrouping {
  readonly #work: (run: SpansOfRun) => void;
  #open: GrowingRun | null = null;

  constructor(work: (run: SpansOfRun) => void) {
    this.#work = work;
  }

  add(row: SpanRow): void {
    if (this.#open?.tenantId !== row.tenant_id || this.#open.runId !== row.run_id) {
      this.end();
      this.#open = { tenantId: row.tenant_id, runId: row.run_id, entries: [], spans: [] };
    }
    addSpan(this.#open, row);
  }

  end(): void {
    if (this.#open !== null) this.#work(this.#open);
    this.#open = null;
  }
}

interface GrowingRun extends SpansOfRun {
  readonly entries: RunEntry[];
  readonly spans: RunSpan[];
}

function addSpan(run: GrowingRun, row: SpanRow): void {
  if (row.entry_id === null) run.spans.push(factsOf(row));
  else run.entries.push(toEntry(row, row.entry_id));
}

const FACTS = `tenant_id, ${RUN_OF} as run_id, source, event_id, operation, status, error_type, started_at,
  occurred_at, trace_id, span_id, parent_span_id`;
const ENTRY_COLUMNS = `${FACTS}, entry_id, corrects_entry_id, is_reversal, member_id, outcome,
  requested_model, executed_model, feature, prompt_version,
  uncached_input_tokens + cache_read_tokens + cache_write_tokens + units_within(units, 'input') as input_tokens,
  output_tokens + units_within(units, 'output') as output_tokens,
  layer_tool_tokens as tool_tokens, layer_memory_tokens as memory_tokens,
  charge, coalesce(not_due, false) as is_not_due, cost, currency, attempt, call_id`;
const SPAN_COLUMNS = `${FACTS}, null::bigint, null::bigint, false, '', '', '', '', feature, prompt_version,
  0::bigint, 0::bigint, 0::bigint, 0::bigint, null::numeric, false, null::numeric, '', 1, null::text`;

/**
 * The rows that a question is about: $1 the tenant, $2 and $3 the days, $4 until when they were
 * recorded.
 */
export const ASKED = `($1::text is null or tenant_id = $1)
  and ($2::timestamptz is null or occurred_at >= $2) and ($3::timestamptz is null or occurred_at < $3)`;
export const entryIsKnown = (at: string) => `(${at}::timestamptz is null or recorded_at <= ${at})`;
/** Only its batch says when a span was recorded. */
export const spanIsKnown = (at: string) => `(${at}::timestamptz is null
  or batch_id in (select b.batch_id from batches b where b.recorded_at <= ${at}))`;

/** Calls are in the month in which they are billed. A span is billed nowhere, and is where the calls of its run are. */
export const CALLS = `kind not in ('allocation', 'adjustment')`;
export const IN_MONTH = `period_start >= $5::date and period_start < $5::date + interval '1 month'`;

/**
 * Joins to entries of the month what is known of those whose call is counted in a month before: they change its amounts,
 * and it is no call of this month. What they reverse stands there as well, or was corrected in this month already.
 */
const CALLS_OF_BEFORE = `left join (
    select e.tenant_id as of_tenant, e.entry_id as of_entry,
      e.is_reversal and coalesce(o.period_start < $5::date, false) as reverses_before
    from entries e
    join entries f on f.tenant_id = e.tenant_id and f.source = e.source and f.event_id = e.event_id
      and f.member_id = e.member_id and f.revision = 0
    left join entries o on o.tenant_id = e.tenant_id and o.entry_id = e.corrects_entry_id
    where e.corrects_entry_id is not null and e.revision > 0 and f.period_start < $5::date
      and e.period_start >= $5::date and e.period_start < $5::date + interval '1 month'
  ) of_before on of_tenant = tenant_id and of_entry = entry_id`;

/** What is joined to the entries of a question, and whether they are of a call that began before it or reverse what is. */
function beforeOf({ month }: RunQuestion) {
  return month == null
    ? { join: '', began: 'false', reverses: 'false' }
    : {
        join: CALLS_OF_BEFORE,
        began: 'of_entry is not null',
        reverses: 'coalesce(reverses_before, false)',
      };
}

export function spansOf(question: RunQuestion): string {
  const { month } = question;
  const { join, began } = beforeOf(question);
  const inMonth = month == null ? '' : `and ${IN_MONTH}`;
  const withCalls =
    month == null
      ? ''
      : `and (tenant_id, ${RUN_OF}) in (select tenant_id, ${RUN_OF} from entries where ${CALLS} and ${IN_MONTH})`;
  return `
  select ${ENTRY_COLUMNS}, ${began} as began_before from entries ${join}
  where ${CALLS} and ${RUN_OF} is not null and ${ASKED} and ${entryIsKnown('$4')} ${inMonth}
  union all
  select ${SPAN_COLUMNS}, false from structure_spans
  where ${RUN_OF} is not null and ${ASKED} and ${spanIsKnown('$4')} ${withCalls}`;
}

export function valuesOf({
  tenantId,
  month,
  from,
  to,
  asOf,
}: RunQuestion): readonly (string | null)[] {
  const first = month == null ? [] : [`${month}-01`];
  return [tenantId, textOf(from), textOf(to), textOf(asOf), ...first];
}

function textOf(instant: InstantMs | null | undefined): string | null {
  return instant === null || instant === undefined ? null : formatInstant(instant);
}

/**
 * Calls that name neither a run nor a trace, summed: they repeat nothing that anybody could know of,
 * and of their cost only what failed was spent in vain.
 */
export async function readCallsOutsideRuns(
  database: Database,
  question: RunQuestion,
  by: RunGroup,
): Promise<readonly RunFigures[]> {
  const tenant = by === 'feature' ? 'null' : 'tenant_id';
  const name = { run: 'null', feature: 'feature', tenant: 'tenant_id' }[by];
  const before = beforeOf(question);
  const { rows } = await database.pool.query<OutsideRow>(
    `select ${tenant} as tenant_id, ${name} as name, currency,
       coalesce(sum(n) filter (where not began), 0) as calls,
       coalesce(sum(n) filter (where not began and status <> 'ok'), 0) as failed,
       coalesce(sum(n) filter (where not began and attempt > 1), 0) as later_attempts,
       coalesce(sum(n) filter (where not reverses and cost is null), 0) as uncosted,
       coalesce(sum(n) filter (where not reverses and cost is null and status <> 'ok'), 0) as failed_uncosted,
       coalesce(sum(n) filter (where not reverses and ${IS_WAITING}), 0) as uncharged,
       coalesce(sum(charge), 0) as charge, coalesce(sum(charge) filter (where not_due), 0) as not_due,
       coalesce(sum(cost), 0) as cost,
       coalesce(sum(charge) filter (where status <> 'ok'), 0) as failed_charge,
       coalesce(sum(cost) filter (where status <> 'ok'), 0) as failed_cost
     from (
       -- A reversal takes its call back from the count as it does from the sums.
       select *, case when is_reversal then -1 else 1 end as n,
         ${before.began} as began, ${before.reverses} as reverses
       from entries ${before.join}
       where ${CALLS} and ${RUN_OF} is null and ${ASKED} and ${entryIsKnown('$4')}
         ${question.month == null ? '' : `and ${IN_MONTH}`}
     ) e group by 1, 2, 3`,
    [...valuesOf(question)],
  );
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    name: row.name,
    currency: row.currency,
    runs: 0,
    succeeded: 0,
    calls: Number(row.calls),
    failed: Number(row.failed),
    laterAttempts: Number(row.later_attempts),
    loops: 0,
    loopSteps: 0,
    uncosted: Number(row.uncosted),
    wastedUncosted: Number(row.failed_uncosted),
    uncharged: Number(row.uncharged),
    charge: row.charge,
    notDue: row.not_due,
    cost: row.cost,
    runCost: 0n,
    runUncosted: 0,
    wastedCharge: row.failed_charge,
    wastedCost: row.failed_cost,
    costBefore: { failed: row.failed_cost, superseded: 0n, repeated: 0n },
  }));
}

interface OutsideRow {
  readonly tenant_id: string | null;
  readonly name: string | null;
  readonly currency: string;
  readonly calls: bigint;
  readonly failed: bigint;
  readonly later_attempts: bigint;
  readonly uncosted: bigint;
  readonly failed_uncosted: bigint;
  readonly uncharged: bigint;
  readonly charge: bigint;
  readonly not_due: bigint;
  readonly cost: bigint;
  readonly failed_charge: bigint;
  readonly failed_cost: bigint;
}

/**
 * Reads one run by its id, or by its trace where its calls name no run: for each tenant that has a
 * part in it, in the order of their ids. Throws a `Refusal` where nobody has.
 */
export function readRun(
  database: Database,
  of: Pick<RunQuestion, 'tenantId' | 'asOf'> & { readonly runId: string },
): Promise<readonly SpansOfRun[]> {
  return inTransaction(database, async (transaction) => {
    // The index that knows runs tells blocks, not rows, and the planner thinks too little of it.
    await transaction.client.query('set local enable_seqscan = off');
    const { rows } = await transaction.client.query<SpanRow>(
      `select * from (
         select ${ENTRY_COLUMNS}, false as began_before from entries where ${CALLS} and ${IS_RUN} and ${entryIsKnown('$3')}
         union all
         select ${SPAN_COLUMNS}, false from structure_spans where ${IS_RUN} and ${spanIsKnown('$3')}
       ) s order by tenant_id`,
      [of.tenantId, of.runId, textOf(of.asOf)],
    );
    if (rows.length === 0) await refuseUnknownRun(transaction, of);
    const runs = Map.groupBy(rows, (row) => row.tenant_id);
    return [...runs].map(([tenantId, own]) => {
      const run: GrowingRun = { tenantId, runId: of.runId, entries: [], spans: [] };
      for (const row of own) addSpan(run, row);
      return run;
    });
  });
}

/** $1 the tenant, $2 the run. */
const IS_RUN = `($1::text is null or tenant_id = $1)
  and (agent_run_id = $2 or (agent_run_id is null and trace_id = $2))`;

async function refuseUnknownRun(
  transaction: Transaction,
  of: Pick<RunQuestion, 'tenantId' | 'asOf'> & { readonly runId: string },
): Promise<never> {
  const { rows } = await transaction.client.query<{ agent_run_id: string }>(
    `select distinct agent_run_id from (
       select tenant_id, agent_run_id, trace_id from entries
       union all select tenant_id, agent_run_id, trace_id from structure_spans
     ) s where trace_id = $1 and ($2::text is null or tenant_id = $2) order by 1 limit 5`,
    [of.runId, of.tenantId],
  );
  const whose = of.tenantId === null ? '' : ` of tenant "${of.tenantId}"`;
  const when = of.asOf === undefined ? 'is' : `was at ${formatInstant(of.asOf)}`;
  const inTrace = rows.map((row) => `"${row.agent_run_id}"`).join(', ');
  throw new Refusal(
    'not_found',
    `there ${when} no run "${of.runId}"${whose}`,
    inTrace === ''
      ? advise`give an agent_run_id, or the trace_id of calls that name no run; ${{ operation: 'report runs' }} lists them`
      : `it is a trace whose spans name their run: ask for ${inTrace}`,
  );
}

interface SpanRow {
  readonly tenant_id: string;
  readonly run_id: string;
  readonly source: string;
  readonly event_id: string;
  readonly operation: string;
  readonly status: EventStatus;
  readonly error_type: string | null;
  readonly started_at: InstantMs | null;
  readonly occurred_at: InstantMs;
  readonly trace_id: string | null;
  readonly span_id: string | null;
  readonly parent_span_id: string | null;
  /** It is null for a span that is no model call. */
  readonly entry_id: bigint | null;
  readonly corrects_entry_id: bigint | null;
  readonly is_reversal: boolean;
  readonly began_before: boolean;
  readonly member_id: string;
  readonly outcome: string;
  readonly requested_model: string;
  readonly executed_model: string;
  readonly feature: string | null;
  readonly prompt_version: string | null;
  readonly input_tokens: bigint;
  readonly output_tokens: bigint;
  readonly tool_tokens: bigint | null;
  readonly memory_tokens: bigint | null;
  readonly charge: bigint | null;
  readonly is_not_due: boolean;
  readonly cost: bigint | null;
  readonly currency: string;
  readonly attempt: number;
  readonly call_id: string | null;
}

function factsOf(row: SpanRow): RunSpan {
  return {
    source: row.source,
    eventId: row.event_id,
    operation: row.operation,
    status: row.status,
    errorType: row.error_type,
    startedAt: row.started_at,
    occurredAt: row.occurred_at,
    traceId: row.trace_id,
    spanId: row.span_id,
    parentSpanId: row.parent_span_id,
  };
}

function toEntry(row: SpanRow, entryId: bigint): RunEntry {
  return {
    ...factsOf(row),
    entryId,
    correctsEntryId: row.corrects_entry_id,
    isReversal: row.is_reversal,
    beganBefore: row.began_before,
    memberId: row.member_id,
    outcome: row.outcome,
    requestedModel: row.requested_model,
    executedModel: row.executed_model,
    feature: row.feature,
    promptVersion: row.prompt_version,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    toolTokens: row.tool_tokens ?? 0n,
    memoryTokens: row.memory_tokens ?? 0n,
    charge: row.charge,
    isNotDue: row.is_not_due,
    cost: row.cost,
    currency: row.currency,
    attempt: row.attempt,
    callId: row.call_id,
  };
}
