import type { InstantMs } from '../clock.ts';
import { formatInstant } from '../clock.ts';
import { formatPico } from '../money.ts';
import type { Parts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import type { HoldAnswer } from './budget-answer.ts';
import type { ReleaseHoldAnswer, ReleaseHoldRequest } from './hold-answer.ts';
import type { HoldRow } from './hold-store.ts';
import { readHold, releaseOpenHold } from './hold-store.ts';

/**
 * Gives back what a call was promised that is not made, or whose event will not come. A hold that was settled or
 * released already stays as it is, so that a caller may always release what it is done with.
 */
export async function releaseHold(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  { hold_id: holdId, tenant_id: tenantId, actor }: ReleaseHoldRequest,
): Promise<ReleaseHoldAnswer> {
  const at = clock();
  await releaseOpenHold(database, { holdId, tenantId, actor, at });
  const hold = await readHold(database, holdId);
  if (hold === null || (tenantId ?? hold.tenant_id) !== hold.tenant_id) refuseUnknownHold(holdId);
  return tellHold(hold, at);
}

/** Shows one hold, whatever became of it. Throws a `Refusal` where there is none. */
export async function showHold(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  holdId: string,
): Promise<HoldAnswer> {
  const hold = await readHold(database, holdId);
  if (hold === null) refuseUnknownHold(holdId);
  return tellHold(hold, clock());
}

function refuseUnknownHold(holdId: string): never {
  throw new Refusal(
    'not_found',
    `there is no hold "${holdId}"`,
    advise`see those that are unsettled with ${{ operation: 'budget list' }}`,
  );
}

export function tellHold(hold: HoldRow, now: InstantMs): HoldAnswer {
  return {
    hold_id: hold.hold_id,
    tenant_id: hold.tenant_id,
    state: stateOf(hold, now),
    model: hold.model,
    feature: hold.feature,
    user_id: hold.user_id,
    agent_run_id: hold.agent_run_id,
    amount: hold.amount === null ? null : formatPico(hold.amount),
    currency: hold.currency,
    tokens: hold.tokens === null ? null : hold.tokens.toString(),
    held_at: formatInstant(hold.held_at),
    expires_at: formatInstant(hold.expires_at),
    settled_by: eventOf(hold.settled_source, hold.settled_event_id),
    waits_for: hold.state === 'open' ? eventOf(hold.waits_source, hold.waits_event_id) : null,
    released_by: hold.released_by,
  };
}

function eventOf(source: string | null, eventId: string | null): HoldAnswer['settled_by'] {
  return source === null || eventId === null ? null : { source, event_id: eventId };
}

/** A hold becomes unsettled by the time alone; nothing is written then. */
export function stateOf(
  hold: Pick<HoldRow, 'state' | 'expires_at'>,
  now: InstantMs,
): HoldAnswer['state'] {
  return hold.state === 'open' && hold.expires_at <= now ? 'unsettled' : hold.state;
}
