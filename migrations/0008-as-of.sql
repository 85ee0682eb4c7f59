-- As of: what the ledger said at an instant, with the columns of the views as they are now. Entries are
-- never edited, so what was recorded until then is what stood then; a correction recorded later is not
-- there yet, and a period closed later is still open.
--
-- An entry's recorded_at is its batch's: the clock of whoever posted it, read before the transaction
-- committed. So the answer is exact but for the seconds of the transactions that were under way at that
-- instant, whose entries it has although nobody could see them yet.

-- Entries lie in the order in which they were recorded, so a few bytes for each megabyte tell where to
-- look, and posting does not slow down as it would under a tree.
create index entries_by_recorded_at on entries using brin (recorded_at) with (autosummarize = on);

create function audit.entries_as_of(at timestamptz) returns setof audit.entries
language sql stable parallel safe as $$
  select * from audit.entries where recorded_at <= at
$$;

-- A period is there from its first entry or its close on. Of an open one the sums come from entries,
-- since rollups have no history.
create function audit.periods_as_of(at timestamptz) returns setof audit.periods
language sql stable parallel safe as $$
  select p.tenant_id, p.period_start, p.starts_at, p.ends_at,
    case when p.closed_at <= at then 'closed' else 'open' end,
    case when p.closed_at <= at then p.entries else e.entries end,
    case when p.closed_at <= at then p.charge_exact else e.charge end,
    case when p.closed_at <= at then p.carried_in end,
    case when p.closed_at <= at then p.billable end,
    case when p.closed_at <= at then p.carried_out end,
    case when p.closed_at <= at then p.charge_total end,
    case when p.closed_at <= at then p.currency else e.currency end,
    case when p.closed_at <= at then p.manifest_hash end,
    case when p.closed_at <= at then p.closed_at end
  from audit.periods p
  left join lateral (
    select count(*) as entries, trim_scale(coalesce(sum(o.charge), 0)) as charge, min(o.currency) as currency
    from audit.entries o
    where o.tenant_id = p.tenant_id and o.period_start = p.period_start and o.recorded_at <= at
      and (p.closed_at <= at) is not true
  ) e on true
  where p.closed_at <= at or e.entries > 0
$$;

create function audit.usage_daily_as_of(at timestamptz) returns setof audit.usage_daily
language sql stable parallel safe as $$
  select (occurred_at at time zone 'UTC')::date, tenant_id, requested_model, nullif(feature, ''), outcome,
    count(*), sum(input_tokens), sum(output_tokens),
    trim_scale(coalesce(sum(charge), 0)), trim_scale(coalesce(sum(cost), 0))
  from audit.entries where recorded_at <= at
  group by 1, 2, 3, 4, 5
$$;
