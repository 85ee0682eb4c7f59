-- Agent runs are found by their id, and token layers can be asked for, with those that were scaled marked.

-- A B-tree on runs would cost every posting a tenth of its time. A block-range index costs it next to
-- nothing: it tells the blocks in which a run, a trace or an instant may stand, and those are read.
create index entries_by_run on entries
  using brin (occurred_at timestamptz_minmax_multi_ops, agent_run_id text_bloom_ops, trace_id text_bloom_ops)
  with (pages_per_range = 64, autosummarize = on);
create index structure_spans_by_run on structure_spans
  using brin (occurred_at timestamptz_minmax_multi_ops, agent_run_id text_bloom_ops, trace_id text_bloom_ops)
  with (pages_per_range = 64, autosummarize = on);

-- `scaled`: the producer's own counts did not sum to the usage, and these are shares of it. It is a further
-- tag of the entry, so that corrections carry it along.
create view audit.layers as
select 'ent_' || entry_id as entry_id, tenant_id, source, event_id, nullif(member_id, '') as member_id,
  layer_prompt_tokens as prompt_tokens, layer_tool_tokens as tool_tokens,
  layer_memory_tokens as memory_tokens, layer_response_tokens as response_tokens,
  coalesce(further_tags ->> 'layers_source' = 'scaled', false) as scaled
from entries where layer_prompt_tokens is not null;
