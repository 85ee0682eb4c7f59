import { inTransaction, type Transaction } from '../../database/database.ts';
import type { ReadEvent } from '../../events/item.ts';
import type { ReadSettings } from '../../events/read-item.ts';
import { type NewEntry, type StoredEntry, usageEntry } from '../../ledger/entries/entry.ts';
import { readStandingOf } from '../../ledger/entries/entry-store.ts';
import { tenantsOf } from '../../ledger/entries/event-keys.ts';
import { postOwnEntries } from '../../ledger/posting/own-entries.ts';
import { lockForPosting } from '../../ledger/posting/posting-store.ts';
import { findConflict } from '../../ledger/posting/read-known-reports.ts';
import { ReferenceCache } from '../../ledger/posting/reference-cache.ts';
import { type CorrectionNote, reversalOf } from '../../ledger/reversals/correction.ts';
import { otherCurrency, refuseOtherCurrency } from '../../ledger/reversals/made-correction.ts';
import { foldPosted } from '../../ledger/rollups/fold-batches.ts';
import type { ActParts } from '../../parts.ts';
import { placeReversal, placeUsage } from '../../periods/placement.ts';
import { rateEvent } from '../../rating/rate-event.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import type { AcceptConflictAnswer, AcceptConflictRequest } from './quarantine-answer.ts';
import { lockQuarantined, markReplayed, readQuarantined } from './quarantine-store.ts';
import { readQuarantinedBody } from './read-quarantined-body.ts';

export interface AcceptParts extends ActParts {
  readonly reading: ReadSettings;
}

/**
 * Takes the content of a conflict for the right one (R9): what the ledger holds under its id is taken back,
 * and what came later stands in its place, as a correction with a reason and an actor (R13).
 */
export async function acceptConflict(
  parts: AcceptParts,
  request: AcceptConflictRequest,
): Promise<AcceptConflictAnswer> {
  const { database } = parts;
  await readQuarantined(database, request.quarantine_id);
  const answer = await inTransaction(database, (transaction) =>
    acceptLocked(parts, request, transaction),
  );
  await foldPosted(parts);
  return answer;
}

async function acceptLocked(
  { clock, reading }: AcceptParts,
  { quarantine_id: id, reason, actor }: AcceptConflictRequest,
  transaction: Transaction,
): Promise<AcceptConflictAnswer> {
  const row = await lockQuarantined(transaction, id);
  if (row === null || row.reason !== 'conflict') refuseNoConflict(id, row?.reason ?? null);
  const now = clock();
  const [item] = readQuarantinedBody(row, reading, now);
  if (item?.kind !== 'event') refuseUnfit(id);
  await lockForPosting(transaction);
  const cache = new ReferenceCache();
  const tenantIds = tenantsOf(item.event);
  await cache.refresh(transaction, new Set(tenantIds), now);
  const { source, eventId } = item.event;
  const standing = await readStandingOf(transaction, { source, eventId, tenantIds });
  if (standing.length === 0) await refuseAnothersResponse(transaction, id, item);
  const pairs = pairUp(standing, item, cache) ?? refuseUnfit(id);
  const note = { reason, actor };
  const made = pairs.map(({ entry, replacement }) => ({
    entry,
    reversal: takeBack(entry, note, cache),
    replacement: {
      ...replacement,
      ...note,
      revision: entry.revision + 2,
      kind: 'correction' as const,
      correctsEntryId: entry.entryId,
    },
  }));
  const posted = made.flatMap(({ reversal, replacement }) => [reversal, replacement]);
  const { ids } = await postOwnEntries(transaction, posted, {
    kind: 'correction',
    cache,
    recordedAt: now,
  });
  await markReplayed(transaction, id, { at: now, outcome: 'accepted' });
  const shown = (entry: NewEntry) => `ent_${ids.get(entry)}`;
  return {
    quarantine_id: String(id),
    corrections: made.map(({ entry, reversal, replacement }) => ({
      corrected: `ent_${entry.entryId}`,
      reversal: shown(reversal),
      replacement: shown(replacement),
    })),
  };
}

function takeBack(entry: StoredEntry, note: CorrectionNote, cache: ReferenceCache): NewEntry {
  const takenBack = placeReversal(cache.tenant(entry.tenantId), entry);
  const paysNow = otherCurrency(cache, entry, takenBack);
  if (paysNow !== null) {
    refuseOtherCurrency(
      entry,
      paysNow,
      advise`credit or charge the difference in ${paysNow} with ${{ operation: 'adjust' }}, and dismiss the event`,
    );
  }
  return reversalOf(entry, note, takenBack);
}

interface Pair {
  readonly entry: StoredEntry;
  readonly replacement: NewEntry;
}

/**
 * Returns each standing entry with the part that replaces it; null where there is not one for each.
 */
function pairUp(
  standing: readonly StoredEntry[],
  { event, digest }: ReadEvent,
  cache: ReferenceCache,
): readonly Pair[] | null {
  const parts = rateEvent(event, cache.pricing());
  const pairs = parts.flatMap((part): readonly Pair[] => {
    const entry = standing.find(
      ({ tenantId, memberId }) => tenantId === part.tenantId && memberId === part.memberId,
    );
    if (entry === undefined) return [];
    const tenant = cache.tenant(part.tenantId);
    const own = placeUsage(tenant, event.occurredAt);
    // What replaces an entry that was on no bill comes on none, unless it is of a month that is still open.
    const due = own.due && (!own.late || placeReversal(tenant, entry).due);
    const placement = { ...own, due };
    return [{ entry, replacement: usageEntry({ event, digest, part, placement }) }];
  });
  const isWhole = pairs.length === parts.length && pairs.length === standing.length;
  return isWhole && pairs.length > 0 ? pairs : null;
}

function refuseNoConflict(id: bigint, reason: string | null): never {
  throw new Refusal(
    'conflict',
    reason === null
      ? `event ${id} in quarantine waits no longer`
      : `event ${id} waits for ${reason} and is not a conflict; only a conflict is accepted`,
    advise`see ${{ operation: 'quarantine list', all: true }}; what is not in the ledger is replayed, or dismissed`,
  );
}

/** Refuses what would stand in another event's place: delivered once more, it would be in conflict again. */
async function refuseAnothersResponse(
  transaction: Transaction,
  id: bigint,
  item: ReadEvent,
): Promise<void> {
  const other = await findConflict(transaction, item);
  if (other === null) return;
  const { tenantId, source, eventId, memberId } = other;
  const standing = await readStandingOf(transaction, { source, eventId, tenantIds: [tenantId] });
  const entry = standing.find((one) => one.memberId === memberId);
  const alone =
    'where it is a call of its own, send it again without its response_id, and dismiss this one';
  throw new Refusal(
    'conflict',
    `event ${id} in quarantine has the provider's response of event ${JSON.stringify(eventId)} of source ${JSON.stringify(source)}, and stands in no other event's place`,
    entry === undefined
      ? advise`${alone}; nothing of the other event stands that could be corrected`
      : advise`where its counts are the right ones, correct the other event with ${{ operation: 'correct', entry_id: `ent_${entry.entryId}`, by: 'usage' }}, and dismiss this one; ${alone}`,
  );
}

function refuseUnfit(id: bigint): never {
  throw new Refusal(
    'conflict',
    `event ${id} in quarantine has no standing entry for each of its parts; a correction would not be whole`,
    advise`correct its entries one by one, as ${{ operation: 'audit entry', entry_id: null }} shows them, and dismiss it`,
  );
}
