import type { Transaction } from '../../database/database.ts';
import { ENTRIES_OF_BATCH, entriesOfBatch } from '../../database/entries-of-batch.ts';
import { present } from '../../present.ts';
import type { NewEntry, StoredEntry } from './entry.ts';
import type { EntryRow } from './entry-columns.ts';
import { FACT_COLUMNS, toEntry } from './entry-columns.ts';

/** Neither a reversal nor reversed by one: what takes an entry back is its own tenant's, whoever has it afterwards. */
export const STANDS = `not e.is_reversal and not exists (
  select 1 from entries c where c.tenant_id = e.tenant_id and c.corrects_entry_id = e.entry_id)`;

/**
 * The same for whoever reads a whole ledger. It says to the planner what that does not conclude, that few entries correct
 * another one: so it keeps these in memory, and not the long rows of all the others, which it would write to disk.
 */
export const STANDS_OF_ALL = `not e.is_reversal and not exists (
  select 1 from entries c where c.tenant_id = e.tenant_id and c.corrects_entry_id = e.entry_id
    and c.corrects_entry_id is not null)`;

/**
 * The actor who corrects an answer whose first attempt was not known when it was posted; no
 * person's name.
 */
export const JOINER = 'spanledger:attempts';

/** Reads entries by id, in the order of their ids; an id without an entry is left out. */
export function readEntries(
  transaction: Transaction,
  entryIds: readonly bigint[],
): Promise<readonly StoredEntry[]> {
  return select(transaction, 'entry_id = any($1::bigint[]) order by entry_id', [entryIds]);
}

/** Reads entries that are there, each once; answers by id. */
export async function lookUpEntries(
  transaction: Transaction,
  entryIds: readonly bigint[],
): Promise<(entryId: bigint) => StoredEntry> {
  const entries = await readEntries(transaction, [...new Set(entryIds)]);
  const byId = new Map(entries.map((entry) => [entry.entryId, entry]));
  return (entryId) => present(byId.get(entryId), `the entry ${entryId}`);
}

/** Reads all entries of one batch, in the order of their ids. */
export function readBatch(
  transaction: Transaction,
  batchId: bigint,
): Promise<readonly StoredEntry[]> {
  return selectFrom(transaction, `(values ($1::bigint)) batch(batch_id) ${ENTRIES_OF_BATCH}`, {
    condition: 'true order by e.entry_id',
    values: [batchId],
  });
}

/** What a tenant has of one event's part. */
export interface HeldRevisions {
  /** The first revision that is free. */
  readonly next: number;
  readonly stands: boolean;
}

/** Reads what a tenant has of each of these parts of events, in their order. */
export async function readRevisions(
  transaction: Transaction,
  tenantId: string,
  keys: readonly Pick<NewEntry, 'source' | 'eventId' | 'memberId'>[],
): Promise<readonly HeldRevisions[]> {
  const { rows } = await transaction.client.query<HeldRevisions>({
    name: 'read-revisions-held',
    text: `select h.next, h.stands
      from unnest($2::text[], $3::text[], $4::text[]) with ordinality k(source, event, member, n)
      cross join lateral (
        select coalesce(max(revision) + 1, 0)::int as next, coalesce(bool_or(
            not is_reversal and not exists (select from corrections_of(entry_id))), false) as stands
        from entries_of_event($1, k.source, k.event) where member_id = k.member
      ) h order by k.n`,
    values: [
      tenantId,
      keys.map(({ source }) => source),
      keys.map(({ eventId }) => eventId),
      keys.map(({ memberId }) => memberId),
    ],
  });
  return rows;
}

/** Reads the entry with which an identity began; null where there is none. */
export async function readFirstRevision(
  transaction: Transaction,
  key: Pick<NewEntry, 'tenantId' | 'source' | 'eventId' | 'memberId'>,
): Promise<StoredEntry | null> {
  const [first] = await select(
    transaction,
    'tenant_id = $1 and source = $2 and event_id = $3 and member_id = $4 and revision = 0',
    [key.tenantId, key.source, key.eventId, key.memberId],
  );
  return first ?? null;
}

/** Reads what stands of one event under any of these tenants, in the order of the entries' ids. */
export function readStandingOf(
  transaction: Transaction,
  of: { readonly source: string; readonly eventId: string; readonly tenantIds: readonly string[] },
): Promise<readonly StoredEntry[]> {
  return select(
    transaction,
    `tenant_id = any($1::text[]) and source = $2 and event_id = $3 and ${STANDS} order by entry_id`,
    [of.tenantIds, of.source, of.eventId],
  );
}

/** An index holds these alone, so that a batch without any is not read; the number is how it is written there. */
const ATTEMPTED = `(call_id is not null or trace_id is not null
      and (status <> 'ok' or attempt > 1 or further_tags ? 'requested_model_source'))::int = 1`;

/**
 * Reads the entries of a batch whose attempts may belong to a call of several (R8). A reversal
 * counts too: when a failed attempt is taken back, another one may be the first.
 */
export function readAttemptsOf(
  transaction: Transaction,
  batchIds: readonly bigint[],
): Promise<readonly StoredEntry[]> {
  return selectFrom(
    transaction,
    `unnest($1::bigint[]) batch(batch_id) ${entriesOfBatch(ATTEMPTED)}`,
    {
      condition: 'true order by e.entry_id',
      values: [batchIds],
    },
  );
}

/** Failed attempts in these traces and of these calls (R8). */
export function readFailedAttempts(
  transaction: Transaction,
  keys: readonly AttemptKey[],
): Promise<readonly StoredEntry[]> {
  return selectAttempts(transaction, keys, {
    inTrace: `e.status <> 'ok'`,
    ofCall: `e.status <> 'ok'`,
    and: 'true',
  });
}

/**
 * Answers in these traces and of these calls that may have followed a failed attempt, as they count now. Where a person
 * changed the model that an answer requested, in the story that ends in the entry, it stays changed.
 */
export function readLaterAttempts(
  transaction: Transaction,
  keys: readonly AttemptKey[],
): Promise<readonly StoredEntry[]> {
  return selectAttempts(transaction, keys, {
    inTrace: `e.status = 'ok' and (e.attempt > 1 or e.further_tags ? 'requested_model_source')`,
    ofCall: `e.status = 'ok'`,
    and: `(e.kind = 'usage' or not exists (
         with recursive story as (
           select e.corrects_entry_id, e.requested_model, e.actor
           union all
           select p.corrects_entry_id, p.requested_model, p.actor
           from story s cross join lateral entries_of_id(s.corrects_entry_id) p
         )
         select 1 from story s cross join lateral entries_of_id(s.corrects_entry_id) p
         where s.actor <> '${JOINER}' and s.requested_model <> p.requested_model))`,
  });
}

/** What may join the attempts of one call. */
export interface AttemptKey {
  readonly tenantId: string;
  readonly traceId: string | null;
  readonly callId: string | null;
}

/** Each branch has an index of its own; an entry may be found by both. */
async function selectAttempts(
  transaction: Transaction,
  keys: readonly AttemptKey[],
  where: { readonly inTrace: string; readonly ofCall: string; readonly and: string },
): Promise<readonly StoredEntry[]> {
  if (keys.length === 0) return [];
  const { rows } = await transaction.client.query<{ entry_id: bigint }>(
    `select e.entry_id from entries e where e.trace_id is not null and ${where.inTrace} and ${STANDS}
       and (e.tenant_id, e.trace_id) in (select * from unnest($1::text[], $2::text[]))
     union
     select e.entry_id from entries e where e.call_id is not null and ${where.ofCall} and ${STANDS}
       and (e.tenant_id, e.call_id collate "C") in (select * from unnest($1::text[], $3::text[]))`,
    [
      keys.map(({ tenantId }) => tenantId),
      keys.map(({ traceId }) => traceId),
      keys.map(({ callId }) => callId),
    ],
  );
  if (rows.length === 0) return [];
  return selectFrom(transaction, 'entries_of_ids($1::bigint[]) e', {
    condition: `${where.and} order by e.entry_id`,
    values: [rows.map((row) => row.entry_id)],
  });
}

function select(
  transaction: Transaction,
  condition: string,
  values: readonly unknown[],
): Promise<readonly StoredEntry[]> {
  return selectFrom(transaction, 'entries e', { condition, values });
}

async function selectFrom(
  transaction: Transaction,
  from: string,
  where: { readonly condition: string; readonly values: readonly unknown[] },
): Promise<readonly StoredEntry[]> {
  const { rows } = await transaction.client.query<EntryRow>(
    `select ${FACT_COLUMNS} from ${from} where ${where.condition}`,
    [...where.values],
  );
  return rows.map(toEntry);
}
