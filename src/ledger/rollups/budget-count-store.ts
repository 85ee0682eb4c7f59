import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import { ENTRIES_PER_BATCH, entriesOfBatch } from '../../database/entries-of-batch.ts';
import { IS_WAITING } from '../entries/waiting.ts';
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
    waits: boolean;
  }>({
    name: 'read-budgeted-tenants',
    text: `select array(select distinct tenant_id from budgets) as budgeted,
      array(select distinct tenant_id from budgets where loop is not null) as guarded,
      exists (select from settle_queue where batch_id = any($1::bigint[])) as settles,
      exists (select from budget_holds where state = 'open' and waits_event_id is not null) as waits`,
    values: [batchIds],
  });
  const [found] = rows;
  if (found === undefined) return;
  const hasHolds = found.settles || found.waits;
  if (found.budgeted.length === 0 && !hasHolds) return;
  await keepRunSteps(transaction, batchIds, { guarded: found.guarded, at });
  await client.query({
    name: 'count-for-budgets',
    text: COUNT,
    values: [batchIds, formatInstant(at), found.budgeted, found.waits],
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

/** The number of those entries `e` of an event that stand and meet a condition; a reversal takes one away. */
function standing(condition: string): string {
  return `coalesce(sum(case when e.is_reversal then -1 else 1 end) filter (where ${condition}), 0)`;
}

/**
 * A hold is settled once, by the first of its events; a budget that was taken away counts no longer. An event whose hold
 * nobody made is written down, since its producer and its caller do not mean the same. A batched call is made under
 * the hold of one of its tenants. Of a call as old as holds that have left it cannot be told whether anybody made one, and nothing is.
 *
 * An event that waits for its price, or for its usage, has no charge yet, which is none of zero (R10): what money budgets hold for
 * it, and without its usage all that is held, stays held. Its hold is asked about again with each correction of the event,
 * and settled once the event has a charge or was taken as free.
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
  ), corrected as materialized (
    select distinct e.tenant_id, e.source, e.event_id from unnest($1::bigint[]) batch(batch_id)
    ${entriesOfBatch('$4 and corrects_entry_id is not null')}
  ), named as materialized (
    select hold_id, tenant_id, batch_id, source, event_id from settling
    union all
    select h.hold_id, h.tenant_id, 0, h.waits_source, h.waits_event_id from corrected c
    join budget_holds h on h.tenant_id = c.tenant_id and h.waits_source = c.source and h.waits_event_id = c.event_id
    where h.state = 'open' and h.waits_event_id is not null
  ), locked as materialized (
    select h.hold_id, h.tenant_id, h.budget_ids, h.time_keys, h.amounts from budget_holds h
    where h.state = 'open' and (h.hold_id, h.tenant_id) in (select hold_id, tenant_id from named)
    order by h.hold_id for update
  ), event as materialized (
    select distinct on (l.hold_id) l.*, n.source, n.event_id, w.unrated, w.unmeasured
    from locked l join named n on n.hold_id = l.hold_id and n.tenant_id = l.tenant_id cross join lateral (
      select ${standing(`e.${IS_WAITING} and e.outcome <> 'unmeasured'`)} > 0 as unrated,
        ${standing("e.outcome = 'unmeasured'")} > 0 as unmeasured
      from entries_of_event(n.tenant_id, n.source, n.event_id) e
      where not exists (select from fold_queue f
        where f.batch_id = e.entry_id / ${ENTRIES_PER_BATCH} and f.batch_id <> all($1::bigint[]))
    ) w
    order by l.hold_id, w.unrated or w.unmeasured, n.batch_id, n.source, n.event_id
  ), part as materialized (
    select v.hold_id, u.place, u.budget_id, u.time_key, u.amount,
      coalesce(u.amount > 0 and b.budget_id is not null and (v.unmeasured or v.unrated and b.measure = 'money'), false) as stays
    from event v cross join lateral unnest(v.budget_ids, v.time_keys, v.amounts)
      with ordinality u(budget_id, time_key, amount, place)
    left join budgets b on b.budget_id = u.budget_id
  ), kept as materialized (
    select hold_id, bool_or(stays) as waits,
      array_agg(case when stays then amount else 0 end order by place) as amounts
    from part group by hold_id
  ), ended as (
    update budget_holds h
    set state = 'settled', ended_at = $2, settled_source = v.source, settled_event_id = v.event_id,
      waits_source = null, waits_event_id = null
    from event v join kept k on k.hold_id = v.hold_id
    where h.hold_id = v.hold_id and not k.waits
  ), waiting as (
    update budget_holds h set waits_source = v.source, waits_event_id = v.event_id, amounts = k.amounts
    from event v join kept k on k.hold_id = v.hold_id
    where h.hold_id = v.hold_id and k.waits
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
      select budget_id, time_key, 0, -amount from part where not stays
    ) change group by 1, 2
  )
  insert into budget_counters as c (budget_id, time_key, spent, held)
  select budget_id, time_key, spent, held from changed
  where budget_id in (select budget_id from budgets)
  order by budget_id, time_key collate "C"
  on conflict (budget_id, time_key) do update set spent = c.spent + excluded.spent, held = c.held + excluded.held`;
