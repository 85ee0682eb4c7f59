import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database, Transaction } from '../database/database.ts';
import { UNITS } from '../units.ts';
import type { Consumption } from './consumption.ts';
import type { PoolRequest } from './pool.ts';
import { digestOf } from './pool.ts';
import type { UnitSums } from './token-weights.ts';
import { formatWeights, parseWeights } from './token-weights.ts';

interface ConsumptionRow {
  readonly tenant_id: string;
  readonly mode: 'shadow' | 'live';
  readonly currency: string;
  readonly ends_at: InstantMs;
  readonly calls: bigint;
  readonly uncached_input: bigint;
  readonly cache_read: bigint;
  readonly cache_write: bigint;
  readonly output: bigint;
  readonly units: Readonly<Record<string, number>> | null;
  readonly direct_cost: bigint;
  readonly without_cost: bigint;
  readonly to_cost: bigint;
}

/**
 * Reads what each tenant used in its periods that begin in a month, corrections among it and shares
 * of pools not: everything that reached a provider, so no answers of a gateway's cache. With
 * `succeeded` only calls that did: what is billed must not charge failed calls by the back door
 * (R3). With `costed` calls and tokens are those of entries with a known cost, so that they can be
 * compared with it.
 */
export async function readConsumption(
  db: Pick<Database, 'kysely'>,
  of: { readonly month: string; readonly succeeded: boolean; readonly costed?: boolean },
): Promise<readonly Consumption[]> {
  const first = `${of.month}-01`;
  const counted = of.costed === true ? sql`(where e.cost is not null)` : sql`(where true)`;
  const { rows } = await sql<ConsumptionRow>`
    select e.tenant_id, t.mode, e.currency, max(p.ends_at) as ends_at,
      coalesce(sum(e.call_share::bigint) filter ${counted}, 0) as calls,
      coalesce(sum(e.uncached_input_tokens + units_within(e.units, 'input')
        - units_within(e.units, 'cache_read') - units_within(e.units, 'cache_write')) filter ${counted}, 0) as uncached_input,
      coalesce(sum(e.cache_read_tokens + units_within(e.units, 'cache_read')) filter ${counted}, 0) as cache_read,
      coalesce(sum(e.cache_write_tokens + units_within(e.units, 'cache_write')) filter ${counted}, 0) as cache_write,
      coalesce(sum(e.output_tokens + units_within(e.units, 'output')) filter ${counted}, 0) as output,
      sum_units(e.units) filter ${counted} as units, coalesce(sum(e.cost), 0) as direct_cost,
      coalesce(sum(case when e.is_reversal then -1 else 1 end) filter (where e.cost is null), 0) as without_cost,
      coalesce(sum(case when e.is_reversal then -1 else 1 end) filter (where e.cost is null and p.state = 'open'), 0) as to_cost
    from entries e
    join periods p on p.tenant_id = e.tenant_id and p.period_start = e.period_start
    join tenants t on t.tenant_id = e.tenant_id
    where e.period_start >= ${first}::date and e.period_start < ${first}::date + interval '1 month'
      and e.kind not in ('allocation', 'adjustment') and e.gateway_cache = 'none'
      and (not ${of.succeeded} or e.status = 'ok')
    group by e.tenant_id, t.mode, e.currency order by e.tenant_id, e.currency`.execute(db.kysely);
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    mode: row.mode,
    currency: row.currency,
    endsAt: row.ends_at,
    calls: row.calls,
    tokens: {
      uncachedInput: row.uncached_input,
      cacheRead: row.cache_read,
      cacheWrite: row.cache_write,
      output: row.output,
    },
    units: otherUnits(row.units),
    directCost: row.direct_cost,
    entriesWithoutCost: row.without_cost,
    entriesToCost: row.to_cost,
  }));
}

function otherUnits(units: ConsumptionRow['units']): UnitSums {
  const found = UNITS.filter(({ side, name }) => side === 'call' && units?.[name] !== undefined);
  return Object.fromEntries(found.map(({ name }) => [name, BigInt(units?.[name] ?? 0)]));
}

/** One row of `allocations`: a pool as it was divided, or its reversal. */
export interface PostedPool extends PoolRequest {
  readonly revision: number;
  readonly isReversal: boolean;
  readonly batchId: bigint;
  /** The total is in the units of the basis. */
  readonly weightTotal: string;
  readonly recordedAt: InstantMs;
  readonly digest: Buffer;
}

/**
 * Reads the pools of a month or of all, the last revision of each; of one name where it is given.
 */
export async function readPools(
  db: Pick<Database, 'kysely'>,
  filter: { readonly pool: string | null; readonly month: string | null },
): Promise<readonly PostedPool[]> {
  let query = db.kysely
    .selectFrom('allocations')
    .selectAll()
    .distinctOn(['pool', 'month'])
    .orderBy('pool')
    .orderBy('month')
    .orderBy('revision', 'desc');
  if (filter.pool !== null) query = query.where('pool', '=', filter.pool);
  if (filter.month !== null) query = query.where('month', '=', `${filter.month}-01`);
  const rows = await query.execute();
  return rows.map((row) => ({
    pool: row.pool,
    month: row.month.slice(0, 7),
    revision: row.revision,
    isReversal: row.revision % 2 === 1,
    batchId: row.batch_id,
    amount: row.amount,
    currency: row.currency,
    basis: row.basis,
    weights: row.weights === null ? null : parseWeights(row.weights),
    weightTotal: String(row.weight_total),
    billed: row.billed,
    note: { reason: row.reason, actor: row.actor },
    recordedAt: row.recorded_at,
    digest: row.digest,
  }));
}

/**
 * Keeps what a batch of shares divides. Raises SQLSTATE 23505 where another transaction divided the
 * same pool in the meantime.
 */
export async function insertPool(
  transaction: Transaction,
  pool: Omit<PostedPool, 'isReversal' | 'digest'>,
): Promise<void> {
  await transaction.kysely
    .insertInto('allocations')
    .values({
      pool: pool.pool,
      month: `${pool.month}-01`,
      revision: pool.revision,
      batch_id: pool.batchId,
      amount: pool.amount,
      currency: pool.currency,
      basis: pool.basis,
      weights: pool.weights === null ? null : formatWeights(pool.weights),
      weight_total: pool.weightTotal,
      billed: pool.billed,
      reason: pool.note.reason,
      actor: pool.note.actor,
      recorded_at: formatInstant(pool.recordedAt),
      digest: digestOf(pool),
    })
    .execute();
}
