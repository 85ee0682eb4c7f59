import type { Database, Transaction } from '../database/database.ts';
import { inTransaction } from '../database/database.ts';
import { ENTRIES_PER_BATCH } from './posting-store.ts';

/** Batches folded in one transaction: about ten thousand entries. */
const BATCHES_A_FOLD = 20;

/** One process folds at a time; the others find nothing to do. */
const FOLD_LOCK = 7_226_002;

/** Folds every batch that is committed; returns how many batches it folded. */
export async function foldAll(database: Database): Promise<number> {
  let folded = 0;
  for (;;) {
    const batches = await foldSome(database);
    if (batches === 0) return folded;
    folded += batches;
  }
}

/**
 * Folds a few whole batches into the rollups. A batch is queued by the transaction that posts it and
 * taken from the queue by the one that folds it, so each entry is counted once, whatever commits late.
 */
function foldSome(database: Database): Promise<number> {
  return inTransaction(database, async (transaction) => {
    await transaction.client.query('select pg_advisory_xact_lock($1)', [FOLD_LOCK]);
    const { rows } = await transaction.client.query<{ batch_id: bigint }>(
      `delete from fold_queue where batch_id in (select batch_id from fold_queue order by batch_id limit $1)
       returning batch_id`,
      [BATCHES_A_FOLD],
    );
    if (rows.length > 0)
      await foldBatches(
        transaction,
        rows.map((row) => row.batch_id),
      );
    return rows.length;
  });
}

async function foldBatches(transaction: Transaction, batchIds: readonly bigint[]): Promise<void> {
  await transaction.client.query(
    `insert into usage_rollups as u (${DIMENSIONS}, ${MEASURES})
     select tenant_id, period_start, (occurred_at at time zone 'UTC')::date, kind, outcome, late,
       coalesce(provider, ''), requested_model, executed_model, coalesce(feature, ''),
       coalesce(prompt_version, ''), currency,
       count(*), sum(uncached_input_tokens + cache_read_tokens + cache_write_tokens),
       sum(cache_read_tokens), sum(cache_write_tokens), sum(output_tokens),
       coalesce(sum(charge), 0), coalesce(sum(cost), 0)
     from unnest($1::bigint[]) b(batch_id)
     join entries on entry_id >= b.batch_id * ${ENTRIES_PER_BATCH} and entry_id < (b.batch_id + 1) * ${ENTRIES_PER_BATCH}
     group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
     order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
     on conflict (${DIMENSIONS}) do update set
       entries = u.entries + excluded.entries,
       input_tokens = u.input_tokens + excluded.input_tokens,
       cache_read_tokens = u.cache_read_tokens + excluded.cache_read_tokens,
       cache_write_tokens = u.cache_write_tokens + excluded.cache_write_tokens,
       output_tokens = u.output_tokens + excluded.output_tokens,
       charge = u.charge + excluded.charge,
       cost = u.cost + excluded.cost`,
    [batchIds],
  );
}

const DIMENSIONS = `tenant_id, period_start, day, kind, outcome, late, provider, requested_model,
  executed_model, feature, prompt_version, currency`;

const MEASURES = `entries, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, charge, cost`;
