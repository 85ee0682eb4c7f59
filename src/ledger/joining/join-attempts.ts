import type { InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import type { NewEntry, StoredEntry } from '../entries/entry.ts';
import {
  JOINER,
  readAttemptsOf,
  readFailedAttempts,
  readLaterAttempts,
} from '../entries/entry-store.ts';
import { chargedOn, firstAttemptOf, isFailedAttempt, isLaterAttempt } from '../posting/attempts.ts';
import { attemptKeysOf } from '../posting/first-requested.ts';
import { postOwnEntries } from '../posting/own-entries.ts';
import { lockForPosting } from '../posting/posting-store.ts';
import { ReferenceCache } from '../posting/reference-cache.ts';
import { correct, postedEntriesOf } from '../reversals/made-correction.ts';

/**
 * Puts right what posting could not know: an answer whose call first requested another model, in an
 * attempt that failed and was posted later, or by another worker at the same time (R8); and one whose
 * first attempt was taken back since. By correction, since nothing is edited. Whichever of the two
 * batches is folded second sees both.
 */
export async function joinAttempts(
  transaction: Transaction,
  batchIds: readonly bigint[],
  at: InstantMs,
): Promise<void> {
  const attempts = await readAttemptsOf(transaction, batchIds);
  const concerned = attempts.filter((entry) => isFailedAttempt(entry) || isLaterAttempt(entry));
  if (concerned.length === 0) return;
  const marks = attemptKeysOf(concerned);
  const answers = await readLaterAttempts(transaction, marks);
  if (answers.length === 0) return;
  const failed = await readFailedAttempts(transaction, marks);
  const wrong = answers.flatMap((answer) => wronglyRequested(answer, failed));
  if (wrong.length === 0) return;
  await lockForPosting(transaction);
  const cache = new ReferenceCache();
  await cache.refresh(transaction, new Set(wrong.map(({ answer }) => answer.tenantId)), at);
  const entries = wrong.flatMap((one) => correctionOf(cache, one));
  if (entries.length === 0) return;
  await postOwnEntries(transaction, entries, { kind: 'correction', cache, recordedAt: at });
}

interface WrongAnswer {
  readonly answer: StoredEntry;
  /** It is null where no attempt before the answer is left, and the answer's own model counts. */
  readonly first: StoredEntry | null;
}

function wronglyRequested(
  answer: StoredEntry,
  failed: readonly StoredEntry[],
): readonly WrongAnswer[] {
  const first = firstAttemptOf(answer, failed);
  const { requestedModel } = chargedOn(answer, first);
  return requestedModel === answer.requestedModel ? [] : [{ answer, first }];
}

function correctionOf(cache: ReferenceCache, { answer, first }: WrongAnswer): readonly NewEntry[] {
  const change = chargedOn(answer, first);
  const reason =
    first === null
      ? `no earlier attempt of the call is left, and this one requested ${change.requestedModel}`
      : `the call first requested ${change.requestedModel}, in event ${first.eventId} of source ${first.source}`;
  const made = correct(cache, answer, { change, note: { reason, actor: JOINER } });
  // What was billed in a currency in which the tenant no longer pays stays as it was billed.
  return made.paysNow === null ? postedEntriesOf(made) : [];
}
