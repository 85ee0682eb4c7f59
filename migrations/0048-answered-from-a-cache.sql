-- A statement says how many calls a gateway's cache answered, without a look at all the others of the period.

create index entries_answered_from_cache on entries (tenant_id, period_start) where gateway_cache <> 'none';
