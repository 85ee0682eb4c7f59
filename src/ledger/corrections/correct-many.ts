import type { Clock } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { retryLostRace } from '../../database/lost-race.ts';
import type { ActParts, Parts } from '../../parts.ts';
import { periodsBeginningIn } from '../../periods/calendar.ts';
import { Refusal } from '../../refusal.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { readTenant, readTenants } from '../../tenants/tenant-store.ts';
import { counted } from '../../text/counted.ts';
import type { NewEntry, StoredEntry } from '../entries/entry.ts';
import { toEntry } from '../entries/entry-columns.ts';
import { postOwnEntries } from '../posting/own-entries.ts';
import { lockForPosting } from '../posting/posting-store.ts';
import { type ForeseenPrices, ReferenceCache } from '../posting/reference-cache.ts';
import type { CorrectionNote, EntryChange } from '../reversals/correction.ts';
import { revisionsInTarget } from '../reversals/free-revision.ts';
import type { MadeCorrection } from '../reversals/made-correction.ts';
import { correct, postedEntriesOf } from '../reversals/made-correction.ts';
import { BATCHES_A_FOLD, foldPosted, foldSome } from '../rollups/fold-batches.ts';
import { refuseUnmadeTenant } from './post-corrections.ts';
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
  /** Whether the fold may see some of the corrections before the others, since none of them changes what it joins. */
  readonly foldsMeanwhile?: boolean;
  /** Whether a correction is to be posted; what it would not change, for one, is not. */
  readonly isDue: (made: MadeCorrection) => boolean;
  /**
   * Told of the corrections of some entries, due or not, once those that are due were posted, and under which
   * ids; null where nothing was.
   */
  readonly looked: (
    made: readonly MadeCorrection[],
    ids: ReadonlyMap<NewEntry, bigint> | null,
  ) => void;
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
  parts: ActParts,
  bulk: BulkCorrection,
  progress: Progress = () => {},
): Promise<number> {
  const { database, clock } = parts;
  const free = Array.from({ length: LANES }, () => newCache(bulk));
  const lanes = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const folding = foldingBeside({ database, clock }, bulk);
  let [done, all] = [0, 0];
  await inTransaction(database, async (transaction) => {
    await refuseUnmadeTenant(transaction, [bulk.change?.tenantId ?? null]);
    all = await countStanding(transaction, bulk.entries);
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
            folding.posted();
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
  await folding.end();
  if (failures.length > 0) throw bulk.dryRun ? failures[0] : afterSome(failures[0], { done, all });
  if (!bulk.dryRun) await foldPosted(parts);
  return done;
}

/** Folds beside the lanes, whenever as many transactions went by as are folded together. */
function foldingBeside(
  parts: Pick<Parts, 'database' | 'clock'>,
  { foldsMeanwhile = false, dryRun }: BulkCorrection,
) {
  let waiting = 0;
  let fold: Promise<unknown> | null = null;
  return {
    posted() {
      waiting += 1;
      if (!foldsMeanwhile || dryRun || waiting < BATCHES_A_FOLD || fold !== null) return;
      waiting -= BATCHES_A_FOLD;
      // What it could not do the fold at the end does.
      fold = foldSome(parts)
        .catch(() => {})
        .finally(() => {
          fold = null;
        });
    },
    end: async () => void (await fold),
  };
}

/** A refusal that comes in the middle says that what went before it stands. */
function afterSome(
  failure: unknown,
  { done, all }: { readonly done: number; readonly all: number },
): unknown {
  if (done === 0 || !(failure instanceof Refusal)) return failure;
  return new Refusal(
    failure.kind,
    `${failure.message}; of ${counted(all, 'entry', 'entries')} ${done} were dealt with before`,
    [...failure.remedy, '; then do the same again, which goes on with what is left'],
  );
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
      if (posted.length === 0 || bulk.dryRun) return { made, ids: null };
      const batch = { kind: 'correction', cache, recordedAt: now } as const;
      return { made, ids: (await postOwnEntries(transaction, posted, batch)).ids };
    });
  const { made, ids } = await retryLostRace(correctOnce, () => {
    isStale = true;
    cache.forget();
  });
  bulk.looked(made, ids);
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
  const revisions = await revisionsInTarget(transaction, entries, bulk.change?.tenantId);
  const { change, note } = bulk;
  return [...revisions].map(([entry, revision]) =>
    correct(cache, entry, { change, note, revision }),
  );
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
