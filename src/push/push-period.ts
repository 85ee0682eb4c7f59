import { pause } from '../clock.ts';
import { Refusal } from '../refusal.ts';
import type { Fault, Remedy } from '../remedy.ts';
import { advise } from '../remedy.ts';
import { raiseAlert } from './alert-store.ts';
import { chooseDestination, objectionOf, type Refused } from './choose-destination.ts';
import type { Destination, PushParts, TellAnswer } from './destination.ts';
import { destinationOf } from './destination.ts';
import type { Figures } from './figures.ts';
import { readIntentFigures } from './figures.ts';
import type { Intent } from './intent.ts';
import { identifierOf, intendedSum, isTakeBack, openIntent } from './intent.ts';
import type { PushState } from './intent-state.ts';
import { decideByCount, isSettled, nextStep, stateAfter } from './intent-state.ts';
import {
  insertIntent,
  markAttempt,
  markProven,
  markState,
  placeIntent,
  readIntents,
  withdrawUnsent,
} from './intent-store.ts';
import type { LastTry, PushStop } from './push-stop.ts';
import type { PushTarget } from './push-target.ts';
import { eventTimestampOf } from './push-target.ts';
import { isSeenTakenBack, planTakeBack, takeBackPartsOf } from './take-back.ts';
import { findToldBefore } from './told-before.ts';

/** One tenant's period being pushed, under the lock of its customer. */
export interface PeriodRun {
  readonly parts: PushParts;
  readonly target: PushTarget;
  readonly stop: PushStop;
  /** The reason why no further request may go out, the lost locks among them; null while they may. */
  readonly halted: () => Fault | null;
}

export interface PeriodOutcome {
  readonly intents: readonly Intent[];
  /** The reason why nothing was sent, and what to do; null when nothing stood against it. */
  readonly refusal: Fault | null;
}

/** Tries in one run; a later run goes on, while the destination still remembers the identifier. */
const TRIES_A_RUN = 5;
/** A limit of requests passes by itself, and is waited out for a minute or two. */
const TRIES_WHILE_LIMITED = 14;
const LONGEST_WAIT_MS = 8_000;

/**
 * Brings one period as far as it goes: makes an intent for what none covers, and settles the intents
 * one after another in their order. While one is open, none after it is sent: with two unknowns a
 * count could decide neither. Whether another period of the same customer is open does not
 * matter, since a count is read for one period.
 */
export async function pushPeriod(run: PeriodRun): Promise<PeriodOutcome> {
  const read = () => readIntents(run.parts.database, run.target);
  let intents = await read();
  for (;;) {
    const foreign = foreignFault(run.parts, intents);
    if (foreign !== null) return { intents, refusal: foreign };
    const last = openIntent(intents);
    if (last === undefined || isUnsent(last)) {
      const placed = await place(run, intents, last);
      if (placed !== 'placed') {
        return { intents, refusal: placed === 'nothing_due' ? null : placed.refusal };
      }
      intents = await read();
    }
    const open = openIntent(intents);
    if (open === undefined) return { intents, refusal: null };
    const refusal = await advance(run, { intents, open });
    intents = await read();
    const advanced = intents.find((intent) => intent.sequence === open.sequence);
    if (refusal !== null || advanced === undefined || !isSettled(advanced.state)) {
      return { intents, refusal };
    }
  }
}

/** No request has been sent, so the intent may still be given another address. */
export function isUnsent(intent: Intent): boolean {
  return intent.state === 'pending' && intent.attempts === 0;
}

/**
 * The part of the period's billable amount that no intent covers yet gets one, once somebody was found who
 * takes it and its customer was looked at. An intent that was never sent gets a new place, since its
 * tenant may have been given another customer, and a meter may no longer take it.
 */
async function place(
  { parts, target }: PeriodRun,
  intents: readonly Intent[],
  unsent: Intent | undefined,
): Promise<'placed' | 'nothing_due' | Refused> {
  // What is taken back is taken back where it was told.
  if (unsent !== undefined && isTakeBack(unsent)) return 'placed';
  const valueMicro = unsent?.valueMicro ?? dueOf(target, intents);
  if (valueMicro === 0n) return 'nothing_due';
  if (valueMicro < 0n) {
    // What was taken back was proven never to have arrived, and is taken back again.
    const again = await planTakeBack(takeBackPartsOf(parts), target, intents);
    if (again === null || typeof again === 'string') return overTold(parts, target, again);
    await insertIntent(parts.database, again, parts.clock());
    return 'placed';
  }
  if (!(await isSeenTakenBack(parts, target, intents))) throw new StillCounted(target);
  const what = { valueMicro, intents, isCustomerAsked: true };
  const chosen = await chooseDestination(parts, target, what);
  if ('refusal' in chosen) return chosen;
  const { destination, address } = chosen;
  const at = { destination: destination.kind, ...address, ...destination.origin };
  if (unsent !== undefined) {
    await placeIntent(parts.database, unsent.identifier, at);
    return 'placed';
  }
  const { tenantId, periodStart } = target;
  const sequence = intents.length + 1;
  const identifier = identifierOf(parts.ledgerName, target, sequence);
  const told = { valueMicro, eventTimestamp: eventTimestampOf(target) };
  const intent = { tenantId, periodStart, sequence, identifier, ...at, ...told };
  await insertIntent(parts.database, intent, parts.clock());
  return 'placed';
}

/** The amount told stays on record beside what a person billed for it elsewhere, until a person says how that was settled. */
async function overTold(
  { destinations }: PushParts,
  target: PushTarget,
  why: string | null,
): Promise<'nothing_due' | Refused> {
  for (const destination of destinations) {
    if (await destination.isExcused(target)) return 'nothing_due';
  }
  const month = target.periodStart.slice(0, 7);
  const fault = `more than is due is told and settled together${why === null ? '' : `, and what was told cannot be taken back: ${why}`}`;
  const remedy = advise`credit or void one of the two bills, and resolve the alert about the invoice; ${{ operation: 'reconcile', month }} shows what was told`;
  return { refusal: { fault, remedy } };
}

/** Time mends it: the count lags. */
class StillCounted extends Refusal {
  constructor({ tenantId, periodStart }: PushTarget) {
    super(
      'unavailable',
      `what was taken back of tenant "${tenantId}" period ${periodStart} is still counted, so that it is told to nobody else yet`,
      'run the push again in a while',
    );
  }
}

/** Returns what no intent covers yet; what is proven to be missing is due again. */
export function dueOf(target: PushTarget, intents: readonly Intent[]): bigint {
  return target.billableMicro - intendedSum(intents);
}

/** Says why these intents are not this account's to go on with; null when they are. */
export function foreignFault(
  parts: Pick<PushParts, 'destinations'>,
  intents: readonly Intent[],
): Fault | null {
  for (const intent of intents) {
    const foreign = destinationOf(parts, intent)?.disown(intent) ?? null;
    if (foreign !== null) return foreign;
  }
  return null;
}

interface Standing {
  readonly intents: readonly Intent[];
  readonly open: Intent;
}

interface Step extends Standing {
  readonly destination: Destination;
}

/** Does what the intent's state asks for; returns why it may not be done, or null. */
async function advance(run: PeriodRun, standing: Standing): Promise<Fault | null> {
  const { open } = standing;
  const { parts, target } = run;
  const destination = destinationOf(parts, open);
  if (destination === undefined) {
    const fault = `${open.identifier} is for ${open.destination}, and no such destination is set up`;
    return { fault, remedy: null };
  }
  const step: Step = { ...standing, destination };
  const next = nextStep(open, parts.clock(), destination.memory);
  if (next === 'none') return null;
  if (next === 'compare') {
    await compare(run, step);
    return null;
  }
  const objection = await objectionOf(destination, { ...open, target });
  if (isUnsent(open)) {
    if (objection === null) return sendUnlessCounted(run, step);
    return isTakeBack(open) ? withdraw(run, step, objection) : confirmOrSay(run, step, objection);
  }
  if (objection === null) {
    const obstacle = isTakeBack(open) ? null : await destination.lookAt({ ...open, target });
    if (obstacle !== null) return obstacle;
    return send(run, step);
  }
  // It can no longer be sent, but it may have arrived: presence is proof.
  if (await confirmIfPresent(run, step)) return null;
  return objection;
}

/** What was to be taken back, and was not yet, is billed there by now or can be taken back no more: it stays told. */
async function withdraw(run: PeriodRun, step: Step, { fault }: Fault): Promise<null> {
  if (await confirmIfPresent(run, step)) return null;
  await withdrawUnsent(run.parts.database, step.open.identifier, `not taken back: ${fault}`);
  return null;
}

/** It can be sent no more, and is here since the count holds more than is on record: only that it is all of this is proof. */
async function confirmOrSay(run: PeriodRun, step: Step, objection: Fault): Promise<Fault | null> {
  const { counted, confirmed } = await figuresAt(run, step);
  if (counted === confirmed) return objection;
  return (await confirmIfPresent(run, step)) ? null : countedFault(step, { counted, confirmed });
}

/**
 * Before the first request the count must hold what this ledger told, and nothing else. It holds
 * this too where the ledger was restored from a time before it was told; what else it may hold comes
 * from another ledger, or from whoever reports to the same place.
 */
async function sendUnlessCounted(run: PeriodRun, step: Step): Promise<Fault | null> {
  const { counted, confirmed } = await figuresAt(run, step);
  if (counted === confirmed) {
    return (await findToldBefore({ ...step, ...run, ...run.parts })) ?? send(run, step);
  }
  return (await confirmIfPresent(run, step)) ? null : countedFault(step, { counted, confirmed });
}

function countedFault(
  { open, destination }: Step,
  { counted, confirmed }: Pick<Figures, 'counted' | 'confirmed'>,
): Fault {
  const says = `${destination.countName} already says ${counted} for ${open.customer} in this period and ${confirmed} of it is confirmed`;
  const { tenantId: tenant_id, periodStart } = open;
  const month = periodStart.slice(0, 7);
  if (counted < confirmed) {
    const again = { operation: 'push', month } as const;
    return { fault: `${says}; it lags`, remedy: advise`run ${again} again in a while` };
  }
  const settled = { operation: 'stripe settled', tenant_id, month } as const;
  return {
    fault: `${says}, so that something else reports there; nothing was sent`,
    remedy: advise`find out what else does and end it; what an invoice or a person bills of this usage by that is recorded with ${settled}, and nothing else is billed by hand`,
  };
}

async function send(run: PeriodRun, step: Step): Promise<null> {
  const { database, clock, log } = run.parts;
  const { destination, open: intent } = step;
  const { resendWithinMs } = destination.memory;
  // What was told in a run before may be answered by what is kept of it, which says nothing of now.
  const isNew = intent.firstAttemptAt === null;
  let firstAt = intent.firstAttemptAt;
  let last: LastTry | null = null;
  for (let attempt = 1, most = TRIES_A_RUN; attempt <= most; attempt += 1) {
    if (run.halted() !== null) return null;
    const at = clock();
    firstAt ??= at;
    if (!(await markAttempt(database, intent, { at, resendWithinMs }))) return null;
    const answer = await destination.tell(intent, firstAt + resendWithinMs);
    const detail = await keepAnswer(run, intent, answer);
    if (answer.kind === 'systemic') {
      run.stop.refuse({ fault: `stopped for every tenant: ${detail}`, remedy: null });
    }
    if (answer.kind !== 'unknown') {
      run.stop.answered();
      return null;
    }
    last = { detail, isSilent: answer.isSilent === true };
    log.warn({ identifier: intent.identifier, attempt, detail }, 'push unanswered; trying again');
    if (answer.isLimited === true) most = TRIES_WHILE_LIMITED;
    if (attempt < most) await pause(waitMs(attempt, answer.retryAfterMs));
  }
  if (last?.isSilent === true) run.stop.unanswered(run.target, last);
  if (run.halted() !== null) return null;
  const hasArrived = await confirmIfPresent(run, step);
  if (last?.isSilent === false && isNew && !hasArrived) run.stop.unanswered(run.target, last);
  return null;
}

async function keepAnswer(run: PeriodRun, intent: Intent, answer: TellAnswer): Promise<string> {
  const { database, clock } = run.parts;
  const detail = answer.kind === 'delivered' ? answer.how : answer.detail;
  const state = stateAfter(answer.kind);
  const change = { event: 'answer', state, answer: detail, at: clock() } as const;
  const isChanged = await markState(database, intent.identifier, change);
  if (isChanged && state === 'parked') await alertParked(run, intent, detail);
  return detail;
}

/** A request that was never answered may have been counted: presence in the count proves it at once. */
async function confirmIfPresent(run: PeriodRun, step: Step): Promise<boolean> {
  const { open } = step;
  const figures = await figuresAt(run, step);
  if (figures.counted !== figures.confirmed + open.valueMicro) return false;
  await settle(run, step, { state: 'confirmed', figures });
  return true;
}

/** After the window nothing is sent again; the destination's own count decides (R18). */
async function compare(run: PeriodRun, step: Step): Promise<void> {
  const { open, destination } = step;
  const figures = await figuresAt(run, step);
  run.stop.answered();
  const absentForMs = open.absentSince === null ? 0 : run.parts.clock() - open.absentSince;
  const state = decideByCount(
    { ...figures, value: open.valueMicro, absentForMs },
    destination.memory,
  );
  if (state !== null) await settle(run, step, { state, figures });
}

function figuresAt({ target }: PeriodRun, { destination, intents, open }: Step): Promise<Figures> {
  return readIntentFigures(destination, { target, intents, intent: open });
}

async function settle(
  run: PeriodRun,
  { destination, open: intent }: Step,
  found: { readonly state: PushState; readonly figures: Figures },
): Promise<void> {
  const { database, clock } = run.parts;
  const { state, figures } = found;
  if (state === 'confirmed') await destination.finish(intent);
  const answer = `${destination.countName} says ${figures.counted}, confirmed are ${figures.confirmed}, this is ${intent.valueMicro}`;
  const change = { event: 'count', state, answer, at: clock() } as const;
  const isChanged = await markState(database, intent.identifier, change);
  if (isChanged && state === 'parked') await alertParked(run, intent, answer);
  if (state === 'confirmed') await markProven(database, [intent.identifier], clock());
}

async function alertParked(run: PeriodRun, intent: Intent, answer: string): Promise<void> {
  const { database, clock, log } = run.parts;
  const { identifier, tenantId, periodStart } = intent;
  const detail = answer;
  log.error({ identifier, tenantId, detail }, 'push parked; a person must decide');
  const alert = {
    kind: 'push_parked',
    subject: identifier,
    tenantId,
    periodStart,
    detail,
  } as const;
  await raiseAlert(database, alert, clock());
}

/** Says why it is parked, and what a person does about it. */
export function parkedFault(of: Pick<Intent, 'identifier' | 'lastAnswer'>): Fault {
  return { fault: of.lastAnswer ?? 'parked', remedy: unparkAdvice(of.identifier) };
}

/** Returns what a person does about an intent that is parked. */
export function unparkAdvice(identifier: string): Remedy {
  return advise`mend the cause, then decide it with ${{ operation: 'stripe unpark', identifier }}`;
}

function waitMs(attempt: number, retryAfterMs: number | null): number {
  const backoff = Math.min(LONGEST_WAIT_MS, 250 * 2 ** attempt) * (0.5 + Math.random());
  return Math.max(backoff, Math.min(retryAfterMs ?? 0, LONGEST_WAIT_MS));
}
