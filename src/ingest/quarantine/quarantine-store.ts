import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import type { QuarantineReason } from '../../events/event.ts';
import type { RepeatedEvent } from '../../events/item.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';

/** An event that could not be posted, whole, until it is replayed. */
export interface QuarantinedEvent {
  readonly source: string | null;
  readonly eventId: string | null;
  readonly reason: QuarantineReason;
  readonly detail: string;
  readonly body: string;
  /** How many values were cut out of the body. */
  readonly cut: number;
  readonly ledgerDigest: Buffer | null;
  /** The digest of the event as it was sent; null where it could not be read. */
  readonly receivedDigest: Buffer | null;
  /** The digest of the body as it came, by which a second delivery is known; null of what is replayed. */
  readonly bodyDigest: Buffer | null;
  /** What of its message it was a second report of, which its body does not say; null for nearly all. */
  readonly repeats: RepeatedEvent | null;
}

export async function insertQuarantined(
  transaction: Transaction,
  events: readonly QuarantinedEvent[],
  batch: { readonly batchId: bigint; readonly receivedAt: InstantMs },
): Promise<void> {
  for (let from = 0; from < events.length; from += ROWS_A_STATEMENT) {
    const rows = events.slice(from, from + ROWS_A_STATEMENT).map((event) => ({
      batch_id: batch.batchId,
      received_at: formatInstant(batch.receivedAt),
      source: event.source,
      event_id: event.eventId,
      reason: event.reason,
      detail: storable(event.detail),
      body: storable(event.body),
      cut: event.cut,
      ledger_digest: event.ledgerDigest,
      received_digest: event.receivedDigest,
      body_digest: event.bodyDigest,
      repeats: event.repeats === null ? null : JSON.stringify(event.repeats),
      replayed_at: null,
      replay_outcome: null,
      dismissed_at: null,
      dismissed_by: null,
      dismissed_because: null,
      purged_at: null,
    }));
    await transaction.kysely.insertInto('quarantine').values(rows).execute();
  }
}

/** One message may hold ten thousand bad events, and a statement each would hold up the good ones for long. */
const ROWS_A_STATEMENT = 500;

/** Postgres text holds neither a NUL nor half of a surrogate pair; a refusal may quote either. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\uFFFD');
}

export interface QuarantineRow {
  readonly quarantine_id: bigint;
  readonly received_at: InstantMs;
  readonly source: string | null;
  readonly event_id: string | null;
  readonly reason: string;
  readonly detail: string;
  readonly body: string;
  readonly replayed_at: InstantMs | null;
  readonly replay_outcome: string | null;
  readonly cut: number;
  readonly dismissed_at: InstantMs | null;
  readonly dismissed_by: string | null;
  readonly dismissed_because: string | null;
  readonly purged_at: InstantMs | null;
}

const COLUMNS = [
  'quarantine_id',
  'received_at',
  'source',
  'event_id',
  'reason',
  'detail',
  'body',
  'replayed_at',
  'replay_outcome',
  'cut',
  'dismissed_at',
  'dismissed_by',
  'dismissed_because',
  'purged_at',
] as const;

/** Lists the events that wait, oldest first, behind one of them; with `all`, the replayed ones too. */
export function listQuarantined(
  database: Database,
  {
    all,
    limit,
    after = null,
  }: { readonly all: boolean; readonly limit: number; readonly after?: bigint | null },
): Promise<readonly QuarantineRow[]> {
  let query = database.kysely.selectFrom('quarantine').select(COLUMNS);
  if (after !== null) query = query.where('quarantine_id', '>', after);
  if (!all) query = query.where('replayed_at', 'is', null).where('dismissed_at', 'is', null);
  return query.orderBy('quarantine_id').limit(limit).execute();
}

/** Bodies that are read together come to so much at the most, or are one; and they are so many at the most. */
const BYTES_TOGETHER = 4_000_000;
const BODIES_TOGETHER = 1_000;

/** Reads the events that wait, oldest first, some at a time: all their bodies may be more than a process can hold. */
export async function* readQuarantineWaiting(
  { kysely }: Database,
  most: number,
): AsyncGenerator<readonly QuarantineRow[]> {
  const waiting = kysely
    .selectFrom('quarantine')
    .where('replayed_at', 'is', null)
    .where('dismissed_at', 'is', null)
    .orderBy('quarantine_id');
  const sizes = await waiting
    .select(['quarantine_id', sql<number>`octet_length(body)`.as('bytes')])
    .limit(most)
    .execute();
  for (const ids of togetherOf(sizes)) {
    yield await waiting.select(COLUMNS).where('quarantine_id', 'in', ids).execute();
  }
}

function togetherOf(
  sizes: readonly { readonly quarantine_id: bigint; readonly bytes: number }[],
): readonly (readonly bigint[])[] {
  const groups: bigint[][] = [];
  let [group, sum]: [bigint[], number] = [[], 0];
  for (const { quarantine_id: id, bytes } of sizes) {
    sum += bytes;
    if (group.length === 0 || group.length === BODIES_TOGETHER || sum > BYTES_TOGETHER) {
      [group, sum] = [[], bytes];
      groups.push(group);
    }
    group.push(id);
  }
  return groups;
}

/** Lists the numbers of all that wait, oldest first: their bodies together may be more than a process can hold. */
export async function listWaitingIds(database: Database): Promise<readonly bigint[]> {
  const rows = await database.kysely
    .selectFrom('quarantine')
    .select('quarantine_id')
    .where('replayed_at', 'is', null)
    .where('dismissed_at', 'is', null)
    .orderBy('quarantine_id')
    .execute();
  return rows.map(({ quarantine_id }) => quarantine_id);
}

/** Lists some of them without their bodies, which are long. */
export async function surveyQuarantined(
  database: Database,
  of: { readonly all: boolean; readonly reason: string | null; readonly limit: number },
): Promise<readonly Omit<QuarantineRow, 'body'>[]> {
  const columns = COLUMNS.filter((name) => name !== 'body');
  let query = database.kysely.selectFrom('quarantine').select(columns);
  if (!of.all) query = query.where('replayed_at', 'is', null).where('dismissed_at', 'is', null);
  if (of.reason !== null) query = query.where('reason', '=', of.reason);
  return query.orderBy('quarantine_id').limit(of.limit).execute();
}

/** Counts the events that wait by their reasons; with `all`, the replayed ones too. */
export async function countQuarantined(
  database: Database,
  all: boolean,
): Promise<readonly { readonly reason: string; readonly events: bigint }[]> {
  const waiting = all ? sql`` : sql`where replayed_at is null and dismissed_at is null`;
  const { rows } = await sql<{ reason: string; events: bigint }>`
    select reason, count(*) as events from quarantine ${waiting} group by reason order by reason`.execute(
    database.kysely,
  );
  return rows;
}

/** Reads one quarantined event; throws a `Refusal` where there is none. */
export async function readQuarantined(
  { kysely }: Pick<Transaction, 'kysely'>,
  quarantineId: bigint,
): Promise<QuarantineRow> {
  const row = await kysely
    .selectFrom('quarantine')
    .select(COLUMNS)
    .where('quarantine_id', '=', quarantineId)
    .executeTakeFirst();
  if (row !== undefined) return row;
  throw new Refusal(
    'not_found',
    `there is no quarantined event ${quarantineId}`,
    advise`see ${{ operation: 'quarantine list', all: true }}`,
  );
}

/** Answers which of the bodies wait already, as hexadecimal digests. */
export async function readWaitingBodies(
  transaction: Transaction,
  bodyDigests: readonly Buffer[],
): Promise<readonly string[]> {
  const { rows } = await sql<{ body: string }>`
    select encode(body_digest, 'hex') as body from quarantine
    where body_digest = any(${bodyDigests}::bytea[]) and replayed_at is null and dismissed_at is null`.execute(
    transaction.kysely,
  );
  return rows.map(({ body }) => body);
}

export interface LockedRow extends QuarantineRow {
  /** The digest of the event as it was sent, which what is kept of it may not have any more. */
  readonly received_digest: Buffer | null;
  readonly repeats: RepeatedEvent | null;
}

/** Locks one waiting event for its replay; null where it waits no longer. */
export async function lockQuarantined(
  transaction: Transaction,
  quarantineId: bigint,
): Promise<LockedRow | null> {
  const row = await transaction.kysely
    .selectFrom('quarantine')
    .select([...COLUMNS, 'received_digest', 'repeats'])
    .where('quarantine_id', '=', quarantineId)
    .where('replayed_at', 'is', null)
    .where('dismissed_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  return row ?? null;
}

export async function markReplayed(
  transaction: Transaction,
  quarantineId: bigint,
  replay: { readonly at: InstantMs; readonly outcome: string },
): Promise<void> {
  await transaction.kysely
    .updateTable('quarantine')
    .set({ replayed_at: formatInstant(replay.at), replay_outcome: replay.outcome })
    .where('quarantine_id', '=', quarantineId)
    .execute();
}

/** Marks a waiting event as dismissed; false where it waits no longer. */
export async function markDismissed(
  transaction: Transaction,
  quarantineId: bigint,
  note: { readonly at: InstantMs; readonly reason: string; readonly actor: string },
): Promise<boolean> {
  const { numUpdatedRows } = await transaction.kysely
    .updateTable('quarantine')
    .set({
      dismissed_at: formatInstant(note.at),
      dismissed_by: note.actor,
      dismissed_because: note.reason,
    })
    .where('quarantine_id', '=', quarantineId)
    .where('replayed_at', 'is', null)
    .where('dismissed_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Erases the bodies of what was dismissed before an instant; answers how many. */
export async function purgeDismissed(
  database: Database,
  before: InstantMs,
  at: InstantMs,
): Promise<number> {
  const { numUpdatedRows } = await database.kysely
    .updateTable('quarantine')
    .set({ body: '', purged_at: formatInstant(at) })
    .where(sql<boolean>`dismissed_at < ${formatInstant(before)}`)
    .where('purged_at', 'is', null)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** Counts the bodies that were dismissed before an instant and still stand there. */
export async function countPurgeable(database: Database, before: InstantMs): Promise<number> {
  const { rows } = await sql<{ bodies: bigint }>`
    select count(*) as bodies from quarantine
    where dismissed_at < ${formatInstant(before)} and purged_at is null`.execute(database.kysely);
  return Number(rows[0]?.bodies ?? 0);
}
