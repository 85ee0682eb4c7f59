import { hash } from 'node:crypto';
import type { InstantMs } from '../clock.ts';
import { pause } from '../clock.ts';
import { raiseAlert } from '../push/alert-store.ts';
import { findCustomerFault } from './customers/check-customer.ts';
import { readInvoices } from './invoices/invoice-store.ts';
import type { StripeMeter } from './meters/meter-store.ts';
import type { PushState } from './push-state.ts';
import {
  decideBySummary,
  isSettled,
  LARGEST_VALUE_MICRO,
  nextStep,
  OLDEST_EVENT_MS,
  stateAfter,
} from './push-state.ts';
import type { Intent, PushTarget } from './push-store.ts';
import { insertIntent, markAttempt, markProven, markState, readIntents } from './push-store.ts';
import type { PushAnswer } from './stripe-client.ts';
import { readSummary, sendMeterEvent } from './stripe-client.ts';
import type { StripeParts } from './stripe-parts.ts';

/** One tenant's period being pushed, under the lock of its customer and meter. */
export interface PeriodRun {
  readonly parts: StripeParts;
  readonly target: PushTarget & { readonly stripeCustomer: string };
  readonly meter: StripeMeter;
  readonly isMeterActive: () => Promise<boolean>;
  /** Why no further request may go out; null while they may. */
  readonly halted: () => string | null;
  readonly halt: (reason: string) => void;
}

export interface PeriodOutcome {
  readonly intents: readonly Intent[];
  /** Why nothing was sent, and what to do; null when nothing stood against it. */
  readonly refusal: string | null;
}

/** Tries in one run; a later run goes on, while Stripe still remembers the identifier. */
const TRIES_A_RUN = 5;
const LONGEST_WAIT_MS = 8_000;

/**
 * Brings one period as far as it goes: makes an intent for what none covers, and settles the intents
 * one after another in their order. While one is open, none after it is sent: with two unknowns the
 * summary could decide neither. Whether another period of the same customer is open does not
 * matter, since a summary is read for one period.
 */
export async function pushPeriod(run: PeriodRun): Promise<PeriodOutcome> {
  const read = () => readIntents(run.parts.database, run.target);
  let intents = await read();
  for (;;) {
    const minted = await mintWhatIsDue(run, intents);
    if (minted.refusal !== null) return { intents, refusal: minted.refusal };
    if (minted.isNew) intents = await read();
    const open = intents.find((intent) => !isSettled(intent.state));
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
  const { parts, target, meter } = run;
  const refusal = await findObjection(parts, target, intents);
  const due = dueOf(target, intents);
  if (refusal !== null || due === 0n) return { isNew: false, refusal };
  const sequence = intents.length + 1;
  await insertIntent(
    parts.database,
    {
      tenantId: target.tenantId,
      periodStart: target.periodStart,
      sequence,
      identifier: identifierOf(target, sequence),
      meter: meter.eventName,
      stripeCustomer: target.stripeCustomer,
      valueMicro: due,
      eventTimestamp: eventTimestampOf(target),
      livemode: parts.livemode,
    },
    parts.clock(),
  );
  return { isNew: true, refusal: null };
}

/** What no intent covers yet; what is proven to be missing is due again. */
export function dueOf(target: PushTarget, intents: readonly Intent[]): bigint {
  const intended = intents.filter((intent) => intent.state !== 'missing');
  return intended.reduce((due, intent) => due - intent.valueMicro, target.billableMicro);
}

/** Why nothing of this period may be told, as far as the ledger's side knows; null when it may. */
export async function findObjection(
  parts: StripeParts,
  target: PushTarget,
  intents: readonly Intent[],
): Promise<string | null> {
  const otherMode = intents.find(
    (intent) => (intent.livemode ?? parts.livemode) !== parts.livemode,
  );
  if (otherMode !== undefined) return otherModeRefusal(otherMode);
  const due = dueOf(target, intents);
  if (due === 0n) return null;
  return objectionTo(due, target, parts.clock()) ?? (await finalRefusal(parts, target));
}

function otherModeRefusal(intent: Intent): string {
  const [was, is] = intent.livemode === true ? ['live', 'test'] : ['test', 'live'];
  return `${intent.identifier} was made with a ${was} key and STRIPE_API_KEY is of ${is} mode; bill ${is} tenants from a database of their own`;
}

/** What Stripe would refuse, or take and lose, is found here and not by an answer. */
function objectionTo(due: bigint, target: PushTarget, now: InstantMs): string | null {
  const size = due < 0n ? -due : due;
  if (size > LARGEST_VALUE_MICRO) {
    return `${due} micro ${target.currency} has more digits than Stripe takes (15); bill this period by an invoice item`;
  }
  return isTooOld(eventTimestampOf(target), now) ? tooOldRefusal(target) : null;
}

function isTooOld(eventTimestamp: number, now: InstantMs): boolean {
  return now - eventTimestamp * 1000 > OLDEST_EVENT_MS;
}

function tooOldRefusal(target: PushTarget): string {
  return `the period ended more than 35 days ago and Stripe takes no older usage; bill ${target.billableMicro} micro ${target.currency} by an invoice item with metadata period_key ${target.tenantId}/${target.periodStart}, once`;
}

/** Usage that comes after finalization is on no invoice, neither this one nor the next. */
async function finalRefusal(parts: StripeParts, target: PushTarget): Promise<string | null> {
  const { tenantId, periodStart } = target;
  const invoices = await readInvoices(parts.database, { month: null, tenantId });
  const final = invoices.find(
    (invoice) => invoice.periodStart === periodStart && invoice.state === 'finalized',
  );
  if (final === undefined) return null;
  return `invoice ${final.invoiceId} of this period is final with ${final.quantity ?? 0n} micro, so that usage told now would be on no invoice; bill the difference by an invoice item with metadata period_key ${tenantId}/${periodStart}, once`;
}

/** Inside the period and as late as possible: Stripe takes no event older than 35 days. */
export function eventTimestampOf(target: { readonly endsAt: InstantMs }): number {
  return Math.floor(target.endsAt / 1000) - 1;
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

/** Does what the intent's state asks for; returns why it may not be done, or null. */
async function advance(run: PeriodRun, standing: Standing): Promise<string | null> {
  const { open } = standing;
  const { parts, target } = run;
  const step = nextStep(open, parts.clock());
  if (step === 'none') return null;
  if (step === 'compare') {
    await compare(run, standing);
    return null;
  }
  const objection = isTooOld(open.eventTimestamp, parts.clock())
    ? tooOldRefusal(target)
    : await finalRefusal(parts, target);
  if (objection === null) {
    const fault = await findCustomerFault(parts, {
      tenantId: target.tenantId,
      stripeCustomer: open.stripeCustomer,
      livemode: parts.livemode,
    });
    if (fault !== null) return fault;
    return send(run, standing);
  }
  // It can no longer be sent, but it may have arrived: presence is proof.
  if (open.attempts > 0 && (await confirmIfPresent(run, standing))) return null;
  return objection;
}

async function send(run: PeriodRun, standing: Standing): Promise<null> {
  const { database, stripe, clock, log } = run.parts;
  const intent = standing.open;
  for (let attempt = 1; attempt <= TRIES_A_RUN; attempt += 1) {
    if (run.halted() !== null) return null;
    if (!(await markAttempt(database, intent.identifier, clock()))) return null;
    const answer = await sendMeterEvent(stripe, {
      eventName: intent.meter,
      identifier: intent.identifier,
      stripeCustomer: intent.stripeCustomer,
      value: String(intent.valueMicro),
      timestamp: intent.eventTimestamp,
    });
    const detail = answer.kind === 'delivered' ? answer.how : answer.detail;
    const state = stateAfter(answer);
    const change = { event: 'answer', state, answer: detail, at: clock() } as const;
    const isChanged = await markState(database, intent.identifier, change);
    if (isChanged && state === 'parked') await alertParked(run, intent, detail);
    if (answer.kind === 'systemic') await haltUnlessReplayed(run, answer);
    if (answer.kind !== 'unknown') return null;
    log.warn({ identifier: intent.identifier, attempt, detail }, 'push unanswered; trying again');
    if (attempt < TRIES_A_RUN) await pause(waitMs(attempt, answer.retryAfterMs));
  }
  await confirmIfPresent(run, standing);
  return null;
}

/**
 * A refused meter that is active is a refusal of earlier that Stripe replays under this event's key:
 * it concerns this event alone, which waits for the summary. Anything else would fail every tenant.
 */
async function haltUnlessReplayed(
  run: PeriodRun,
  answer: Extract<PushAnswer, { kind: 'systemic' }>,
): Promise<void> {
  if (answer.isMeter === true && (await run.isMeterActive())) return;
  run.halt(`stopped for every tenant: ${answer.detail}`);
}

/** Stripe may have counted what it never answered: presence in the summary is proof at once. */
async function confirmIfPresent(run: PeriodRun, standing: Standing): Promise<boolean> {
  const { summary, confirmed } = await figuresOf(run, standing);
  const { open } = standing;
  if (summary !== confirmed + open.valueMicro) return false;
  await settle(run, open, { state: 'confirmed', summary, confirmed });
  return true;
}

/** After 23 hours nothing is sent again; Stripe's own summary decides (R18). */
async function compare(run: PeriodRun, standing: Standing): Promise<void> {
  const { open, intents } = standing;
  const { summary, confirmed } = await figuresOf(run, standing);
  const absentSince = open.absentSince ?? null;
  const state = decideBySummary({
    summary,
    confirmed,
    value: open.valueMicro,
    absentForMs: absentSince === null ? 0 : run.parts.clock() - absentSince,
    isConfirmedProven: intents.every(
      (intent) => intent.state !== 'confirmed' || intent.provenAt !== null,
    ),
  });
  if (state !== null) await settle(run, open, { state, summary, confirmed });
}

async function figuresOf(
  run: PeriodRun,
  { intents, open }: Standing,
): Promise<{ readonly summary: bigint; readonly confirmed: bigint }> {
  const { startsAt, endsAt } = run.target;
  const { stripeCustomer } = open;
  const question = { meterId: run.meter.meterId, stripeCustomer, startsAt, endsAt };
  const summary = await readSummary(run.parts.stripe, question);
  const confirmed = intents
    .filter((intent) => intent.state === 'confirmed' && intent.stripeCustomer === stripeCustomer)
    .reduce((sum, intent) => sum + intent.valueMicro, 0n);
  return { summary, confirmed };
}

async function settle(
  run: PeriodRun,
  intent: Intent,
  found: { readonly state: PushState; readonly summary: bigint; readonly confirmed: bigint },
): Promise<void> {
  const { database, clock } = run.parts;
  const { state, summary, confirmed } = found;
  const answer = `Stripe's summary says ${summary}, confirmed are ${confirmed}, this is ${intent.valueMicro}`;
  const change = { event: 'summary', state, answer, at: clock() } as const;
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

/** Why it is parked, and what a person does about it. */
export function parkedDetail(of: Pick<Intent, 'identifier' | 'lastAnswer'>): string {
  return `${of.lastAnswer ?? 'parked'}; mend the cause, then "spanledger stripe unpark ${of.identifier}"`;
}

function waitMs(attempt: number, retryAfterMs: number | null): number {
  const backoff = Math.min(LONGEST_WAIT_MS, 250 * 2 ** attempt) * (0.5 + Math.random());
  return Math.max(backoff, Math.min(retryAfterMs ?? 0, LONGEST_WAIT_MS));
}
