import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { LawReport } from './law.ts';
import { VIOLATIONS_NAMED } from './law.ts';

/**
 * Law 7: the stored charge and cost of every entry follow from its tokens and the rate that it names.
 * The arithmetic stands here a second time, in SQL, so that a fault in the one shows against the other.
 */
export async function checkPrices(database: Database): Promise<LawReport> {
  const { rows } = await sql<{ checked: bigint; violations: readonly string[] | null }>`
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
      from entries e
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
  return {
    law: 7,
    name: 'every charge and cost recomputes from tokens and book version',
    checked: Number(rows[0]?.checked ?? 0),
    violations: (rows[0]?.violations ?? []).slice(0, VIOLATIONS_NAMED),
  };
}
