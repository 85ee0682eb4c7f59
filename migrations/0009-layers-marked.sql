-- Layers that were scaled say so by a further tag of their entry, which corrections carry along.
drop view audit.layers;
alter table entries drop column layers_scaled;

-- `scaled`: the producer's own counts did not sum to the usage, and these are shares of it.
create view audit.layers as
select 'ent_' || entry_id as entry_id, tenant_id, source, event_id, nullif(member_id, '') as member_id,
  layer_prompt_tokens as prompt_tokens, layer_tool_tokens as tool_tokens,
  layer_memory_tokens as memory_tokens, layer_response_tokens as response_tokens,
  coalesce(further_tags ->> 'layers_source' = 'scaled', false) as scaled
from entries where layer_prompt_tokens is not null;

-- What was posted since the last vacuum is summarized when a range of blocks is full.
alter index entries_by_run set (autosummarize = on);
alter index structure_spans_by_run set (autosummarize = on);
