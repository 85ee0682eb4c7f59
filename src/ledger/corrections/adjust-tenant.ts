import { hash, randomUUID } from 'node:crypto';
import type { InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import { inTransaction, mayBeCommitted } from '../../database/database.ts';
import { retryLostRace } from '../../database/lost-race.ts';
import { formatPico } from '../../money.ts';
import type { ActParts } from '../../parts.ts';
import { placeUsage } from '../../periods/placement.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { readLastCurrency, readTenant } from '../../tenants/tenant-store.ts';
import type { NewEntry } from '../entries/entry.ts';
import { ENTRY_WITHOUT_A_CALL } from '../entries/entry.ts';
import { readFirstRevision } from '../entries/entry-store.ts';
import { postOwnEntries } from '../posting/own-entries.ts';
import { lockForPosting } from '../posting/posting-store.ts';
import { ReferenceCache } from '../posting/reference-cache.ts';
import { refuseUnfitNote } from '../reversals/correction.ts';
import { foldPosted } from '../rollups/fold-batches.ts';
import type { AdjustmentAnswer, AdjustRequest } from './adjustment-answer.ts';

/** The source of entries that are adjustments; their ids are those of the adjustments. */
const ADJUSTMENT_SOURCE = 'adjustment';

/** The reason stands where a model would, and a model has as many characters. */
const LONGEST_REASON = 200;

/**
 * Posts money without a call behind it (R13): a goodwill credit below zero, a fee above. It bills in the
 * open period under a heading of its own; a credit that exceeds the usage is carried on (R14). The same
 * id again is a duplicate, and with other content it is refused.
 */
export async function adjustTenant(
  parts: ActParts,
  request: AdjustRequest,
): Promise<AdjustmentAnswer> {
  const { database, clock } = parts;
  refuseUnfitAdjustment(request);
  const id = request.id ?? randomUUID();
  const answer = await retryLostRace(() =>
    inTransaction(database, async (transaction) => {
      await lockForPosting(transaction);
      await readTenant(transaction.kysely, request.tenant_id);
      const key = { tenantId: request.tenant_id, source: ADJUSTMENT_SOURCE, eventId: id };
      const held = await readFirstRevision(transaction, { ...key, memberId: '' });
      if (held === null) return post(transaction, { request, id, now: clock() });
      if (!held.eventDigest.equals(digestOf(request))) refuseOtherAdjustment(held);
      return answerOf(held, { state: 'duplicate', entryId: held.entryId });
    }),
  ).catch((error: unknown) => {
    throw mayBeCommitted(error) ? notKnown(error, { ...request, id }) : error;
  });
  await foldPosted(parts);
  return answer;
}

function refuseUnfitAdjustment(request: AdjustRequest): void {
  refuseUnfitNote(request);
  const { tenant_id: tenantId, amount, reason, id } = request;
  if (amount === 0n) {
    throw new Refusal(
      'bad_request',
      'an adjustment of 0 adjusts nothing',
      'give an amount below zero for a credit, or above zero for a fee',
    );
  }
  if (tenantId === UNATTRIBUTED) {
    throw new Refusal(
      'bad_request',
      `"${UNATTRIBUTED}" stands for usage without a tenant, and cannot be billed`,
      'name the tenant who is to read it on a statement',
    );
  }
  const text = reason.length > LONGEST_REASON ? 'reason' : 'id';
  const length = text === 'reason' ? reason.length : (id?.length ?? 1);
  if (length >= 1 && length <= LONGEST_REASON) return;
  throw new Refusal(
    'bad_request',
    `the ${text} of an adjustment would have ${length} characters`,
    `give it 1 to ${LONGEST_REASON} characters`,
  );
}

/** Money that is asked for once more under no id, or under another one, is posted twice. */
function notKnown(error: unknown, { tenant_id, id }: AdjustRequest): Refusal {
  const why = error instanceof Error ? error.message : String(error);
  return new Refusal(
    'unavailable',
    `the connection to the database was lost at the commit, so that adjustment "${id}" of tenant "${tenant_id}" may be posted or not: ${why}`,
    `ask for the same again with the id "${id}", as a form that is sent again does: it is posted once`,
  );
}

function refuseOtherAdjustment(held: NewEntry): never {
  throw new Refusal(
    'conflict',
    `adjustment "${held.eventId}" of tenant "${held.tenantId}" is ${formatPico(held.charge ?? 0n)} ${held.currency} for "${held.reason}"`,
    'give another id to another adjustment',
  );
}

async function post(
  transaction: Transaction,
  of: { readonly request: AdjustRequest; readonly id: string; readonly now: InstantMs },
): Promise<AdjustmentAnswer> {
  const { request, id, now } = of;
  const { tenant_id: tenantId, amount, reason, actor } = request;
  const cache = new ReferenceCache();
  await cache.refresh(transaction, new Set([tenantId]), now);
  const placement = placeUsage(cache.tenant(tenantId), now);
  const currency =
    cache.pricing().bookOf(tenantId, now)?.currency ??
    (await readLastCurrency(transaction.kysely, tenantId));
  if (currency === null) refuseWithoutCurrency(tenantId);
  const entry: NewEntry = {
    ...ENTRY_WITHOUT_A_CALL,
    kind: 'adjustment',
    tenantId,
    source: ADJUSTMENT_SOURCE,
    eventId: id,
    revision: 0,
    outcome: 'charged',
    occurredAt: now,
    periodStart: placement.period.startDate,
    late: placement.late,
    due: placement.due,
    operation: ADJUSTMENT_SOURCE,
    requestedModel: reason,
    executedModel: reason,
    charge: amount,
    cost: 0n,
    currency,
    furtherTags: {},
    reason,
    actor,
    eventDigest: digestOf(request),
  };
  const { ids } = await postOwnEntries(transaction, [entry], {
    ...{ kind: 'adjustment', cache, recordedAt: now },
  });
  const entryId = ids.get(entry) ?? 0n;
  return answerOf(entry, { state: 'posted', entryId });
}

function refuseWithoutCurrency(tenantId: string): never {
  throw new Refusal(
    'incomplete',
    `tenant "${tenantId}" has no price book and no closed period, so its currency is not known`,
    advise`give it a price book with ${{ operation: 'tenant set', tenant_id: null, give: 'price_book', from: null }}`,
  );
}

function digestOf({ amount, reason }: AdjustRequest): Buffer {
  return hash('sha256', JSON.stringify([formatPico(amount), reason]), 'buffer');
}

function answerOf(
  entry: NewEntry,
  of: { readonly state: AdjustmentAnswer['state']; readonly entryId: bigint },
): AdjustmentAnswer {
  return {
    state: of.state,
    entry_id: `ent_${of.entryId}`,
    tenant_id: entry.tenantId,
    id: entry.eventId,
    amount: formatPico(entry.charge ?? 0n),
    currency: entry.currency,
    reason: entry.reason ?? '',
    period_start: entry.periodStart,
  };
}
