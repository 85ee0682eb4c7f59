import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { retryLostRace } from '../../database/lost-race.ts';
import { formatPico } from '../../money.ts';
import type { Parts } from '../../parts.ts';
import { present } from '../../present.ts';
import { readTenant } from '../../tenants/tenant-store.ts';
import type { EntryFilter, StoredEntry } from '../entries/entry-store.ts';
import { readCurrentEntries, readNewestEntryId } from '../entries/entry-store.ts';
import { lockForPosting } from '../posting/posting-store.ts';
import { ReferenceCache } from '../posting/reference-cache.ts';
import { foldAll } from '../rollups/fold-batches.ts';
import { priceOf, refuseUnfitNote } from './correction.ts';
import { correct, postOwnEntries } from './post-corrections.ts';
import type { RerateAnswer, RerateRequest, RerateRow, UnratedRow } from './rerate-answer.ts';

/** Entries read and corrected in one transaction. */
const ENTRIES_A_TRANSACTION = 1_000;

/**
 * Prices the entries of a month anew by the books as they are now (R15), and posts a reversal and a
 * replacement for each whose amounts differ; then folds them into the rollups. Doing it again finds
 * nothing to do, so a crash in between is mended by running it again.
 */
export async function rerateMonth(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: RerateRequest,
): Promise<RerateAnswer> {
  const { month, tenant_id: tenantId, dry_run } = request;
  refuseUnfitNote(request);
  if (tenantId !== null) await readTenant(database.kysely, tenantId);
  // What this run posts is not looked at again: an entry without a price would count once more.
  const upTo = await inTransaction(database, readNewestEntryId);
  const totals = new RerateTotals();
  let after = 0n;
  for (;;) {
    const span = { after, upTo };
    const some = await retryLostRace(() => rerateSome(database, clock, { request, span }));
    if (some === null) break;
    for (const { entry, price } of some.changed) totals.addChanged(entry, price);
    for (const entry of some.unrated) totals.addUnrated(entry);
    after = some.last;
  }
  if (!dry_run) await foldAll(database, clock);
  return { month, dry_run, ...totals.answer() };
}

interface RerateStep {
  readonly changed: readonly { readonly entry: StoredEntry; readonly price: Price }[];
  /** The entries that have no price by the books as they are now. */
  readonly unrated: readonly StoredEntry[];
  /** The last entry that was looked at. */
  readonly last: bigint;
}

/** Re-rates the next thousand entries of a span of ids; null when there was none. */
function rerateSome(
  database: Database,
  clock: Clock,
  of: { readonly request: RerateRequest; readonly span: Pick<EntryFilter, 'after' | 'upTo'> },
): Promise<RerateStep | null> {
  const { request, span } = of;
  const { tenant_id: tenantId, reason, actor } = request;
  return inTransaction(database, async (transaction) => {
    await lockForPosting(transaction);
    const filter: EntryFilter = {
      month: request.month,
      ...(tenantId === null ? {} : { tenantId }),
      ...span,
      limit: ENTRIES_A_TRANSACTION,
    };
    const entries = await readCurrentEntries(transaction, filter);
    const cache = new ReferenceCache();
    const now = clock();
    await cache.refresh(transaction, new Set(entries.map((entry) => entry.tenantId)), now);
    const pricing = cache.pricing();
    const priced = entries.map((entry) => ({ entry, price: priceOf(entry, pricing) }));
    const changed = priced.filter(({ entry, price }) => !isSamePrice(entry, price));
    if (changed.length > 0 && !request.dry_run) {
      const note = { note: { reason, actor }, change: {} };
      const corrections = changed.map(({ entry }) => correct(cache, entry, note));
      const posted = corrections.flatMap(({ reversal, replacement }) =>
        [reversal, replacement ?? []].flat(),
      );
      await postOwnEntries(transaction, posted, {
        kind: 'correction',
        cache,
        recordedAt: now,
      });
    }
    const last = entries.at(-1);
    if (last === undefined) return null;
    const unrated = priced.filter(({ price }) => price.outcome === 'unrated');
    return { changed, unrated: unrated.map(({ entry }) => entry), last: last.entryId };
  });
}

type Price = ReturnType<typeof priceOf>;

function isSamePrice(entry: StoredEntry, price: Price): boolean {
  return (
    entry.charge === price.charge &&
    entry.cost === price.cost &&
    // It is no amount of a bill, but the routing gain of a report comes from it (R4).
    entry.requestedCost === price.requestedCost &&
    entry.outcome === price.outcome &&
    entry.currency === price.currency
  );
}

class RerateTotals {
  readonly #changed = new Map<string, Writable<RerateTotal>>();
  readonly #unrated = new Map<string, Writable<UnratedRow>>();

  addChanged(entry: StoredEntry, price: Price): void {
    const amounts = [entry.charge, price.charge, entry.cost, price.cost];
    const key = JSON.stringify([
      entry.tenantId,
      entry.requestedModel,
      entry.currency,
      price.currency,
      amounts.map((amount) => amount !== null),
    ]);
    const total = this.#changed.get(key) ?? {
      tenant_id: entry.tenantId,
      requested_model: entry.requestedModel,
      currency_before: entry.currency,
      currency: price.currency,
      entries: 0,
      released: 0,
      amounts: amounts.map((amount) => (amount === null ? null : 0n)),
    };
    this.#changed.set(key, total);
    total.entries += 1;
    total.released += entry.charge === null && price.charge !== null ? 1 : 0;
    total.amounts = total.amounts.map((sum, index) =>
      sum === null ? null : sum + present(amounts[index], 'an amount that has a sum'),
    );
  }

  addUnrated({ tenantId, requestedModel }: StoredEntry): void {
    const key = JSON.stringify([tenantId, requestedModel]);
    const total = this.#unrated.get(key) ?? {
      tenant_id: tenantId,
      requested_model: requestedModel,
      entries: 0,
    };
    this.#unrated.set(key, total);
    total.entries += 1;
  }

  answer(): Pick<RerateAnswer, 'rows' | 'unrated'> {
    const rows = inOrder(this.#changed).map(({ amounts, ...total }): RerateRow => {
      const [chargeBefore, chargeAfter, costBefore, costAfter] = amounts.map(formatKnown);
      return {
        ...total,
        charge_before: chargeBefore ?? null,
        charge_after: chargeAfter ?? null,
        cost_before: costBefore ?? null,
        cost_after: costAfter ?? null,
      };
    });
    return { rows, unrated: inOrder(this.#unrated) };
  }
}

type Writable<Row> = { -readonly [Key in keyof Row]: Row[Key] };

interface RerateTotal
  extends Omit<RerateRow, 'charge_before' | 'charge_after' | 'cost_before' | 'cost_after'> {
  /** Charge before and after, cost before and after. */
  readonly amounts: readonly (bigint | null)[];
}

function inOrder<Row>(byKey: ReadonlyMap<string, Row>): readonly Row[] {
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function formatKnown(amount: bigint | null): string | null {
  return amount === null ? null : formatPico(amount);
}
