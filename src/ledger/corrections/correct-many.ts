import type { Clock } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { retryLostRace } from '../../database/lost-race.ts';
import type { Parts } from '../../parts.ts';
import { periodsBeginningIn } from '../../periods/calendar.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { readTenant, readTenants } from '../../tenants/tenant-store.ts';
import type { StoredEntry } from '../entries/entry.ts';
import { toEntry } from '../entries/entry-columns.ts';
import { lockForPosting } from '../posting/posting-store.ts';
import { type ForeseenPrices, ReferenceCache } from '../posting/reference-cache.ts';
import { foldAll } from '../rollups/fold-batches.ts';
import type { CorrectionNote, EntryChange } from './correction.ts';
import type { MadeCorrection } from './post-corrections.ts';
import {
  correct,
  postedEntriesOf,
  postOwnEntries,
  refuseUnmadeTenant,
  revisionInTarget,
} from './post-corrections.ts';
import type { StandingFilter, TenantSpan } from './standing-store.ts';
import { countStanding, openStanding, readStanding } from './standing-store.ts';

/** One correction of many entries. */
export interface BulkCorrection {
  readonly entries: StandingFilter;
  /** Null takes the entries back without a replacement. */
  readonly change: EntryChange | null;
  readonly note: CorrectionNote;
  /** Shows what would be done and posts nothing. */
  readonly dryRun: boolean;
  /** The prices under which a dry run looks; null or left out, those of now. */
  readonly foreseen?: ForeseenPrices | null;
  /** Whether a correction is to be posted; what it would not change, for one, is not. */
  readonly isDue: (made: MadeCorrection) => boolean;
  /** Told of the corrections of some entries, due or not, once those that are due were posted. */
  readonly looked: (made: readonly MadeCorrection[]) => void;
}

/** Told how many entries of how many were looked at, now and then. */
export type Progress = (done: number, all: number) => void;

/** Entries corrected in one transaction. */
const ENTRIES_A_TRANSACTION = 1_000;

/** Postgres copies the entries of one transaction while the next ones are rated. */
const LANES = 2;

/**
 * Corrects many entries, some in each transaction, and folds them into the rollups. Answers how many
 * it looked at. Every step chooses among what stands, so doing it again finds what a crash left.
 */
export async function correctMany(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  bulk: BulkCorrection,
  progress: Progress = () => {},
): Promise<number> {
  const free = Array.from({ length: LANES }, () => newCache(bulk));
  const lanes = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let done = 0;
  await inTransaction(database, async (transaction) => {
    await refuseUnmadeTenant(transaction, [bulk.change?.tenantId ?? null]);
    const all = await countStanding(transaction, bulk.entries);
    const cursor = await openStanding(transaction, bulk.entries, ENTRIES_A_TRANSACTION);
    for (let rows = await cursor.fetch(); rows.length > 0; rows = await cursor.fetch()) {
      while (lanes.size === LANES) await Promise.race(lanes);
      if (failures.length > 0) break;
      const cache = free.pop() ?? newCache(bulk);
      const entries = rows.map(toEntry);
      const lane = correctSome({ database, clock, cache }, bulk, entries)
        .then(
          () => {
            done += entries.length;
            progress(done, all);
          },
          (error) => void failures.push(error),
        )
        .finally(() => {
          free.push(cache);
          lanes.delete(lane);
        });
      lanes.add(lane);
    }
    await Promise.all(lanes);
  });
  if (failures.length > 0) throw failures[0];
  if (!bulk.dryRun) await foldAll(database, clock);
  return done;
}

function newCache({ foreseen = null }: BulkCorrection): ReferenceCache {
  return new ReferenceCache(foreseen);
}

interface Lane {
  readonly database: Database;
  readonly clock: Clock;
  readonly cache: ReferenceCache;
}

/** Entries that somebody else corrected since they were read lose the race, and are read again. */
async function correctSome(
  { database, clock, cache }: Lane,
  bulk: BulkCorrection,
  read: readonly StoredEntry[],
): Promise<void> {
  let isStale = false;
  const correctOnce = () =>
    inTransaction(database, async (transaction) => {
      await lockForPosting(transaction);
      const ids = read.map(({ entryId }) => entryId);
      const entries = isStale ? await readStanding(transaction, ids) : read;
      const now = clock();
      const tenants = entries.map(({ tenantId }) => tenantId);
      await cache.refresh(transaction, new Set([...tenants, ...targetOf(bulk)]), now);
      const made = await makeCorrections(transaction, { cache, bulk, entries });
      const due = made.filter((one) => one.paysNow === null && bulk.isDue(one));
      const posted = due.flatMap(postedEntriesOf);
      if (posted.length > 0 && !bulk.dryRun) {
        await postOwnEntries(transaction, posted, { kind: 'correction', cache, recordedAt: now });
      }
      return made;
    });
  const made = await retryLostRace(correctOnce, () => {
    isStale = true;
    cache.forget();
  });
  bulk.looked(made);
}

function targetOf({ change }: BulkCorrection): readonly string[] {
  return change?.tenantId === undefined ? [] : [change.tenantId];
}

async function makeCorrections(
  transaction: Transaction,
  of: {
    readonly cache: ReferenceCache;
    readonly bulk: BulkCorrection;
    readonly entries: readonly StoredEntry[];
  },
): Promise<readonly MadeCorrection[]> {
  const { cache, bulk, entries } = of;
  const made: MadeCorrection[] = [];
  for (const entry of entries) {
    const revision = await revisionInTarget(transaction, entry, bulk.change?.tenantId);
    made.push(correct(cache, entry, { ...bulk, revision }));
  }
  return made;
}

/** Returns the spans of the periods that begin in a month, of one tenant or of all (R16). */
export async function spansOfMonth(
  database: Database,
  month: string,
  tenantId: string | null,
): Promise<readonly TenantSpan[]> {
  const { kysely } = database;
  const tenants =
    tenantId === null ? await readTenants(kysely, 'all') : [await readTenant(kysely, tenantId)];
  // Calendar arithmetic is slow, and most tenants share a calendar.
  const known = new Map<string, ReturnType<typeof periodsBeginningIn>>();
  return tenants.flatMap(({ tenantId: id, calendar }: Tenant) => {
    const key = JSON.stringify(calendar);
    const periods = known.get(key) ?? periodsBeginningIn(calendar, month);
    known.set(key, periods);
    return periods.map(({ startDate, startsAt, endsAt }) => {
      return { tenantId: id, startDate, startsAt, endsAt };
    });
  });
}
