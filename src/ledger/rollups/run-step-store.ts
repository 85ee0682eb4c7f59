import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import { entriesOfBatch } from '../../database/entries-of-batch.ts';

/** A run that pauses for longer than this begins anew. */
export const RUN_STEPS_KEPT = `interval '1 day'`;

/** Tokens of both sides that an entry `e` counts. */
export const TOKENS_OF_ENTRY = `e.uncached_input_tokens + e.cache_read_tokens + e.cache_write_tokens + e.output_tokens
      + units_within(e.units, 'input') + units_within(e.units, 'output')`;

/** Keeps the calls of runs that a budget guards against loops, and takes away what is too old to be a step of one. */
export async function keepRunSteps(
  { client }: Transaction,
  batchIds: readonly bigint[],
  { guarded, at }: { readonly guarded: readonly string[]; readonly at: InstantMs },
): Promise<void> {
  if (guarded.length === 0) return;
  await client.query({
    name: 'keep-run-steps',
    text: `with old as (
        delete from run_steps where occurred_at < $2::timestamptz - ${RUN_STEPS_KEPT}
      )
      insert into run_steps (tenant_id, agent_run_id, occurred_at, entry_id, model, feature, tokens)
      select e.tenant_id, e.agent_run_id, e.occurred_at, e.entry_id, e.requested_model, e.feature, ${TOKENS_OF_ENTRY}
      from unnest($1::bigint[]) batch(batch_id)
      ${entriesOfBatch('tenant_id = any($3::text[])')}
      where e.agent_run_id is not null and e.kind = 'usage' and e.status = 'ok'
        and e.occurred_at >= $2::timestamptz - ${RUN_STEPS_KEPT}
      on conflict do nothing`,
    values: [batchIds, formatInstant(at), guarded],
  });
}
