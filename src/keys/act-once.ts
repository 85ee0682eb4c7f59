import { createHash } from 'node:crypto';
import type { InstantMs } from '../clock.ts';
import type { Parts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import { beginAction, endAction, forgetAction, takeOverAction } from './action-store.ts';

/** An action's request, who made it, and its idempotency key. */
export interface ActionAsked {
  readonly keyId: string;
  readonly idempotencyKey: string;
  /** Everything that makes it the same request: method, path and body. */
  readonly request: string;
}

/** What it was answered. */
export interface ActionAnswer {
  readonly status: number;
  readonly answer: string;
}

/** A process that ended in the middle of an action leaves it begun; after this time another one may do it. */
const ABANDONED_MS = 10 * 60 * 1000;

/**
 * Does an action once for each Idempotency-Key of a key: the same request again is answered as before, and
 * does nothing. What is refused or fails leaves no trace, so that it can be tried again. At each step, what a
 * crash leaves behind: begun, and after ten minutes the same request does it again, as the actions themselves
 * do nothing twice; done, and not answered, the same; answered: done.
 */
export async function actOnce(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  asked: ActionAsked,
  act: () => Promise<ActionAnswer>,
): Promise<ActionAnswer> {
  refuseUnfit(asked.idempotencyKey);
  const now = clock();
  const action = { ...asked, requestHash: createHash('sha256').update(asked.request).digest() };
  const before = await beginAction(database, action, now);
  if (before !== null) {
    if (!before.requestHash.equals(action.requestHash)) refuseOther(asked);
    if (before.answered !== null) return before.answered;
    const isMine =
      isAbandoned(before.begunAt, now) &&
      (await takeOverAction(database, action, { now, before: before.begunAt }));
    if (!isMine) refuseUnderWay(asked);
  }
  const done = await act().catch(async (error: unknown) => {
    await forgetAction(database, action);
    throw error;
  });
  if (done.status < 400) await endAction(database, action, done);
  else await forgetAction(database, action);
  return done;
}

function isAbandoned(begunAt: InstantMs, now: InstantMs): boolean {
  return now - begunAt >= ABANDONED_MS;
}

function refuseUnfit(idempotencyKey: string): void {
  if (/^[\x21-\x7e]{1,200}$/.test(idempotencyKey)) return;
  throw new Refusal(
    'bad_request',
    'the Idempotency-Key has to be 1 to 200 printable characters of ASCII without spaces',
    'make one for each action, such as a UUID',
  );
}

function refuseOther({ idempotencyKey }: ActionAsked): never {
  throw new Refusal(
    'conflict',
    `the Idempotency-Key "${idempotencyKey}" was used for another request`,
    'make a new one for each action, and send the same body with the same one',
  );
}

function refuseUnderWay({ idempotencyKey }: ActionAsked): never {
  throw new Refusal(
    'conflict',
    `the action with the Idempotency-Key "${idempotencyKey}" is under way`,
    'wait, and send the same request again: it is answered once it is done',
  );
}
