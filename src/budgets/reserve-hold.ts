import { createHash, randomUUID } from 'node:crypto';
import type { InstantMs } from '../clock.ts';
import { formatInstant } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { retryLostRace } from '../database/lost-race.ts';
import type { Parts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import { judgeCall, reserveCall } from './admission-store.ts';
import { askAbout, decideAll, type TimedRequest, tellDecisions } from './ask-budgets.ts';
import type { ReserveAnswer, ReserveRequest } from './hold-answer.ts';
import type { HoldRow } from './hold-store.ts';
import { readHold } from './hold-store.ts';
import { callAsKept, type NamingParts } from './name-as-kept.ts';
import { stateOf } from './release-hold.ts';

const EXPIRES_IN_SECONDS = 600;

/**
 * Holds what a call may come to, in every budget that concerns it, or denies the call and holds nothing (R23). The
 * event that carries the hold's id settles it; a hold that is never settled stays counted. Asking again with
 * the same id answers with the hold that stands.
 */
export async function reserveHold(
  parts: Pick<Parts, 'database' | 'clock'> & NamingParts,
  given: ReserveRequest,
): Promise<ReserveAnswer> {
  const { database, clock } = parts;
  const request = callAsKept(parts, given);
  const { hold_id: givenId, expires_in_seconds: seconds, ...asked } = request;
  const now = clock();
  const until = now + (seconds ?? EXPIRES_IN_SECONDS) * 1000;
  const holdId = givenId ?? randomUUID();
  const digest = digestOf(request);
  // Of two that reserve under one id at once the second finds the hold of the first.
  return retryLostRace(async () => {
    const about = { request: asked, time: { from: now, until } };
    const { call, rows } = await askAbout(database, about, (one) =>
      reserveCall(database, { ...one, holdId, digest }),
    );
    const standing = rows[0]?.stands === true ? await readHold(database, holdId) : null;
    if (standing !== null) {
      refuseAnotherCall(standing, { digest, tenantId: call.tenantId, now });
      return answerAgain(database, about, standing);
    }
    const decisions = decideAll(rows, call);
    const isHeld = rows[0]?.admits === true && decisions.length > 0;
    return {
      ...tellDecisions(decisions, call.estimate, isHeld),
      hold_id: isHeld ? holdId : null,
      expires_at: isHeld ? formatInstant(until) : null,
    };
  });
}

/** The hold is counted already, so that the budgets are asked to bear nothing more. */
async function answerAgain(
  database: Database,
  about: TimedRequest,
  hold: HoldRow,
): Promise<ReserveAnswer> {
  const { call, rows } = await askAbout(database, about, (one) =>
    judgeCall(database, {
      ...one,
      estimate: { ...one.estimate, amount: 0n, tokens: 0n, isPriced: true },
    }),
  );
  const decisions = decideAll(rows, call);
  const borne = decisions.map((decision) =>
    decision.verdict === 'deny'
      ? { ...decision, verdict: 'allow' as const, retryAfter: null }
      : decision,
  );
  return {
    ...tellDecisions(borne, call.estimate, false),
    ...{ hold_id: hold.hold_id, expires_at: formatInstant(hold.expires_at) },
  };
}

/** It is over everything that was asked, so that one id is one call. */
function digestOf(request: ReserveRequest): Buffer {
  const text = JSON.stringify(request, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  return createHash('sha256').update(text).digest();
}

function refuseAnotherCall(
  hold: HoldRow,
  asked: { readonly digest: Buffer; readonly tenantId: string; readonly now: InstantMs },
): void {
  if (hold.tenant_id !== asked.tenantId || !hold.request_digest.equals(asked.digest)) {
    throw new Refusal(
      'conflict',
      `hold "${hold.hold_id}" was made for another call`,
      'give each call a hold_id of its own, or none',
    );
  }
  const state = hold.waits_event_id === null ? stateOf(hold, asked.now) : 'named by an event';
  if (state === 'open') return;
  throw new Refusal(
    'conflict',
    `hold "${hold.hold_id}" is ${state}, and holds for no call any more`,
    'give the next call a hold_id of its own, or none',
  );
}
