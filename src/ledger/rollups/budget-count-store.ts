import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import { entriesOfBatch } from '../../database/entries-of-batch.ts';
import { keepRunSteps, TOKENS_OF_ENTRY } from './run-step-store.ts';

/** The lock is held shared by a fold while it counts, and exclusively by whoever sets a budget. */
const COUNTING_LOCK = 7_226_004;

/**
 * Adds the entries of whole batches to what their tenants' budgets count, and settles the holds that they name (R23),
 * so that a call leaves what is held in the moment in which it is spent. It stands last in a fold: calls that
 * ask a budget wait for these rows, and only until the commit.
 */
export async function countForBudgets(
  transaction: Transaction,
  batchIds: readonly bigint[],
  at: InstantMs,
): Promise<void> {
  const { client } = transaction;
  await client.query('select pg_advisory_xact_lock_shared($1)', [COUNTING_LOCK]);
  const { rows } = await client.query<{
    budgeted: readonly string[];
    guarded: readonly string[];
    settles: boolean;
  }>({
    name: 'read-budgeted-tenants',
    text: `select array(select distinct tenant_id from budgets) as budgeted,
      array(select distinct tenant_id from budgets where loop is not null) as guarded,
      exists (select from settle_queue where batch_id = any($1::bigint[])) as settles`,
    values: [batchIds],
  });
  const [found] = rows;
  if (found === undefined || (found.budgeted.length === 0 && !found.settles)) return;
  await keepRunSteps(transaction, batchIds, { guarded: found.guarded, at });
  await client.query({
    name: 'count-for-budgets',
    text: COUNT,
    values: [batchIds, formatInstant(at), found.budgeted],
  });
}

/**
 * Waits for the folds that are counting, and keeps others from it until commit: whoever sets a budget counts what
 * is folded already, and the next fold knows the budget.
 */
export async function lockAgainstCounting({ client }: Transaction): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1)', [COUNTING_LOCK]);
}

/**
 * Whether a budget `b` counts an entry `e`: calls, and shares of a pool, in the time in which they occurred. Money without a
 * call is nothing that a budget could have held back, and what bills late belongs to a month that is over; else a credit
 * of one would let this month spend more. There may be one budget for each of a tenant's users, so the user is looked up.
 */
export const COUNTS_ENTRY = `e.tenant_id = b.tenant_id and e.kind <> 'adjustment'
  and (b.feature = '' or e.feature = b.feature) and b.user_id = any (array['', e.user_id])
  and (b.agent_run_id = '' or e.agent_run_id = b.agent_run_id)
  and (b.tags = '{}' or e.further_tags @> b.tags)
  and (b.measure = 'tokens' or e.currency = b.currency) and (b.per <> 'run' or e.agent_run_id is not null)
  and case b.per when 'month' then not e.late and e.period_start >= b.counts_from_period else e.occurred_at >= b.counts_from end`;

/** The counter of a budget `b` to which an entry `e` belongs. */
export const TIME_KEY_OF_ENTRY = `case b.per
    when 'day' then to_char(e.occurred_at at time zone b.time_zone, 'YYYY-MM-DD')
    when 'month' then to_char(e.period_start, 'YYYY-MM-DD')
    when 'run' then e.agent_run_id else '' end`;

/** What a budget `b` counts of an entry `e`. */
export const AMOUNT_OF_ENTRY = `case b.measure when 'money' then coalesce(e.charge, 0)
    else ${TOKENS_OF_ENTRY} end`;

/** A call is over so long after its hold was made, at the most. */
const LONGEST_CALL = `interval '1 day'`;

/**
 * A hold is settled once, by the first of its events; a budget that was taken away counts no longer. An event whose hold
 * nobody made is written down, since its producer and its caller do not mean the same. A batched call is made under
 * the hold of one of its tenants. Of a call as old as holds that have left it cannot be told whether anybody made one, and nothing is.
 */
const COUNT = `with settling as (
    delete from settle_queue where batch_id = any($1::bigint[])
    returning hold_id, tenant_id, batch_id, source, event_id
  ), holdless as materialized (
    select * from settling s
    where not exists (
      select from settling o join budget_holds h on h.hold_id = o.hold_id and h.tenant_id = o.tenant_id
      where o.hold_id = s.hold_id and o.source = s.source and o.event_id = s.event_id
    )
  ), unknown as (
    insert into unknown_holds (tenant_id, hold_id, source, event_id, seen_at)
    select s.tenant_id, s.hold_id, s.source, s.event_id, $2 from holdless s
    where not exists (
      select from kept_holds k cross join lateral entries_of_event(s.tenant_id, s.source, s.event_id) e
      where e.occurred_at < k.ended_since + ${LONGEST_CALL}
    )
    on conflict do nothing
  ), settled as (
    update budget_holds h
    set state = 'settled', ended_at = $2, settled_source = s.source, settled_event_id = s.event_id
    from (select distinct on (hold_id, tenant_id) * from settling
      order by hold_id, tenant_id, batch_id, source, event_id) s
    where h.hold_id = s.hold_id and h.tenant_id = s.tenant_id and h.state = 'open'
    returning h.budget_ids, h.time_keys, h.amounts
  ), counted as (
    select b.budget_id, ${TIME_KEY_OF_ENTRY} as time_key, sum(${AMOUNT_OF_ENTRY}) as spent
    from unnest($1::bigint[]) batch(batch_id)
    ${entriesOfBatch('tenant_id = any($3::text[])')}
    join budgets b on ${COUNTS_ENTRY}
    group by 1, 2
  ), changed as (
    select budget_id, time_key, sum(spent) as spent, sum(held) as held from (
      select budget_id, time_key, spent, 0 as held from counted
      union all
      select u.budget_id, u.time_key, 0, -u.amount
      from settled cross join lateral unnest(budget_ids, time_keys, amounts) u(budget_id, time_key, amount)
    ) change group by 1, 2
  )
  insert into budget_counters as c (budget_id, time_key, spent, held)
  select budget_id, time_key, spent, held from changed
  where budget_id in (select budget_id from budgets)
  order by budget_id, time_key collate "C"
  on conflict (budget_id, time_key) do update set spent = c.spent + excluded.spent, held = c.held + excluded.held`;
