-- Every currency that Stripe bills has its minor unit, from one table; and nobody empties a table that holds what happened.

-- The major units in one minor unit; test/database/currencies.test.ts holds it to src/currencies.ts.
create function minor_unit(currency text) returns numeric language sql immutable parallel safe as $$
  select case
    when currency in ('BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA', 'PYG', 'RWF', 'VND', 'VUV', 'XAF', 'XOF', 'XPF')
      then 1
    when currency in ('BHD', 'JOD', 'KWD', 'OMR', 'TND') then 0.001
    else 0.01
  end
$$;

create or replace view audit.periods as
select p.tenant_id, p.period_start, p.starts_at, p.ends_at,
  case when c.tenant_id is null then 'open' else 'closed' end as state,
  coalesce(c.entries, r.entries, 0)::bigint as entries,
  major(coalesce(c.charge_exact, r.charge, 0)) as charge_exact,
  major(c.carried_in) as carried_in,
  trim_scale(c.billable_micro * 0.000001) as billable,
  major(c.carried_out) as carried_out,
  trim_scale(c.charge_total * minor_unit(c.currency)) as charge_total,
  coalesce(c.currency, r.currency) as currency, c.manifest_hash, c.closed_at
from periods p
left join closes c on c.tenant_id = p.tenant_id and c.period_start = p.period_start
left join lateral (
  select sum(u.entries) as entries, sum(u.charge) as charge, min(u.currency) as currency
  from usage_rollups u where u.tenant_id = p.tenant_id and u.period_start = p.period_start
) r on c.tenant_id is null;

-- Row triggers do not see a table that is emptied as a whole.
create function refuse_emptying() returns trigger language plpgsql as $$
begin
  raise exception 'emptying % is refused: it holds what happened, and nothing of that is taken away', tg_table_name
    using errcode = 'restrict_violation';
end $$;

create trigger periods_are_not_emptied before truncate on periods for each statement execute function refuse_emptying();
create trigger push_intents_are_not_emptied before truncate on push_intents for each statement execute function refuse_emptying();
create trigger quarantine_is_not_emptied before truncate on quarantine for each statement execute function refuse_emptying();
create trigger stripe_alerts_are_not_emptied before truncate on stripe_alerts for each statement execute function refuse_emptying();
create trigger stripe_invoices_are_not_emptied before truncate on stripe_invoices for each statement execute function refuse_emptying();
create trigger tenants_are_not_emptied before truncate on tenants for each statement execute function refuse_emptying();
create trigger tenant_price_books_are_not_emptied before truncate on tenant_price_books
  for each statement execute function refuse_emptying();
