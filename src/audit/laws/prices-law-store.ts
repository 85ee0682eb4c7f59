import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { ENTRIES_PER_BATCH } from '../../database/entries-of-batch.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import type { UnitName } from '../../units.ts';
import { FURTHER_UNITS, unitOf } from '../../units.ts';
import type { LawReport, LawScope } from './law.ts';
import { VIOLATIONS_NAMED } from './law.ts';
import { batchesOf, entriesOf } from './scope-store.ts';

/**
 * Checks law 7: the stored charge and cost of every entry follow from its tokens and the rate that
 * it names, or of a share of a pool from its weight. The arithmetic stands here a second time, in
 * SQL, so that a fault in the one shows against the other.
 */
export async function checkPrices(database: Database, scope: LawScope): Promise<LawReport> {
  const checks = [
    await checkRates(database, scope),
    await checkShares(database, scope),
    await checkAdjustments(database, scope),
  ];
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
        select * from entries_of_batch(a.batch_id) offset 0) e on true
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

/**
 * An adjustment is an amount alone, in a batch of its own kind, which a worker may not post, and what takes one back is the
 * whole of it, below zero.
 */
async function checkAdjustments(database: Database, scope: LawScope): Promise<Checked> {
  const { rows } = await sql<Checked>`
    select count(*) as checked, array_agg('ent_' || e.entry_id || ' of tenant "' || e.tenant_id || '": an adjustment of '
        || e.charge || ' p' || coalesce(' that takes back ' || o.charge || ' p', '')
        || case when e.is_reversal or b.kind = 'adjustment' then '' else ', in a batch of kind ' || coalesce(b.kind, 'none') end)
      filter (where e.charge = 0 or e.cost is distinct from 0 or e.charge_rate_id is not null
        or e.uncached_input_tokens + e.cache_read_tokens + e.cache_write_tokens + e.output_tokens <> 0
        or e.units is not null or e.is_reversal and e.charge is distinct from -o.charge
        or not e.is_reversal and b.kind is distinct from 'adjustment') as violations
    from ${entriesOf(scope)} e left join lateral entries_of_id(e.corrects_entry_id) o on true
      left join batches b on b.batch_id = e.entry_id / ${ENTRIES_PER_BATCH}
    where e.kind = 'adjustment'`.execute(database.kysely);
  return rows[0] ?? NOTHING;
}

async function checkRates(database: Database, scope: LawScope): Promise<Checked> {
  const { rows } = await sql<Checked>`
    with priced as (
      select e.entry_id, e.tenant_id, e.requested_model, e.executed_model, e.outcome, e.charge, e.cost,
        case when e.outcome <> 'charged' then 0
          -- What a person took for free has no price.
          when e.charge_rate_id is null and e.kind = 'correction' then 0
          when b.caching = 'pass_through' and e.gateway_cache <> 'none' then 0
          when b.caching = 'work_done' then
            ${times('e.uncached_input_tokens + e.cache_read_tokens + e.cache_write_tokens', 'f.input')}
            + ${times('e.output_tokens', 'f.output')} + f.per_call / 1000000 * e.call_share + ${unitAmount('charge')}
          else ${textAmount('f')} + f.per_call / 1000000 * e.call_share + ${unitAmount('charge')}
        end as right_charge,
        case when e.gateway_cache <> 'none' then 0
          when e.status <> 'ok' and e.cost = 0 then 0
          else round((${textAmount('k')} + k.per_call / 1000000 * e.call_share + ${unitAmount('cost')}) * coalesce(${oneOf('e.currency', 't')}, 1)
            / coalesce(${oneOf('kb.currency', 'o')}, 1))
        end as right_cost
      from ${entriesOf(scope)} e
      left join price_books b on b.book = e.charge_book and b.effective_from = e.charge_version
      left join price_rates r on r.rate_id = e.charge_rate_id
      left join price_rates k on k.rate_id = e.cost_rate_id
      left join lateral (
        -- A cost-plus or a discount book multiplies another book's rate, each part rounded half up once.
        select times.factor, round(r.input * times.factor / 1000000) as input,
          round(r.output * times.factor / 1000000) as output,
          round(r.cache_read * times.factor / 1000000) as cache_read,
          round(r.cache_write * times.factor / 1000000) as cache_write,
          round(r.per_call * times.factor / 1000000000000) * 1000000 as per_call
        from (select case when r.book <> b.book then coalesce(b.cost_factor, b.base_factor, 1000000)
          else 1000000 end as factor) times
      ) f on true
      left join price_books kb on kb.book = k.book and kb.effective_from = k.effective_from
      -- What a cost in another currency was converted by, rounded half up once.
      left join exchange_versions v on kb.currency <> e.currency and v.version_id::text = e.further_tags ->> 'cost_exchange'
      left join exchange_rates t on t.version_id = v.version_id and t.currency = e.currency
      left join exchange_rates o on o.version_id = v.version_id and o.currency = kb.currency
      where e.kind not in ('allocation', 'adjustment')
    )
    select count(*) as checked, array_agg('ent_' || entry_id || ' of tenant "' || tenant_id || '" (' || requested_model
        || '): charge ' || coalesce(charge::text, 'none') || ' p, by its rate ' || coalesce(right_charge::text, 'none')
        || ' p; cost ' || coalesce(cost::text, 'none') || ' p, by its rate ' || coalesce(right_cost::text, 'none') || ' p')
      filter (where (outcome not in ('unrated', 'unmeasured') and charge is distinct from right_charge)
        or (cost is not null and cost is distinct from right_cost)) as violations
    from priced`.execute(database.kysely);
  return rows[0] ?? NOTHING;
}

/** Returns what one unit of the base of an exchange version is in a currency, in millionths of a millionth. */
function oneOf(currency: string, rate: 't' | 'o') {
  return sql.raw(`case when v.base = ${currency} then 1000000000000 else ${rate}.rate end`);
}

/** Nothing of a unit costs nothing, whether it has a price or not. */
function times(count: string, price: string) {
  return sql.raw(`case when ${count} = 0 then 0 else (${count}) * ${price} end`);
}

/** Returns what text comes to where each bucket has its own price. */
function textAmount(rate: 'f' | 'k') {
  const buckets = [
    ['e.uncached_input_tokens', 'input'],
    ['e.cache_read_tokens', 'cache_read'],
    ['e.cache_write_tokens', 'cache_write'],
    ['e.output_tokens', 'output'],
  ] as const;
  return sql.join(
    buckets.map(([count, price]) => times(count, `${rate}.${price}`)),
    sql` + `,
  );
}

/**
 * Returns what the other units come to; null where one that was counted has no price, or is none of ours. It is one
 * expression: of a subquery for each entry Postgres would let one process do all of it.
 */
function unitAmount(of: 'charge' | 'cost') {
  const names = FURTHER_UNITS.map(({ name }) => name);
  const amounts = names.map(
    (name) =>
      `case when e.units ? '${name}' then (e.units ->> '${name}')::numeric * ${unitPrice(name, of)} else 0 end`,
  );
  return sql.raw(`case when e.units is null then 0
          when e.units - '{${names.join()}}'::text[] = '{}' then ${amounts.join(' + ')} end`);
}

/**
 * Returns a unit's price, or that of what it falls back to, or is charged as where the book charges
 * work done.
 */
function unitPrice(name: UnitName, of: 'charge' | 'cost'): string {
  const { workDone } = unitOf(name);
  const given = fallingBack(name, of);
  if (of === 'cost' || workDone === null) return given;
  return `case when b.caching = 'work_done' then ${fallingBack(workDone, of)} else ${given} end`;
}

function fallingBack(name: UnitName, of: 'charge' | 'cost'): string {
  const { fallback } = unitOf(name);
  const own = TEXT_PRICES[name] === undefined ? furtherPrice(name, of) : textPrice(name, of);
  return fallback === null ? own : `coalesce(${own}, ${fallingBack(fallback, of)})`;
}

const TEXT_PRICES: Readonly<Record<string, string>> = {
  input_tokens: 'input',
  cache_read_tokens: 'cache_read',
  cache_write_tokens: 'cache_write',
  output_tokens: 'output',
};

function textPrice(name: UnitName, of: 'charge' | 'cost'): string {
  return `${of === 'charge' ? 'f' : 'k'}.${TEXT_PRICES[name]}`;
}

function furtherPrice(name: UnitName, of: 'charge' | 'cost'): string {
  if (of === 'cost') return `(k.units ->> '${name}')::numeric`;
  return `round((r.units ->> '${name}')::numeric * f.factor / 1000000)`;
}
