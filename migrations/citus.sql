-- For a database with Citus, and only there: the tables that grow with usage, distributed by tenant. Not a
-- migration: "spanledger migrate --citus" applies it once, after the migrations, in one transaction.
-- What does not grow with usage (tenants, periods, closes, pushes) stays on the coordinator, with its triggers,
-- its foreign keys and the unique keys that have no tenant in them.

-- Citus knows no triggers on distributed tables; there the privileges alone say that nothing is edited (R13).
drop trigger entries_are_append_only on entries;
drop trigger structure_spans_are_append_only on structure_spans;
revoke update, delete, truncate on entries, structure_spans from public, current_user;

-- A unique key needs the tenant. An id is its batch's number and a place in it, so it stays unique without one.
drop index entries_by_id;
create index entries_by_id on entries (entry_id);

-- Joined with entries of every tenant, small, and read more often than written.
select create_reference_table('price_books');
select create_reference_table('price_rates');

select create_distributed_table('entries', 'tenant_id');
select create_distributed_table('structure_spans', 'tenant_id', colocate_with => 'entries');
select create_distributed_table('usage_rollups', 'tenant_id', colocate_with => 'entries');
select create_distributed_table('run_rollups', 'tenant_id', colocate_with => 'entries');
