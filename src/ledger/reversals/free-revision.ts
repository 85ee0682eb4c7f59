import type { Transaction } from '../../database/database.ts';
import { present } from '../../present.ts';
import { Refusal } from '../../refusal.ts';
import type { StoredEntry } from '../entries/entry.ts';
import { type HeldRevisions, readRevisions } from '../entries/entry-store.ts';
import { readHeldResponses, responseText } from '../posting/posting-store.ts';

/** Returns the revision of one entry's replacement, as of many. */
export async function revisionInTarget(
  transaction: Transaction,
  entry: StoredEntry,
  target: string | undefined,
): Promise<number> {
  const revisions = await revisionsInTarget(transaction, [entry], target);
  return present(revisions.get(entry), 'the revision of an entry that was asked for');
}

/**
 * Returns the revision of each entry's replacement: the next but one where it stays with its tenant; with
 * another tenant the first one free there, so that a later delivery under that tenant is a
 * duplicate or a conflict. Refuses where that tenant has the same call standing already, or would have it twice.
 */
export async function revisionsInTarget(
  transaction: Transaction,
  entries: readonly StoredEntry[],
  target: string | undefined,
): Promise<ReadonlyMap<StoredEntry, number>> {
  const revisions = new Map(entries.map((entry) => [entry, entry.revision + 2]));
  const moved = target === undefined ? [] : entries.filter((entry) => entry.tenantId !== target);
  if (target === undefined || moved.length === 0) return revisions;
  const held = {
    revisions: await readRevisions(transaction, target, moved),
    responses: await readHeldResponses(transaction, target, moved.flatMap(reportedAs)),
  };
  const taken = new Set<string>();
  for (const [place, entry] of moved.entries()) {
    const { next, stands } = present<HeldRevisions>(
      held.revisions[place],
      'what a tenant has of an event',
    );
    const event = `${entry.source}\u0000${entry.eventId}\u0000${entry.memberId}`;
    // The ledger's key holds the first report of a response alone.
    const responses = next === 0 ? reportedAs(entry).map(responseText) : [];
    const isHeld = responses.some((response) => held.responses.has(response));
    // Two that shared their response before are two calls.
    const own = entry.sharesResponse || entry.status !== 'ok' ? [event] : [event, ...responses];
    if (stands || isHeld || own.some((key) => taken.has(key))) refuseSecondBill(entry, target);
    for (const key of own) taken.add(key);
    revisions.set(entry, next);
  }
  return revisions;
}

function reportedAs({ responseId, memberId, gatewayCache }: StoredEntry) {
  return responseId === null || gatewayCache !== 'none' ? [] : [{ responseId, memberId }];
}

function refuseSecondBill(entry: StoredEntry, target: string): never {
  throw new Refusal(
    'conflict',
    `tenant "${target}" has event "${entry.eventId}" of source "${entry.source}" already, or the same provider response; it would be billed twice`,
    `void ent_${entry.entryId} instead`,
  );
}
