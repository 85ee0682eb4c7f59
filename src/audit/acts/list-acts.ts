import { formatInstant } from '../../clock.ts';
import { cutPage } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { readActs } from './act-store.ts';
import type { ActsAnswer, ActsRequest } from './acts-answer.ts';

/**
 * Lists the journal, act by act: who did what, when and why, and which rows came of it. The newest
 * first.
 */
export async function listActs(
  { database }: Pick<Parts, 'database'>,
  request: ActsRequest,
): Promise<ActsAnswer> {
  const found = await readActs(database, request);
  const { rows, next } = cutPage(found, request.limit, ({ act_id }) => [String(act_id)]);
  const acts = rows.map(({ act_id, at, entries, changes, ...act }) => ({
    ...act,
    act_id: String(act_id),
    at: formatInstant(at),
    entries: Number(entries),
    changes: Number(changes),
  }));
  return { acts, next_cursor: next };
}
