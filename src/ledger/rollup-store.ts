import type { Transaction } from '../database/database.ts';
import { ENTRIES_OF_BATCH } from './posting-store.ts';

/** One process folds at a time; the others wait, and then find nothing to do. */
const FOLD_LOCK = 7_226_002;

/** Takes so many batches from the queue, oldest first, under the lock of whoever folds. */
export async function takeUnfolded(
  transaction: Transaction,
  most: number,
): Promise<readonly bigint[]> {
  await transaction.client.query('select pg_advisory_xact_lock($1)', [FOLD_LOCK]);
  const { rows } = await transaction.client.query<{ batch_id: bigint }>(
    `delete from fold_queue
     where batch_id in (select batch_id from fold_queue order by batch_id limit $1)
     returning batch_id`,
    [most],
  );
  return rows.map((row) => row.batch_id);
}

/**
 * Adds the entries of whole batches to both rollups. They are read and summed once, by user and run;
 * the coarser rollup sums those sums. Left to itself Postgres would sort the entries by all their
 * texts, on disk; hashing them in memory costs two thirds of that.
 */
export async function foldBatches(
  transaction: Transaction,
  batchIds: readonly bigint[],
): Promise<void> {
  await transaction.client.query(
    `select set_config('enable_sort', 'off', true), set_config('work_mem', '64MB', true),
       set_config('jit', 'off', true)`,
  );
  await transaction.client.query({ name: 'fold-batches', text: FOLD, values: [batchIds] });
}

/** A column of a rollup, and the expression over entries that gives it. */
interface RollupColumn {
  readonly name: string;
  readonly of: string;
}

const DIMENSIONS: readonly RollupColumn[] = [
  { name: 'tenant_id', of: 'e.tenant_id' },
  { name: 'period_start', of: 'e.period_start' },
  { name: 'day', of: "(e.occurred_at at time zone 'UTC')::date" },
  { name: 'kind', of: 'e.kind' },
  { name: 'outcome', of: 'e.outcome' },
  { name: 'late', of: 'e.late' },
  { name: 'provider', of: "coalesce(e.provider, '')" },
  { name: 'requested_model', of: 'e.requested_model' },
  { name: 'executed_model', of: 'e.executed_model' },
  { name: 'feature', of: "coalesce(e.feature, '')" },
  { name: 'prompt_version', of: "coalesce(e.prompt_version, '')" },
  { name: 'currency', of: 'e.currency' },
];

export const MEASURES: readonly RollupColumn[] = [
  { name: 'entries', of: 'count(*)' },
  {
    name: 'input_tokens',
    of: 'sum(e.uncached_input_tokens + e.cache_read_tokens + e.cache_write_tokens)',
  },
  { name: 'cache_read_tokens', of: 'sum(e.cache_read_tokens)' },
  { name: 'cache_write_tokens', of: 'sum(e.cache_write_tokens)' },
  { name: 'output_tokens', of: 'sum(e.output_tokens)' },
  { name: 'tool_tokens', of: 'coalesce(sum(e.layer_tool_tokens), 0)' },
  { name: 'memory_tokens', of: 'coalesce(sum(e.layer_memory_tokens), 0)' },
  { name: 'charge', of: 'coalesce(sum(e.charge), 0)' },
  { name: 'cost', of: 'coalesce(sum(e.cost), 0)' },
  {
    name: 'output_charge',
    of: 'coalesce(sum(case when e.charge <> 0 then e.output_tokens * p.output end), 0)',
  },
  {
    name: 'output_cost',
    of: 'coalesce(sum(case when e.cost <> 0 then e.output_tokens * k.output end), 0)',
  },
  { name: 'routing_gain', of: 'coalesce(sum(e.requested_cost - e.cost), 0)' },
];

/** The rates by which output was charged and paid; a cost-plus charge has its factor in it. */
export const RATES_OF_ENTRIES = `
  left join price_rates r on r.rate_id = e.charge_rate_id
  left join price_books b on b.book = e.charge_book and b.effective_from = e.charge_version
  left join lateral (
    select case when b.cost_factor is not null and r.book <> b.book
      then floor((2 * r.output * b.cost_factor + 1000000) / 2000000) else r.output end as output
  ) p on true
  left join price_rates k on k.rate_id = e.cost_rate_id`;

const RUN_DIMENSIONS: readonly RollupColumn[] = [
  { name: 'user_id', of: "coalesce(e.user_id, '')" },
  { name: 'agent_run_id', of: "coalesce(e.agent_run_id, '')" },
];

/** The two grains of the rollups; the finer one knows users and agent runs too. */
export const ROLLUPS: readonly {
  readonly table: 'usage_rollups' | 'run_rollups';
  readonly dimensions: readonly RollupColumn[];
}[] = [
  { table: 'usage_rollups', dimensions: DIMENSIONS },
  { table: 'run_rollups', dimensions: [...DIMENSIONS, ...RUN_DIMENSIONS] },
];

/** Dimensions that stand in the keys themselves; the others stand there by a digest of them all. */
const KEYED: ReadonlySet<string> = new Set(['tenant_id', 'period_start', 'day']);

const FOLD = foldStatement();

function foldStatement(): string {
  const grouped = [...DIMENSIONS, ...RUN_DIMENSIONS];
  const dimensions = namesOf(DIMENSIONS);
  const digested = namesOf(DIMENSIONS.filter(({ name }) => !KEYED.has(name)));
  const measures = namesOf(MEASURES);
  const added = (table: string) =>
    MEASURES.map(({ name }) => `${name} = ${table}.${name} + excluded.${name}`).join(', ');
  return `with run as (
      select ${[...grouped, ...MEASURES].map(({ name, of }) => `${of} as ${name}`).join(', ')}
      from unnest($1::bigint[]) batch(batch_id)
      ${ENTRIES_OF_BATCH}
      ${RATES_OF_ENTRIES}
      group by ${grouped.map((_, index) => index + 1).join(', ')}
    ), keyed as materialized (
      select *, md5(row(${digested})::text)::uuid as usage_key from run
    ), usage as (
      insert into usage_rollups as u (${dimensions}, usage_key, ${measures})
      select ${dimensions}, usage_key, ${MEASURES.map(({ name }) => `sum(${name})`).join(', ')}
      from keyed group by ${dimensions}, usage_key
      on conflict (tenant_id, period_start, day, usage_key) do update set ${added('u')}
    )
    insert into run_usage as r
      (tenant_id, period_start, day, usage_key, agent_run_id, user_id, ${measures})
    select tenant_id, period_start, day, usage_key, agent_run_id, user_id, ${measures} from keyed
    on conflict (tenant_id, period_start, day, usage_key, agent_run_id, user_id)
      do update set ${added('r')}`;
}

function namesOf(columns: readonly RollupColumn[]): string {
  return columns.map(({ name }) => name).join(', ');
}
