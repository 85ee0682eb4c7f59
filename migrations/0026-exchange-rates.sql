-- Costs are paid in one currency and charges in another: dated rates, imported like a price book and never changed.

create table exchange_versions (
  version_id bigint generated always as identity primary key,
  base text not null check (base ~ '^[A-Z]{3}$'),
  effective_from timestamptz not null,
  source text not null,
  document_hash text not null,
  imported_at timestamptz not null,
  unique (base, effective_from)
);

-- How many of the currency one of the base is, in 10⁻¹². An entry whose cost was converted names the version.
create table exchange_rates (
  version_id bigint not null references exchange_versions,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  rate numeric(38, 0) not null check (rate > 0),
  primary key (version_id, currency)
);

create trigger exchange_versions_are_immutable before update or delete or truncate on exchange_versions
  for each statement execute function refuse_change();
create trigger exchange_rates_are_immutable before update or delete or truncate on exchange_rates
  for each statement execute function refuse_change();
create trigger exchange_rates_revision after insert on exchange_rates
  for each statement execute function bump_catalog_revision('prices');
