import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { ENTRIES_PER_BATCH } from '../../ledger/posting/posting-store.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import type { LawReport, LawScope } from './law.ts';
import { VIOLATIONS_NAMED } from './law.ts';
import { batchesOf, entriesOf } from './scope-store.ts';

/**
 * Law 7: the stored charge and cost of every entry follow from its tokens and the rate that it names,
 * or of a share of a pool from its weight. The arithmetic stands here a second time, in SQL, so that a
 * fault in the one shows against the other.
 */
export async function checkPrices(database: Database, scope: LawScope): Promise<LawReport> {
  const checks = [await checkRates(database, scope), await checkShares(database, scope)];
  return {
    law: 7,
    name: 'every charge and cost recomputes from tokens and book version',
    checked: checks.reduce((sum, { checked }) => sum + Number(checked), 0),
    violations: checks.flatMap(({ violations }) => violations ?? []).slice(0, VIOLATIONS_NAMED),
  };
}

interface Checked {
  readonly checked: bigint;
  readonly violations: readonly string[] | null;
}

const NOTHING: Checked = { checked: 0n, violations: null };

/**
 * The shares of a pool add up to it, their weights to its whole weight, and each is its exact share
 * rounded up or down to a picodollar. A billed share charges what it costs, except to nobody (R11).
 */
async function checkShares(database: Database, scope: LawScope): Promise<Checked> {
  const isFull = sql.lit(scope.kind === 'full');
  const { rows } = await sql<Checked>`
    with share as (
      select a.pool, a.month, a.revision, a.amount, a.weight_total, e.entry_id, e.tenant_id, e.cost, e.charge,
        (e.further_tags ->> 'weight')::numeric as weight,
        case when a.billed and e.tenant_id <> ${UNATTRIBUTED} then e.cost else 0 end as right_charge
      from allocations a
      left join lateral (
        select * from entries where entry_id >= a.batch_id * ${ENTRIES_PER_BATCH}
          and entry_id < (a.batch_id + 1) * ${ENTRIES_PER_BATCH} offset 0) e on true
      where ${isFull} or a.batch_id in (${batchesOf(scope)})
    ), pool as (
      select pool, month, revision, amount, weight_total, sum(cost) as cost, sum(weight) as weight
      from share group by pool, month, revision, amount, weight_total
    ), violation as (
      select 'pool "' || pool || '" of ' || to_char(month, 'YYYY-MM') || ' revision ' || revision || ': shares sum to '
        || coalesce(cost, 0) || ' p of ' || amount || ' p, weights to ' || coalesce(weight, 0) || ' of ' || weight_total as said
      from pool where cost is distinct from amount or weight is distinct from weight_total
      union all
      select 'ent_' || entry_id || ' of tenant "' || tenant_id || '" (pool "' || pool || '"): cost ' || cost || ' p for '
        || weight || ' of ' || weight_total || ' of ' || amount || ' p, charge ' || charge || ' p'
      from share where charge <> right_charge or abs(cost * weight_total - amount * weight) >= weight_total
      union all
      select 'ent_' || entry_id || ' of tenant "' || tenant_id || '" is an allocation of no pool' from ${entriesOf(scope)} e
      where kind = 'allocation' and not exists (
        select 1 from allocations a where a.batch_id = e.entry_id / ${ENTRIES_PER_BATCH})
    )
    select (select count(entry_id) from share) as checked, (select array_agg(said) from violation) as violations`.execute(
    database.kysely,
  );
  return rows[0] ?? NOTHING;
}

async function checkRates(database: Database, scope: LawScope): Promise<Checked> {
  const { rows } = await sql<Checked>`
    with priced as (
      select e.entry_id, e.tenant_id, e.requested_model, e.executed_model, e.outcome, e.charge, e.cost,
        case when e.outcome <> 'charged' then 0
          when b.caching = 'pass_through' and e.gateway_cache <> 'none' then 0
          when b.caching = 'work_done' then
            (e.uncached_input_tokens + e.cache_read_tokens + e.cache_write_tokens) * f.input
            + e.output_tokens * f.output + f.per_call / 1000000 * e.call_share
          else e.uncached_input_tokens * f.input + e.cache_read_tokens * f.cache_read
            + e.cache_write_tokens * f.cache_write + e.output_tokens * f.output
            + f.per_call / 1000000 * e.call_share
        end as right_charge,
        case when e.gateway_cache <> 'none' then 0
          when e.status <> 'ok' and e.cost = 0 then 0
          else e.uncached_input_tokens * k.input + e.cache_read_tokens * k.cache_read
            + e.cache_write_tokens * k.cache_write + e.output_tokens * k.output
            + k.per_call / 1000000 * e.call_share
        end as right_cost
      from ${entriesOf(scope)} e
      left join price_books b on b.book = e.charge_book and b.effective_from = e.charge_version
      left join price_rates r on r.rate_id = e.charge_rate_id
      left join price_rates k on k.rate_id = e.cost_rate_id
      left join lateral (
        -- A cost-plus book multiplies the cost's rate, each part rounded half up once.
        select
          case when plus then round(r.input * b.cost_factor / 1000000) else r.input end as input,
          case when plus then round(r.output * b.cost_factor / 1000000) else r.output end as output,
          case when plus then round(r.cache_read * b.cost_factor / 1000000) else r.cache_read end as cache_read,
          case when plus then round(r.cache_write * b.cost_factor / 1000000) else r.cache_write end as cache_write,
          case when plus then round(r.per_call * b.cost_factor / 1000000000000) * 1000000 else r.per_call end as per_call
        from (select b.cost_factor is not null and r.book <> b.book as plus) is_plus
      ) f on true
      where e.kind <> 'allocation'
    )
    select count(*) as checked, array_agg('ent_' || entry_id || ' of tenant "' || tenant_id || '" (' || requested_model
        || '): charge ' || coalesce(charge::text, 'none') || ' p, by its rate ' || coalesce(right_charge::text, 'none')
        || ' p; cost ' || coalesce(cost::text, 'none') || ' p, by its rate ' || coalesce(right_cost::text, 'none') || ' p')
      filter (where (outcome <> 'unrated' and charge is distinct from right_charge)
        or (cost is not null and cost is distinct from right_cost)) as violations
    from priced`.execute(database.kysely);
  return rows[0] ?? NOTHING;
}
