import type { Transaction } from '../../database/database.ts';
import { entriesOfBatch } from '../../database/entries-of-batch.ts';
import { present } from '../../present.ts';
import { IS_BARE, IS_NOBODYS, STANDS_AS_REPORTED } from '../posting/other-reports-store.ts';

const IS_BARE_SPAN = `${IS_BARE} and (o.span_id is not null or o.parent_span_id is not null)`;

/**
 * The entries of a batch any other report may repeat; the rest are repeated by one of these alone. It is written as its
 * index has it: a number, so that no other look-up says it too and reads all of that index.
 */
export const IS_ONE_OF_FEW = `(${STANDS_AS_REPORTED} and (o.call_id is not null or o.shares_response
    or ${IS_BARE_SPAN} or o.response_id is not null and ${IS_NOBODYS}))::int = 1`;

/** What there is of that for whose sake a fold reads entries again. Most ledgers hold none of it. */
export interface Held {
  /** One of the batches has a report that any other may repeat. */
  readonly few: boolean;
  /** The ledger has a report of an answer without a tenant. */
  readonly nobodysAnswers: boolean;
  /** The ledger has a call without a tenant. */
  readonly nobodysCalls: boolean;
  /** The ledger has a span that names no answer. */
  readonly bareSpans: boolean;
  /** The ledger has a call whose span names no operation. */
  readonly unnamedSpans: boolean;
}

/**
 * Reads whether there is anything to look for, by one step into an index each: planning the look-ups themselves costs
 * a fold more than all of it, whether they find anything or not.
 */
export async function readHeld(
  transaction: Transaction,
  batchIds: readonly bigint[],
): Promise<Held> {
  const { rows } = await transaction.client.query<Held>({
    name: 'read-held',
    text: `select
        exists (select from unnest($1::bigint[]) batch(batch_id) ${entriesOfBatch(IS_ONE_OF_FEW)}) as few,
        held.nobodys_answers as "nobodysAnswers", held.nobodys_calls as "nobodysCalls", held.bare_spans as "bareSpans",
        held.unnamed_spans as "unnamedSpans"
      from what_is_held() held`,
    values: [batchIds],
  });
  return present(rows[0], 'what there is to look for');
}
