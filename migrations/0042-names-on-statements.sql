-- A statement names who sends it and whom it is for, and links to the invoice that bills it: all of that is read beside what is frozen.

-- Any script is welcome; what is no character to read is not.
create function is_readable(of_text text) returns boolean language sql immutable parallel safe as $$
  select of_text !~ '[\u0001-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]'
$$;

alter table tenants
  add column name text constraint tenant_has_a_readable_name
    check (length(name) between 1 and 200 and is_readable(name) and strpos(name, E'\n') = 0),
  add column address text constraint tenant_has_a_readable_address
    check (length(address) between 1 and 500 and is_readable(address)),
  add column contact text constraint tenant_has_a_readable_contact
    check (length(contact) between 1 and 200 and is_readable(contact) and strpos(contact, E'\n') = 0);

create table issuer (
  only_one boolean primary key default true check (only_one),
  name text check (length(name) between 1 and 200 and is_readable(name)),
  address text check (length(address) between 1 and 500 and is_readable(address)),
  -- a picture as a data URI
  logo text check (length(logo) <= 100000 and logo like 'data:image/%'),
  support_url text check (length(support_url) <= 500),
  support_email text check (length(support_email) <= 200),
  set_at timestamptz not null
);
select begin_journal('issuer', 'only_one', 'logo');

-- Stripe's page of the invoice, once it is final.
alter table stripe_invoices add column hosted_url text;
