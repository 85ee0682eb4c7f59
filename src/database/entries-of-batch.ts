/** Entries of one batch; an entry's id is its batch's times this, plus its place. */
export const ENTRIES_PER_BATCH = 1_000_000;

/** Joins to each row of `batch` the entries of that batch, as `e`. */
export const ENTRIES_OF_BATCH = entriesOfBatch('true');

/**
 * Joins to each row of `batch` those entries `o` of that batch, as `e`, that meet a condition. The function stands for the
 * range of their ids, and OFFSET 0 keeps it a look-up by id: of a join on the range the planner believes that it
 * meets a ninth of the ledger, and reads all of it.
 */
export function entriesOfBatch(condition: string): string {
  return `cross join lateral (
    select * from entries_of_batch(batch.batch_id) o where (${condition}) offset 0) e`;
}
