-- A worker at full speed asks for more block ranges to be summarized than Postgres remembers (256 until the next vacuum
-- process comes, once a minute). It drops the others, and every search for a run, a trace or an event by its id reads
-- those blocks row by row until the table is vacuumed: by default once a fifth of it is new, which for a large ledger is
-- weeks. So it is vacuumed by what is new, however large it is; where rows are only added, that reads the new blocks.
alter table entries set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 250000);
alter table structure_spans set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 250000);
alter table quarantine set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 250000);
