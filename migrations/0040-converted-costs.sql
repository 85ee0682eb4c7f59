-- A report names the rates by which costs were converted; the entries with such a cost are few, and stand in an index of their own.

create index entries_converted on entries (tenant_id, occurred_at) where further_tags ? 'cost_exchange';
