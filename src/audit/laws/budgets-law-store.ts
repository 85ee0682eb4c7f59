import { sql } from 'kysely';
import { formatInstant } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { ENTRIES_PER_BATCH } from '../../database/entries-of-batch.ts';
import {
  AMOUNT_OF_ENTRY,
  COUNTS_ENTRY,
  TIME_KEY_OF_ENTRY,
} from '../../ledger/rollups/budget-count-store.ts';
import type { LawReport, LawScope } from './law.ts';
import { type Counted, check } from './laws-store.ts';

/**
 * Checks law 10: what a budget counts is the sum of its entries and of its open holds, and a
 * settled hold names an entry. What an expired hold holds is counted like that of any other. Each
 * is one statement, so that calls that reserve meanwhile change nothing in it. An incremental run
 * leaves out what was spent, whose entries are those of law 9, and the holds that were settled
 * before the run from which it goes on.
 */
export async function checkBudgetCounts(database: Database, scope: LawScope): Promise<LawReport> {
  const law = { law: 10, name: 'a budget counts its entries and its open holds' };
  const isFull = scope.kind === 'full';
  const spent = sql`
    select b.budget_id, ${sql.raw(TIME_KEY_OF_ENTRY)} as time_key, sum(${sql.raw(AMOUNT_OF_ENTRY)}) as spent, 0 as held
    from budgets b cross join lateral entries_of_tenant(b.tenant_id) e
    where ${sql.raw(COUNTS_ENTRY)} and not exists (select from fold_queue f where f.batch_id = e.entry_id / ${sql.lit(ENTRIES_PER_BATCH)})
    group by 1, 2`;
  const asCounted = sql`select budget_id, time_key, spent, 0 as held from budget_counters`;
  const report = await check(
    database,
    law,
    sql<Counted>`
    with summed as (
      select budget_id, time_key, sum(spent) as spent, sum(held) as held from (
        ${isFull ? spent : asCounted}
        union all
        select u.budget_id, u.time_key, 0, u.amount from budget_holds h
        cross join lateral unnest(h.budget_ids, h.time_keys, h.amounts) u(budget_id, time_key, amount)
        join budgets b on b.budget_id = u.budget_id
        where h.state = 'open'
      ) one group by 1, 2
    ), compared as (
      select 'budget ' || b.budget_id || ' of tenant "' || b.tenant_id || '"' || case when k.time_key = '' then '' else
          ' in ' || k.time_key end || ': spent ' || coalesce(c.spent, 0) || ', held ' || coalesce(c.held, 0)
          || '; its entries come to ' || coalesce(s.spent, 0) || ', its open holds to ' || coalesce(s.held, 0) as what,
        coalesce(c.spent, 0) <> coalesce(s.spent, 0) or coalesce(c.held, 0) <> coalesce(s.held, 0) as is_wrong
      from (select budget_id, time_key from summed union select budget_id, time_key from budget_counters) k
      join budgets b on b.budget_id = k.budget_id
      left join summed s on s.budget_id = k.budget_id and s.time_key = k.time_key
      left join budget_counters c on c.budget_id = k.budget_id and c.time_key = k.time_key
      union all
      select 'hold "' || h.hold_id || '" of tenant "' || h.tenant_id || '" is settled by event "' || h.settled_event_id
          || '" of source "' || h.settled_source || '", which has no entry',
        not exists (select from entries_of_event(h.tenant_id, h.settled_source, h.settled_event_id))
          and not exists (select from entries_of_event('unattributed', h.settled_source, h.settled_event_id))
      from budget_holds h where h.state = 'settled' and h.ended_at >= ${formatInstant(scope.closedSince)}
    )
    select count(*) as checked, array_agg(what order by what) filter (where is_wrong) as violations from compared`,
  );
  return isFull ? report : { ...report, range: 'holds checked' };
}
