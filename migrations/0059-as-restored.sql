-- What a backup writes of these rules, and a restore reads again, is the same text: law 12 took a restored ledger for a changed one.

-- A "between" beside other conditions is written in parentheses that a restore leaves out.
alter table tenants
  drop constraint tenant_has_a_readable_name,
  drop constraint tenant_has_a_readable_address,
  drop constraint tenant_has_a_readable_contact;
alter table tenants
  add constraint tenant_has_a_readable_name
    check (length(name) >= 1 and length(name) <= 200 and is_readable(name) and strpos(name, E'\n') = 0),
  add constraint tenant_has_a_readable_address
    check (length(address) >= 1 and length(address) <= 500 and is_readable(address)),
  add constraint tenant_has_a_readable_contact
    check (length(contact) >= 1 and length(contact) <= 200 and is_readable(contact) and strpos(contact, E'\n') = 0);
alter table issuer drop constraint issuer_name_check, drop constraint issuer_address_check;
alter table issuer
  add constraint issuer_name_check check (length(name) >= 1 and length(name) <= 200 and is_readable(name)),
  add constraint issuer_address_check check (length(address) >= 1 and length(address) <= 500 and is_readable(address));

-- A column that entries have had since the view was made stood in it as a null, of which a restore says the type.
create or replace view batch_leaves as
select b.batch_id, e.entry_id, (e.entry_id % 1000000)::integer as place, e.entry_hash,
  entry_hash(e, b.salt) as computed_hash, coalesce(e.entry_hash, entry_hash(e, b.salt)) as leaf
from batches b cross join lateral (
  select * from entries n where n.entry_id >= b.batch_id * 1000000 and n.entry_id < (b.batch_id + 1) * 1000000 offset 0
) e;
