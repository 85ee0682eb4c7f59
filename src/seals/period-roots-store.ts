import type { Cursor } from '../database/cursor.ts';
import { openCursor } from '../database/cursor.ts';
import type { Transaction } from '../database/database.ts';
import { ENTRIES_PER_BATCH } from '../database/entries-of-batch.ts';
import { MerkleTree } from './merkle-tree.ts';

/** A tenant's period, as far as its root is concerned. */
interface RootedPeriod {
  readonly tenantId: string;
  readonly periodStart: string;
}

interface LeavesRow {
  /** The place of the period among those asked for, from 1 on. */
  readonly place: number;
  /** The next hashes of its entries, one after another. */
  readonly leaves: Buffer;
}

/** Hashes of one row at the most: the periods of most tenants are one row each, and no row is large. */
const LEAVES_A_ROW = 1_000;

const ROWS_A_FETCH = 500;

/**
 * Makes the Merkle roots over the entries of periods, in the order in which the periods are given. One
 * statement reads the hashes of all of them, once: asked for some tenants at a time, Postgres would look
 * up each tenant's entries by the tenant, and read all that the tenant ever had. Memory stays small,
 * however many periods there are and entries in them; Postgres sorts the hashes, on disk if need be. It
 * does so while its caller does something else, and reads on while roots are made.
 */
export class PeriodRoots {
  readonly #cursor: Cursor<LeavesRow>;
  #coming: Promise<readonly LeavesRow[]>;
  #periodsDone = 0;
  #ahead: LeavesRow[] = [];

  private constructor(cursor: Cursor<LeavesRow>) {
    this.#cursor = cursor;
    this.#coming = this.#fetch();
  }

  static async open(
    transaction: Transaction,
    periods: readonly RootedPeriod[],
  ): Promise<PeriodRoots> {
    const starts = periods.map((period) => period.periodStart);
    const values = [periods.map((period) => period.tenantId), starts, [...new Set(starts)]];
    // The hashes are sorted in memory as far as it reaches.
    const settings = { work_mem: '128MB' };
    const query = { text: LEAVES, values, rowsAtOnce: ROWS_A_FETCH, settings };
    return new PeriodRoots(await openCursor(transaction, query));
  }

  /** Gives the next so many periods, or whatever stands for them, their roots in hexadecimal. */
  async root<Item>(
    items: readonly Item[],
  ): Promise<readonly (Item & { readonly entriesRoot: string })[]> {
    const trees = items.map(() => new MerkleTree());
    for (;;) {
      const row = await this.#peek();
      const tree = row === undefined ? undefined : trees[row.place - 1 - this.#periodsDone];
      if (row === undefined || tree === undefined) break;
      tree.add(row.leaves);
      this.#ahead.pop();
    }
    this.#periodsDone += items.length;
    return items.map((item, index) => {
      const tree = trees[index] ?? new MerkleTree();
      return { ...item, entriesRoot: tree.root().toString('hex') };
    });
  }

  /** Waits for what is being read ahead, so that the transaction can end. */
  async settle(): Promise<void> {
    await this.#coming.catch(() => {});
  }

  async #peek(): Promise<LeavesRow | undefined> {
    if (this.#ahead.length === 0) {
      this.#ahead = [...(await this.#coming)].reverse();
      this.#coming = this.#fetch();
    }
    return this.#ahead.at(-1);
  }

  /** A fault of reading ahead belongs to whoever needs the rows. */
  #fetch(): Promise<readonly LeavesRow[]> {
    const rows = this.#cursor.fetch();
    rows.catch(() => {});
    return rows;
  }
}

/**
 * The hash of an entry of before the seals is made of its whole row, which no other entry is to carry along: hence the
 * first OFFSET 0. A tenant is looked up once for all of its periods: by both, the planner would rather look up every
 * period among the entries.
 */
const LEAVES = `
  select place, string_agg(leaf, ''::bytea order by entry_id) as leaves
  from (
    select place, entry_id, leaf, (row_number() over (partition by place order by entry_id) - 1) / ${LEAVES_A_ROW} as piece
    from (
      select k.places[array_position(k.starts, e.period_start)] as place, e.entry_id, e.leaf
      from (
        select tenant_id, period_start, entry_id, coalesce(entry_hash, entry_hash(e,
          (select b.salt from batches b where b.batch_id = e.entry_id / ${ENTRIES_PER_BATCH}))) as leaf
        from entries_of_periods($1::text[], $3::date[]) e
        offset 0
      ) e
      join (
        select t, array_agg(s) as starts, array_agg(place::int) as places
        from unnest($1::text[], $2::date[]) with ordinality p(t, s, place) group by t
      ) k on e.tenant_id = k.t
      offset 0
    ) placed
    where place is not null
  ) numbered
  group by place, piece order by place, piece`;
