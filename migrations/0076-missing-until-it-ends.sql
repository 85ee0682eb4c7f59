-- What keeps a month from being whole is told when it begins and once more when it comes again; before, a kind was told
-- once for ever. A share of a budget is told once for each limit; before, once for each day, month or run.

-- What stands and was told; a row goes when the thing is no longer missing.
create table webhook_missing (
  -- Its kind, tenant, period and what it is about, as a list of JSON.
  thing text collate "C" primary key,
  -- What it named when it was told, as its counts grow: models, reasons, tenants. Null: it was told before names were kept.
  names text[],
  told_count bigint not null,
  told_at timestamptz not null
);

-- What was told under the old keys is not told anew. Of events in quarantine and of events that stand twice the old key
-- said once for ever that there are some, and not which: those that stand now are told.
insert into webhook_missing (thing, names, told_count, told_at)
select distinct on (thing) thing, null, told_count, occurred_at
from (
  select regexp_replace(substr(event_key, length('month.incomplete ') + 1), ',"[^"]*"\]$',
      ',"' || coalesce(substring(data->>'detail' from '^alert ([0-9]+), '),
        case data->>'kind' when 'unregistered_tenant' then data->>'currency' end, '') || '"]') as thing,
    (data->>'count')::bigint as told_count, occurred_at, event_id
  from webhook_events
  where kind = 'month.incomplete'
    and data->>'kind' not in ('quarantined', 'under_two_tenants', 'reported_twice', 'contradicting')
) told
order by thing, event_id desc;

update webhook_events set event_key = event_key || ' ' || case data->>'measure'
  when 'money' then trunc((data->>'limit')::numeric * 1000000000000)::text || ' ' || (data->>'currency')
  else data->>'limit' || ' tokens' end
where kind in ('budget.threshold', 'budget.projected_overrun');
