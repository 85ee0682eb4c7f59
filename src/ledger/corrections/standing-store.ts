import type { InstantMs } from '../../clock.ts';
import { formatInstant } from '../../clock.ts';
import type { Cursor } from '../../database/cursor.ts';
import { openCursor } from '../../database/cursor.ts';
import type { Transaction } from '../../database/database.ts';
import type { StoredEntry } from '../entries/entry.ts';
import type { EntryRow } from '../entries/entry-columns.ts';
import { FACT_COLUMNS, toEntry } from '../entries/entry-columns.ts';
import { STANDS, STANDS_OF_ALL } from '../entries/entry-store.ts';

/** The fields by which entries are selected; null selects those that have none. */
export interface EntryCondition {
  readonly tenantId?: string;
  readonly source?: string;
  readonly userId?: string | null;
  readonly feature?: string | null;
  readonly agentRunId?: string | null;
  readonly promptVersion?: string | null;
  readonly requestedModel?: string;
  readonly executedModel?: string;
  readonly provider?: string | null;
  readonly serviceTier?: string;
  readonly status?: string;
  readonly outcome?: string;
}

const COLUMNS: Readonly<Record<keyof EntryCondition, string>> = {
  tenantId: 'tenant_id',
  source: 'source',
  userId: 'user_id',
  feature: 'feature',
  agentRunId: 'agent_run_id',
  promptVersion: 'prompt_version',
  requestedModel: 'requested_model',
  executedModel: 'executed_model',
  provider: 'provider',
  serviceTier: 'service_tier',
  status: 'status',
  outcome: 'outcome',
};

/** A stretch of time of one tenant, half-open, and the date of the period that begins it. */
export interface TenantSpan {
  readonly tenantId: string;
  readonly startDate: string;
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
}

/** The entries of calls that a bulk correction is about. */
export interface StandingFilter {
  readonly condition: EntryCondition;
  /** Where the calls occurred, whatever period their entries stand in; null for any time. */
  readonly spans: readonly TenantSpan[] | null;
}

/**
 * Reads entries of calls that count as they stand, neither a reversal nor reversed by one, some at
 * a time. They are read by one statement: asked for anew for each step, Postgres would look through
 * all corrections that the steps before made.
 */
export function openStanding(
  transaction: Transaction,
  filter: StandingFilter,
  rowsAtOnce: number,
): Promise<Cursor<EntryRow>> {
  const { text, values } = fromStanding(filter);
  // Left to itself Postgres would look up each entry's correction, one after the other.
  const settings = { enable_nestloop: 'off', work_mem: '64MB' };
  const query = { text: `select ${FACT_COLUMNS} ${text}`, values, rowsAtOnce, settings };
  return openCursor(transaction, query);
}

export async function countStanding(
  { client }: Transaction,
  filter: StandingFilter,
): Promise<number> {
  const { text, values } = fromStanding(filter);
  const { rows } = await client.query<{ entries: bigint }>(`select count(*) as entries ${text}`, [
    ...values,
  ]);
  return Number(rows[0]?.entries ?? 0n);
}

/** Answers with those of the entries that still stand, in the order of their ids. */
export async function readStanding(
  { client }: Transaction,
  entryIds: readonly bigint[],
): Promise<readonly StoredEntry[]> {
  const { rows } = await client.query<EntryRow>(
    `select ${FACT_COLUMNS} from entries e where e.entry_id = any($1::bigint[]) and ${STANDS}
     order by e.entry_id`,
    [entryIds],
  );
  return rows.map(toEntry);
}

function fromStanding({ condition, spans }: StandingFilter) {
  const values: unknown[] = [];
  const place = (value: unknown) => `$${values.push(value)}`;
  const conditions = Object.entries(condition).map(([field, value]) => {
    const column = COLUMNS[field as keyof EntryCondition];
    return value === null ? `e.${column} is null` : `e.${column} = ${place(value)}`;
  });
  const join = spans === null ? '' : joinSpans(spans, place);
  const where = ["e.kind not in ('allocation', 'adjustment')", STANDS_OF_ALL, ...conditions].join(
    ' and ',
  );
  return { text: `from entries e ${join} where ${where}`, values };
}

/** A call's entries stand in the period in which it occurred or in a later one: blocks before are left out. */
function joinSpans(spans: readonly TenantSpan[], place: (value: unknown) => string): string {
  const column = (of: (span: TenantSpan) => string) => place(spans.map(of));
  const first = spans.map(({ startDate }) => startDate).sort()[0] ?? 'infinity';
  return `join unnest(${column(({ tenantId }) => tenantId)}::text[],
      ${column(({ startsAt }) => formatInstant(startsAt))}::timestamptz[],
      ${column(({ endsAt }) => formatInstant(endsAt))}::timestamptz[]) k(tenant, starts, ends)
    on e.tenant_id = k.tenant and e.occurred_at >= k.starts and e.occurred_at < k.ends
      and e.period_start >= ${place(first)}::date`;
}
