import type { InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import type { AttributionTags } from '../../events/event.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import { Refusal } from '../../refusal.ts';
import type { NewEntry } from '../entries/entry.ts';
import { postOwnEntries } from '../posting/own-entries.ts';
import { lockForPosting } from '../posting/posting-store.ts';
import { ReferenceCache } from '../posting/reference-cache.ts';
import type { EntryChange } from '../reversals/correction.ts';
import { revisionInTarget } from '../reversals/free-revision.ts';
import { correct, postedEntriesOf } from '../reversals/made-correction.ts';
import type { UntaggedCall } from './enclosing-store.ts';
import { INHERITOR, readUntaggedCalls } from './enclosing-store.ts';

/**
 * Gives calls without a tenant the tags of the spans that they lie in, by correction, where those came in
 * other messages: within one message they have them from the first.
 */
export async function inheritTags(
  transaction: Transaction,
  batchIds: readonly bigint[],
  at: InstantMs,
): Promise<void> {
  const found = (await readUntaggedCalls(transaction, batchIds)).map(withTags);
  if (found.length === 0) return;
  await lockForPosting(transaction);
  const cache = new ReferenceCache();
  const tenants = found.map(({ change }) => change.tenantId);
  await cache.refresh(transaction, new Set([UNATTRIBUTED, ...tenants]), at);
  const entries: NewEntry[] = [];
  for (const { entry, change } of found) {
    const revision = await revisionIfFree(transaction, entry, change.tenantId);
    if (revision === null) continue;
    const reason = `the call names no tenant, and a span around it is of ${change.tenantId}`;
    const made = correct(cache, entry, { change, note: { reason, actor: INHERITOR }, revision });
    entries.push(...postedEntriesOf(made));
  }
  if (entries.length === 0) return;
  await postOwnEntries(transaction, entries, { kind: 'correction', cache, recordedAt: at });
}

interface TaggedCall {
  readonly entry: UntaggedCall['entry'];
  readonly change: EntryChange & { readonly tenantId: string };
}

/** Each tag is the call's own, or that of the nearest span that has one. */
function withTags({ entry, around }: UntaggedCall): TaggedCall {
  const first = <Name extends keyof AttributionTags>(name: Name) =>
    around.map((tags) => tags[name]).find((tag) => tag !== null) ?? null;
  return {
    entry,
    change: {
      tenantId: first('tenantId') ?? UNATTRIBUTED,
      userId: entry.userId ?? first('userId'),
      feature: entry.feature ?? first('feature'),
      agentRunId: entry.agentRunId ?? first('agentRunId'),
      promptVersion: entry.promptVersion ?? first('promptVersion'),
    },
  };
}

/** The tenant may have the same call by another report, beside which this one is what it was. */
async function revisionIfFree(
  transaction: Transaction,
  entry: UntaggedCall['entry'],
  tenantId: string,
): Promise<number | null> {
  try {
    return await revisionInTarget(transaction, entry, tenantId);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}
