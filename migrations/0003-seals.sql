-- Seals (law 8): a hash of every entry, and a chain of blocks over them that makes later tampering visible.

-- ---------------------------------------------------------------------------------------------------
-- An entry's hash: written with it by the worker, and made here a second time for whoever checks

-- The salt keeps what a proof hides from being guessed. A proof shows a hash of the hidden columns, and costs
-- are few and known; without an unknown part, trying them all would give them away.
alter table batches add column salt bytea not null default uuid_send(gen_random_uuid());
create trigger batches_are_append_only before update or delete or truncate on batches
  for each statement execute function refuse_change();

-- Null only in entries older than this migration; they are sealed over the hash that they have now.
alter table entries add column entry_hash bytea;
alter table entries add constraint entry_has_its_hash
  check (entry_hash is not null and length(entry_hash) = 32) not valid;

-- The text format of COPY, in which the worker hashes an entry: \N for null, and these four escaped.
create function copy_text(value text) returns text language sql immutable parallel safe as $$
  select case when value ~ '[\\\t\n\r]'
    then replace(replace(replace(replace(value, '\', '\\'), e'\t', '\t'), e'\n', '\n'), e'\r', '\r')
    else value end
$$;

create function copy_boolean(value boolean) returns text language sql immutable parallel safe as $$
  select case when value then 't' else 'f' end
$$;

-- Milliseconds always, and microseconds only where there are any: the worker never writes such, so they show.
create function copy_instant(value timestamptz) returns text language sql stable parallel safe as $$
  select coalesce(replace(to_char(value at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '000Z', 'Z'), value::text)
$$;

-- What a proof shows of an entry: what was done, and what is paid for it.
create function entry_shown(e entries) returns text language sql stable parallel safe as $$
  select array_to_string(array[
    copy_text(e.tenant_id), copy_text(e.source), copy_text(e.event_id), copy_text(e.member_id), e.revision::text,
    e.entry_id::text, e.kind, e.outcome, e.status, copy_instant(e.occurred_at), copy_instant(e.started_at),
    copy_instant(e.recorded_at), to_char(e.period_start, 'YYYY-MM-DD'), copy_boolean(e.late), copy_text(e.operation),
    copy_text(e.requested_model), copy_text(e.service_tier), copy_text(e.gateway_cache), e.uncached_input_tokens::text,
    e.cache_read_tokens::text, e.cache_write_tokens::text, e.output_tokens::text, e.reasoning_tokens::text,
    e.call_share::text, e.usage_source, e.layer_prompt_tokens::text, e.layer_tool_tokens::text,
    e.layer_memory_tokens::text, e.layer_response_tokens::text, e.charge::text, copy_text(e.currency),
    copy_text(e.charge_book), copy_instant(e.charge_version), e.charge_rate_id::text, copy_text(e.user_id),
    copy_text(e.feature), copy_text(e.agent_run_id), copy_text(e.prompt_version), copy_text(e.trace_id),
    copy_text(e.span_id), copy_text(e.parent_span_id), e.attempt::text, e.corrects_entry_id::text,
    copy_boolean(e.is_reversal)], e'\t', '\N')
$$;

-- The hash that stands in a proof for what it hides: how the call was served, and what that cost us.
create function entry_hidden(e entries, salt bytea) returns bytea language sql stable parallel safe as $$
  select sha256('\x02'::bytea || convert_to(encode(salt, 'hex') || e'\t' || e.entry_id || e'\t' || array_to_string(array[
    copy_text(e.error_type), copy_text(e.provider), copy_text(e.executed_model), copy_text(e.response_id),
    e.context_tokens::text, e.cost::text, e.requested_cost::text, copy_text(e.cost_book), copy_instant(e.cost_version),
    e.cost_rate_id::text, copy_text(e.further_tags::text), copy_text(e.reason), copy_text(e.actor),
    '\\x' || encode(e.event_digest, 'hex')], e'\t', '\N'), 'UTF8'))
$$;

create function entry_hash(e entries, salt bytea) returns bytea language sql stable parallel safe as $$
  select sha256('\x00'::bytea || convert_to(entry_shown(e) || e'\t' || encode(entry_hidden(e, salt), 'hex'), 'UTF8'))
$$;

-- Entries with their hashes, for whoever comes from the entry; an id is batch_id * 1,000,000 + a place.
create view entry_leaves as
select e.tenant_id, e.period_start, e.entry_id, b.batch_id, (e.entry_id % 1000000)::integer as place, e.entry_hash,
  entry_hash(e, b.salt) as computed_hash, coalesce(e.entry_hash, entry_hash(e, b.salt)) as leaf
from entries e join batches b on b.batch_id = e.entry_id / 1000000;

-- The same for whoever comes from the batch. OFFSET 0 keeps it a look-up by id: of a join on the range the
-- planner believes that it meets a ninth of the ledger, and reads all of it.
create view batch_leaves as
select b.batch_id, e.entry_id, (e.entry_id % 1000000)::integer as place, e.entry_hash,
  entry_hash(e, b.salt) as computed_hash, coalesce(e.entry_hash, entry_hash(e, b.salt)) as leaf
from batches b cross join lateral (
  select * from entries n where n.entry_id >= b.batch_id * 1000000 and n.entry_id < (b.batch_id + 1) * 1000000 offset 0
) e;

-- ---------------------------------------------------------------------------------------------------
-- Blocks: one a batch, in the order in which they were taken from the queue

create table seal_queue (batch_id bigint primary key);
insert into seal_queue select batch_id from batches;

create table seals (
  seal_number bigint primary key check (seal_number >= 1),
  batch_id bigint not null unique references batches,
  entries integer not null check (entries >= 0),
  -- Merkle root over the hashes of the batch's entries, in the order of their ids
  root bytea not null check (length(root) = 32),
  -- the first four bytes of each of those hashes; they prove nothing, and say which one changed
  prints bytea not null check (length(prints) = 4 * entries),
  previous_hash bytea not null check (length(previous_hash) = 32),
  -- over the number, the batch's own row, the root, the instant and the hash before
  seal_hash bytea not null check (length(seal_hash) = 32),
  sealed_at timestamptz not null
);
create index seals_by_time on seals (sealed_at);
create trigger seals_are_append_only before update or delete or truncate on seals
  for each statement execute function refuse_change();

-- How far the laws were seen to hold: an incremental verify goes on from the last of these.
create table verifications (
  verification_id bigint generated always as identity primary key,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  scope text not null check (scope in ('full', 'incremental')),
  -- the last seal that was checked, and its hash; 0 and empty before the first
  seal_number bigint not null,
  seal_hash bytea not null
);
create trigger verifications_are_append_only before update or delete or truncate on verifications
  for each statement execute function refuse_change();

create view audit.seals as
select seal_number, batch_id, entries, encode(root, 'hex') as root, encode(previous_hash, 'hex') as previous_hash,
  encode(seal_hash, 'hex') as seal_hash, sealed_at
from seals;
