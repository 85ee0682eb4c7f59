import { hash } from 'node:crypto';
import { pause } from '../clock.ts';
import { raiseAlert } from './alert-store.ts';
import type { Destination, PushParts, TellAnswer } from './destination.ts';
import { isAddress } from './destination.ts';
import type { Figures } from './figures.ts';
import { readIntentFigures } from './figures.ts';
import type { Intent } from './intent.ts';
import { intendedSum, openIntent } from './intent.ts';
import type { PushState } from './intent-state.ts';
import { decideByCount, isSettled, nextStep, stateAfter } from './intent-state.ts';
import { insertIntent, markAttempt, markProven, markState, readIntents } from './intent-store.ts';
import type { PushTarget } from './push-target.ts';
import { eventTimestampOf } from './push-target.ts';

/** One tenant's period being pushed, under the lock of its customer. */
export interface PeriodRun {
  readonly parts: PushParts;
  readonly target: PushTarget;
  /** The reason why no further request may go out; null while they may. */
  readonly halted: () => string | null;
  readonly halt: (reason: string) => void;
}

export interface PeriodOutcome {
  readonly intents: readonly Intent[];
  /** The reason why nothing was sent, and what to do; null when nothing stood against it. */
  readonly refusal: string | null;
}

/** Tries in one run; a later run goes on, while the destination still remembers the identifier. */
const TRIES_A_RUN = 5;
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
    const minted = await mintWhatIsDue(run, intents);
    if (minted.refusal !== null) return { intents, refusal: minted.refusal };
    if (minted.isNew) intents = await read();
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

interface Minted {
  readonly isNew: boolean;
  readonly refusal: string | null;
}

/** The part of the period's billable amount that no intent covers yet gets one. */
async function mintWhatIsDue(run: PeriodRun, intents: readonly Intent[]): Promise<Minted> {
  const { parts, target } = run;
  const chosen = await chooseDestination(parts, target, intents);
  if (chosen === null) return { isNew: false, refusal: null };
  if ('refusal' in chosen) return { isNew: false, refusal: chosen.refusal };
  const { destination } = chosen;
  const address = destination.describe(target);
  if (!isAddress(address)) return { isNew: false, refusal: address.fault };
  const sequence = intents.length + 1;
  await insertIntent(
    parts.database,
    {
      tenantId: target.tenantId,
      periodStart: target.periodStart,
      sequence,
      identifier: identifierOf(target, sequence),
      destination: destination.kind,
      ...address,
      valueMicro: dueOf(target, intents),
      eventTimestamp: eventTimestampOf(target),
      ...destination.origin,
    },
    parts.clock(),
  );
  return { isNew: true, refusal: null };
}

/** What no intent covers yet; what is proven to be missing is due again. */
export function dueOf(target: PushTarget, intents: readonly Intent[]): bigint {
  return target.billableMicro - intendedSum(intents);
}

/**
 * The first destination that takes what is due of a period, as far as the ledger's side knows; what the
 * first of them objects where none does. Null where nothing is due.
 */
export async function chooseDestination(
  parts: PushParts,
  target: PushTarget,
  intents: readonly Intent[],
): Promise<{ readonly destination: Destination } | { readonly refusal: string } | null> {
  for (const intent of intents) {
    const foreign = destinationOf(parts, intent)?.disown(intent) ?? null;
    if (foreign !== null) return { refusal: foreign };
  }
  const valueMicro = dueOf(target, intents);
  if (valueMicro === 0n) return null;
  const told = { target, valueMicro, eventTimestamp: eventTimestampOf(target) };
  let first: string | null = null;
  for (const destination of parts.destinations) {
    const address = destination.describe(target);
    const objection = isAddress(address) ? await destination.objectTo(told) : address.fault;
    if (objection === null) return { destination };
    first ??= objection;
  }
  return { refusal: first ?? 'there is no destination to which it could be told' };
}

/** Answers undefined where an intent names a destination that is not handed in. */
export function destinationOf(
  { destinations }: Pick<PushParts, 'destinations'>,
  intent: Intent,
): Destination | undefined {
  return destinations.find(({ kind }) => kind === intent.destination);
}

/**
 * The same for the same push, on every machine and after every crash. At most 100 characters, so a
 * long tenant id is cut and told apart by its digest.
 */
export function identifierOf(
  target: Pick<PushTarget, 'tenantId' | 'periodStart' | 'currency'>,
  sequence: number,
): string {
  const tenant = /^[\w.-]{1,50}$/.test(target.tenantId)
    ? target.tenantId
    : Buffer.from(hash('sha256', target.tenantId, 'buffer')).toString('base64url');
  return `spl-${tenant}-${target.periodStart}-${target.currency.toLowerCase()}-${sequence}`;
}

interface Standing {
  readonly intents: readonly Intent[];
  readonly open: Intent;
}

interface Step extends Standing {
  readonly destination: Destination;
}

/** Does what the intent's state asks for; returns why it may not be done, or null. */
async function advance(run: PeriodRun, standing: Standing): Promise<string | null> {
  const { open } = standing;
  const { parts, target } = run;
  const destination = destinationOf(parts, open);
  if (destination === undefined)
    return `${open.identifier} is for ${open.destination}, and no such destination is set up`;
  const step: Step = { ...standing, destination };
  const next = nextStep(open, parts.clock(), destination.memory);
  if (next === 'none') return null;
  if (next === 'compare') {
    await compare(run, step);
    return null;
  }
  const objection = await destination.objectTo({ ...open, target });
  if (objection === null) {
    const fault = await destination.lookAt(open);
    if (fault !== null) return fault;
    return send(run, step);
  }
  // It can no longer be sent, but it may have arrived: presence is proof.
  if (open.attempts > 0 && (await confirmIfPresent(run, step))) return null;
  return objection;
}

async function send(run: PeriodRun, step: Step): Promise<null> {
  const { database, clock, log } = run.parts;
  const { destination, open: intent } = step;
  for (let attempt = 1; attempt <= TRIES_A_RUN; attempt += 1) {
    if (run.halted() !== null) return null;
    if (!(await markAttempt(database, intent.identifier, clock()))) return null;
    const answer = await destination.tell(intent);
    const detail = await keepAnswer(run, intent, answer);
    if (answer.kind === 'systemic') run.halt(`stopped for every tenant: ${detail}`);
    if (answer.kind !== 'unknown') return null;
    log.warn({ identifier: intent.identifier, attempt, detail }, 'push unanswered; trying again');
    if (attempt < TRIES_A_RUN) await pause(waitMs(attempt, answer.retryAfterMs));
  }
  await confirmIfPresent(run, step);
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

/** What was never answered may have been counted: presence in the count is proof at once. */
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
  const answer = `${destination.countName} says ${figures.counted}, confirmed are ${figures.confirmed}, this is ${intent.valueMicro}`;
  const change = { event: 'count', state, answer, at: clock() } as const;
  const isChanged = await markState(database, intent.identifier, change);
  if (isChanged && state === 'parked') await alertParked(run, intent, answer);
  if (state === 'confirmed') await markProven(database, [intent.identifier], clock());
}

async function alertParked(run: PeriodRun, intent: Intent, answer: string): Promise<void> {
  const { database, clock, log } = run.parts;
  const { identifier, tenantId, periodStart } = intent;
  const detail = parkedDetail({ identifier, lastAnswer: answer });
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
export function parkedDetail(of: Pick<Intent, 'identifier' | 'lastAnswer'>): string {
  return `${of.lastAnswer ?? 'parked'}; mend the cause, then "spanledger stripe unpark ${of.identifier}"`;
}

function waitMs(attempt: number, retryAfterMs: number | null): number {
  const backoff = Math.min(LONGEST_WAIT_MS, 250 * 2 ** attempt) * (0.5 + Math.random());
  return Math.max(backoff, Math.min(retryAfterMs ?? 0, LONGEST_WAIT_MS));
}
