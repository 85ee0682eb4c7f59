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
  /** Hashes of its entries of one batch. */
  readonly leaves: Buffer;
}

/** Rows fetched at once: each has one batch's hashes of one period. */
const ROWS_A_FETCH = 500;

/**
 * Makes the Merkle roots over the entries of periods, in the order in which the periods are given. One
 * statement reads the hashes of all of them, once: asked for some tenants at a time, Postgres would look
 * up each tenant's entries by the tenant, and read all that the tenant ever had. Memory stays small,
 * however many periods there are and entries in them; Postgres sorts the hashes, on disk if need be.
 */
export class PeriodRoots {
  readonly #cursor: Cursor<LeavesRow>;
  #periodsDone = 0;
  #ahead: LeavesRow[] = [];

  private constructor(cursor: Cursor<LeavesRow>) {
    this.#cursor = cursor;
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

  async #peek(): Promise<LeavesRow | undefined> {
    if (this.#ahead.length === 0) this.#ahead = [...(await this.#cursor.fetch())].reverse();
    return this.#ahead.at(-1);
  }
}

/** OFFSET 0 has hashes sorted, and not whole entries. */
const LEAVES = `
  select place, string_agg(leaf, ''::bytea order by entry_id) as leaves
  from (
    select k.place::int as place, b.batch_id, e.entry_id, coalesce(e.entry_hash, entry_hash(e, b.salt)) as leaf
    from entries_of_periods($1::text[], $3::date[]) e
    join unnest($1::text[], $2::date[]) with ordinality k(t, s, place) on e.tenant_id = k.t and e.period_start = k.s
    join batches b on b.batch_id = e.entry_id / ${ENTRIES_PER_BATCH}
    offset 0
  ) hashed
  group by place, batch_id order by place, batch_id`;
