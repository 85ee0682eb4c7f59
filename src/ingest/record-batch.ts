import { hash } from 'node:crypto';
import type { InstantMs } from '../clock.ts';
import type { Database, Transaction } from '../database/database.ts';
import { inTransaction } from '../database/database.ts';
import { retryLostRace } from '../database/lost-race.ts';
import { cutBody, cutDetail, cutIdentifier } from '../events/cut-body.ts';
import type { EmailPolicy } from '../events/email-identifiers.ts';
import type { ReadEvent, ReadItem, SenderScope } from '../events/item.ts';
import { KEEP_EMAILS } from '../events/read-item.ts';
import { writeScoped } from '../events/sender-scope.ts';
import { eventKeysOf, eventText } from '../ledger/entries/event-keys.ts';
import type { PostOutcome } from '../ledger/posting/new-or-repeated.ts';
import type { Posting } from '../ledger/posting/post-events.ts';
import { postEvents } from '../ledger/posting/post-events.ts';
import type { BatchHead, Receipt } from '../ledger/posting/posting-store.ts';
import { insertReceipts, probeEvents } from '../ledger/posting/posting-store.ts';
import type { ReferenceCache } from '../ledger/posting/reference-cache.ts';
import type { QuarantinedEvent } from './quarantine/quarantine-store.ts';
import { insertQuarantined, readWaitingBodies } from './quarantine/quarantine-store.ts';

/** The outcome of one item of a batch. */
export type ItemOutcome = 'posted' | 'duplicate' | 'conflict' | 'quarantined' | 'empty';

export interface RecordedItem {
  readonly item: ReadItem;
  readonly outcome: ItemOutcome;
  /** The entry that the ledger holds instead of an event in conflict. */
  readonly conflict?: Conflict;
}

/**
 * Records a batch in one transaction: entries, structure, quarantine and the receipts of law 1 are
 * there together or not at all. After it returns, the messages may be deleted. When another worker
 * commits one of these keys after our probe, the next probe sees it.
 */
export function recordBatch(
  database: Database,
  cache: ReferenceCache,
  batch: ReadBatch,
): Promise<readonly RecordedItem[]> {
  const record = () =>
    inTransaction(database, (transaction) =>
      recordItems(transaction, cache, { ...batch, kind: 'ingest' }),
    );
  return retryLostRace(record, () => cache.forget());
}

/** Records items inside a transaction of the caller's, who retries. */
export async function recordItems(
  transaction: Transaction,
  cache: ReferenceCache,
  batch: ReadBatch & { readonly kind: BatchHead['kind'] },
): Promise<readonly RecordedItem[]> {
  const { items, recordedAt, kind } = batch;
  const strays = await findStrays(transaction, items);
  const events = items.filter(isEvent).filter((item) => !strays.has(item));
  const posting = await postEvents(transaction, cache, { kind, events, recordedAt });
  const judged = judgeItems(items, strays, posting.events);
  // What is replayed waits already, and is not told from itself.
  const recorded = kind === 'ingest' ? await withoutWaiting(transaction, judged) : judged;
  const { batchId } = posting;
  const emails = batch.emails ?? KEEP_EMAILS;
  const quarantined: QuarantinedEvent[] = [];
  for (const { quarantined: one } of recorded) {
    if (one !== null) quarantined.push(keptOf(one, emails));
  }
  await insertQuarantined(transaction, quarantined, { batchId, receivedAt: recordedAt });
  await insertReceipts(transaction, countReceipts(recorded), { batchId, recordedAt });
  return recorded;
}

/** What a batch is made of, and what becomes of addresses in what cannot be posted. */
export interface ReadBatch {
  readonly items: readonly ReadItem[];
  readonly recordedAt: InstantMs;
  readonly emails?: EmailPolicy | undefined;
}

interface Unposted extends Omit<QuarantinedEvent, 'cut'> {
  /** What tells it from an equal one, beside its body. */
  readonly apart?: string | undefined;
  /** What its sender may tell of, where its body does not say whose it is. */
  readonly scope?: SenderScope | undefined;
}

/** Returns the part that may be kept of an event that could not be posted. */
function keptOf(event: Unposted, emails: EmailPolicy): QuarantinedEvent {
  const kept = cutBody(event.body, emails);
  const { scope } = event;
  return {
    ...event,
    ...kept,
    body: scope === undefined ? kept.body : writeScoped(kept.body, scope, emails),
    source: cutIdentifier(event.source, emails),
    eventId: cutIdentifier(event.eventId, emails),
    detail: cutDetail(event.detail, emails),
  };
}

function isEvent(item: ReadItem): item is ReadEvent {
  return item.kind === 'event';
}

/**
 * Finds the events that a stray clock dated (R12). What the ledger has already is none of them,
 * however old.
 */
async function findStrays(
  transaction: Transaction,
  items: readonly ReadItem[],
): Promise<ReadonlySet<ReadItem>> {
  const old = items.filter(isEvent).filter(({ tooOld }) => tooOld !== null);
  if (old.length === 0) return new Set();
  const held = await probeEvents(
    transaction,
    old.flatMap(({ event }) => eventKeysOf(event)),
  );
  const isHeld = ({ event }: ReadEvent) =>
    eventKeysOf(event).some((key) => held.has(eventText(key)));
  return new Set(old.filter((item) => !isHeld(item)));
}

/** What waits in quarantine already, and was delivered again, is a duplicate of what waits. */
async function withoutWaiting(
  transaction: Transaction,
  recorded: readonly RecordedWhole[],
): Promise<readonly RecordedWhole[]> {
  const bodies = new Map<RecordedWhole, Buffer>();
  for (const one of recorded) {
    if (one.quarantined !== null) bodies.set(one, digestOf(one.quarantined));
  }
  if (bodies.size === 0) return recorded;
  const known = new Set(await readWaitingBodies(transaction, [...bodies.values()]));
  return recorded.map((one) => {
    const bodyDigest = bodies.get(one);
    if (bodyDigest === undefined || one.quarantined === null) return one;
    const text = bodyDigest.toString('hex');
    if (known.has(text)) return { ...one, outcome: 'duplicate', quarantined: null };
    known.add(text);
    return { ...one, quarantined: { ...one.quarantined, bodyDigest } };
  });
}

function digestOf({ body, apart, scope }: Unposted): Buffer {
  const from = scope === undefined ? [] : [JSON.stringify(scope)];
  return hash(
    'sha256',
    [...from, ...(apart === undefined ? [] : [apart]), body].join(' '),
    'buffer',
  );
}

interface RecordedWhole extends RecordedItem {
  readonly quarantined: Unposted | null;
}

/** The answers of posting come in the order of its events, which is that of the items. */
function judgeItems(
  items: readonly ReadItem[],
  strays: ReadonlySet<ReadItem>,
  answers: Posting<ReadEvent>['events'],
): readonly RecordedWhole[] {
  let place = 0;
  return items.map((item) => {
    if (!isEvent(item)) return recordUnread(item);
    if (strays.has(item)) return { item, outcome: 'quarantined', quarantined: strayOf(item) };
    const answer = answers[place];
    place += 1;
    if (answer?.received !== item) {
      throw new Error(`posting did not answer for ${item.event.eventId}`);
    }
    return recordJudged(item, answer.outcome);
  });
}

function recordUnread(item: Exclude<ReadItem, ReadEvent>): RecordedWhole {
  if (item.kind === 'empty') return { item, outcome: 'empty', quarantined: null };
  const { source, eventId, reason, detail, apart, scope, repeats = null } = item;
  const digests = { ledgerDigest: null, receivedDigest: null, bodyDigest: null };
  const because = { source, eventId, reason, detail };
  const quarantined = { ...because, body: item.body(), apart, scope, ...digests, repeats };
  return { item, outcome: 'quarantined', quarantined };
}

function recordJudged(item: ReadEvent, outcome: PostOutcome): RecordedWhole {
  if (outcome.kind !== 'conflict') return { item, outcome: outcome.kind, quarantined: null };
  const quarantined = conflictOf(item, outcome);
  return { item, outcome: 'conflict', conflict: outcome, quarantined };
}

function strayOf(item: ReadEvent): Unposted {
  const { source, eventId } = item.event;
  const digests = { ledgerDigest: null, receivedDigest: item.digest, bodyDigest: null };
  const because = { reason: 'occurred_too_early', detail: item.tooOld ?? '' } as const;
  const { repeats = null } = item;
  return { source, eventId, ...because, body: item.body(), ...digests, repeats };
}

export type Conflict = Extract<PostOutcome, { readonly kind: 'conflict' }>;

function conflictOf(item: ReadEvent, conflict: Conflict): Unposted {
  const { source, eventId } = item.event;
  const { ledgerDigest } = conflict;
  return {
    source,
    eventId,
    reason: 'conflict',
    detail: detailOf(item, conflict),
    body: item.body(),
    ledgerDigest,
    receivedDigest: item.digest,
    bodyDigest: null,
    repeats: item.repeats ?? null,
  };
}

function detailOf({ event, digest }: ReadEvent, { ledgerDigest, sameResponse }: Conflict): string {
  const digests = `(sha-256 ${ledgerDigest.toString('hex')}, received ${digest.toString('hex')})`;
  if (sameResponse === null) {
    return `event_id: ${JSON.stringify(event.eventId)} of source ${JSON.stringify(event.source)} is in the ledger with another content ${digests}; the ledger is unchanged; accept it as a correction, or dismiss it`;
  }
  const { source, eventId } = sameResponse;
  return `response_id: ${JSON.stringify(event.responseId)} is in the ledger with other counts or at another time, by event ${JSON.stringify(eventId)} of source ${JSON.stringify(source)} ${digests}; the ledger is unchanged, correct that entry, or send this event without its response_id where it is a call of its own`;
}

/** An event that could not be read has the source that it names, or none. */
function countReceipts(recorded: readonly RecordedItem[]): readonly Receipt[] {
  const counts = new Map<string, Counting>();
  for (const { item, outcome } of recorded) {
    const source = (item.kind === 'event' ? item.event.source : item.source) ?? '';
    const known = counts.get(source);
    const count = known ?? newCount(source);
    if (known === undefined) counts.set(source, count);
    count.received += 1;
    if (item.kind === 'empty') count.empty[item.reason] = (count.empty[item.reason] ?? 0) + 1;
    else if (outcome !== 'empty') count[COUNTED_AS[outcome]] += 1;
  }
  return [...counts.values()];
}

type Counting = Writable<Omit<Receipt, 'empty'>> & { readonly empty: Record<string, number> };
type Writable<Shape> = { -readonly [Key in keyof Shape]: Shape[Key] };

function newCount(source: string): Counting {
  const none = { received: 0, posted: 0, duplicates: 0, conflicts: 0, quarantined: 0 };
  return { source, ...none, empty: {} };
}

const COUNTED_AS = {
  posted: 'posted',
  duplicate: 'duplicates',
  conflict: 'conflicts',
  quarantined: 'quarantined',
} as const satisfies Record<Exclude<ItemOutcome, 'empty'>, keyof Receipt>;
