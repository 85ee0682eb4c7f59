import { hash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { pause } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import { Refusal } from '../refusal.ts';
import { decideAmbiguous, nextStep, stateAfter } from './push-state.ts';
import type { Intent, PushTarget } from './push-store.ts';
import {
  insertIntent,
  markAttempt,
  markState,
  readIntents,
  readMeters,
  readTargets,
  whileAlone,
} from './push-store.ts';
import type { StripeMeter } from './setup.ts';
import type { StripeClient } from './stripe-client.ts';
import { readSummary, sendMeterEvent } from './stripe-client.ts';

export interface PushOptions {
  readonly database: Database;
  readonly stripe: StripeClient;
  readonly livemode: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly onProgress?: (done: number, all: number) => void;
}

/** What pushing one tenant's period came to. */
export interface PushResult {
  readonly tenant_id: string;
  readonly period_start: string;
  readonly state:
    | 'confirmed'
    | 'shadow'
    | 'nothing_due'
    | 'refused'
    | 'sent'
    | 'ambiguous'
    | 'parked'
    | 'busy'
    | 'skipped';
  /** Micro-dollars that Stripe has been told, as far as we know. */
  readonly pushed: string;
  readonly detail: string | null;
}

/** Tenants in work at once; far below Stripe's limit of a thousand meter events a second. */
const PARALLEL_TENANTS = 8;
/** Tries in one run; a later run goes on, while Stripe still remembers the identifier. */
const TRIES_A_RUN = 5;
const LONGEST_WAIT_MS = 8_000;

/**
 * Tells Stripe what each closed period of a month came to, once (R18). At each step, what a crash
 * leaves behind:
 *
 * 1. no intent yet: the next run makes it;
 * 2. intent `pending`: no request went out, the next run sends it;
 * 3. intent `sent`: it may have arrived; the next run resends the same bytes, and Stripe answers a
 *    second arrival with 400 "already exists", which is delivery;
 * 4. `confirmed`: done, no run sends it again.
 */
export async function pushMonth(
  options: PushOptions,
  month: string,
): Promise<readonly PushResult[]> {
  const meters = await readMeters(options.database, options.livemode);
  const targets = await readTargets(options.database, month);
  if (targets.length === 0) {
    throw new Refusal(
      'period',
      `no period that begins in ${month} is closed`,
      `close it first, with "spanledger close ${month}"`,
    );
  }
  const run: Run = { options, meters, halted: null };
  const results: PushResult[] = [];
  const queue = [...targets];
  const worker = async () => {
    for (let target = queue.shift(); target !== undefined; target = queue.shift()) {
      results.push(await pushTarget(run, target));
      options.onProgress?.(results.length, targets.length);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_TENANTS }, worker));
  return results.sort((a, b) => (a.tenant_id < b.tenant_id ? -1 : 1));
}

interface Run {
  readonly options: PushOptions;
  readonly meters: ReadonlyMap<string, StripeMeter>;
  /** Why no further request may go out: what failed would fail every tenant. */
  halted: string | null;
}

async function pushTarget(run: Run, target: PushTarget): Promise<PushResult> {
  const result = (state: PushResult['state'], detail: string | null, pushed = 0n): PushResult => ({
    tenant_id: target.tenantId,
    period_start: target.periodStart,
    state,
    pushed: String(pushed),
    detail,
  });
  const { database } = run.options;
  if (target.mode === 'shadow') return result('shadow', 'metered and stated, never pushed (R19)');
  if (run.halted !== null) return result('skipped', run.halted);
  const meter = run.meters.get(target.currency);
  if (meter === undefined) {
    return result(
      'refused',
      `no meter for ${target.currency}; run "spanledger stripe setup" first`,
    );
  }
  const { stripeCustomer } = target;
  if (stripeCustomer === null) {
    return result(
      'refused',
      `no Stripe customer; "spanledger tenant set ${target.tenantId} --stripe-customer cus_…"`,
    );
  }
  const key = `${stripeCustomer} ${meter.eventName}`;
  const states = await whileAlone(database, key, async () => {
    await ensureIntent(run, { ...target, stripeCustomer }, meter);
    const intents = await readIntents(database, target);
    for (const intent of intents) await advance(run, { target, meter, intents }, intent);
    return readIntents(database, target);
  });
  if (states === null) return result('busy', 'another process is pushing this customer');
  const pushed = confirmedSum(states);
  const open = states.find((intent) => intent.state !== 'confirmed');
  if (open !== undefined) {
    return result(
      open.state === 'pending' ? 'skipped' : open.state,
      open.lastAnswer ?? run.halted,
      pushed,
    );
  }
  return states.length === 0 ? result('nothing_due', null) : result('confirmed', null, pushed);
}

/** The part of the period's billable amount that no intent covers yet gets one. */
async function ensureIntent(
  run: Run,
  target: PushTarget & { readonly stripeCustomer: string },
  meter: StripeMeter,
): Promise<void> {
  const { database, clock } = run.options;
  const intents = await readIntents(database, target);
  const intended = intents.reduce((sum, intent) => sum + intent.valueMicro, 0n);
  const due = target.billableMicro - intended;
  if (due === 0n) return;
  const sequence = intents.length + 1;
  await insertIntent(
    database,
    {
      tenantId: target.tenantId,
      periodStart: target.periodStart,
      sequence,
      identifier: identifierOf(target, sequence),
      meter: meter.eventName,
      stripeCustomer: target.stripeCustomer,
      valueMicro: due,
      // Inside the period and as late as possible: Stripe takes no event older than 35 days.
      eventTimestamp: Math.floor(target.endsAt / 1000) - 1,
    },
    clock(),
  );
}

/**
 * The same for the same push, on every machine and after every crash. At most 100 characters, so a
 * long tenant id is cut and told apart by its digest.
 */
function identifierOf(target: PushTarget, sequence: number): string {
  const tenant = /^[\w.-]{1,50}$/.test(target.tenantId)
    ? target.tenantId
    : Buffer.from(hash('sha256', target.tenantId, 'buffer')).toString('base64url');
  return `spl-${tenant}-${target.periodStart}-${target.currency.toLowerCase()}-${sequence}`;
}

interface PushContext {
  readonly target: PushTarget;
  readonly meter: StripeMeter;
  readonly intents: readonly Intent[];
}

async function advance(run: Run, context: PushContext, intent: Intent): Promise<void> {
  const { clock } = run.options;
  switch (nextStep(intent, clock())) {
    case 'send':
      return send(run, context.meter, intent);
    case 'compare':
      return compare(run, context, intent);
    case 'none':
      return;
  }
}

async function send(run: Run, meter: StripeMeter, intent: Intent): Promise<void> {
  const { database, stripe, clock, log } = run.options;
  for (let attempt = 1; attempt <= TRIES_A_RUN && run.halted === null; attempt += 1) {
    await markAttempt(database, intent.identifier, clock());
    const answer = await sendMeterEvent(stripe, {
      eventName: meter.eventName,
      identifier: intent.identifier,
      stripeCustomer: intent.stripeCustomer,
      value: String(intent.valueMicro),
      timestamp: intent.eventTimestamp,
    });
    const detail = answer.kind === 'delivered' ? answer.how : answer.detail;
    const state = stateAfter(answer);
    await markState(database, intent.identifier, { state, answer: detail, at: clock() });
    if (answer.kind === 'systemic') run.halted = `stopped for every tenant: ${detail}`;
    if (answer.kind !== 'unknown') return;
    log.warn({ identifier: intent.identifier, attempt, detail }, 'push unanswered; trying again');
    if (attempt < TRIES_A_RUN) await pause(waitMs(attempt, answer.retryAfterMs));
  }
}

/** After 23 hours nothing is sent again; Stripe's own summary decides (R18). */
async function compare(run: Run, context: PushContext, intent: Intent): Promise<void> {
  const { database, stripe, clock } = run.options;
  const summary = await readSummary(stripe, {
    meterId: context.meter.meterId,
    stripeCustomer: intent.stripeCustomer,
    startsAt: context.target.startsAt,
    endsAt: context.target.endsAt,
  });
  const confirmed = confirmedSum(context.intents);
  const state = decideAmbiguous({ summary, confirmed, value: intent.valueMicro });
  const answer = `Stripe's summary says ${summary}, confirmed are ${confirmed}, this is ${intent.valueMicro}`;
  await markState(database, intent.identifier, { state, answer, at: clock() });
}

export function confirmedSum(intents: readonly Intent[]): bigint {
  return intents
    .filter((intent) => intent.state === 'confirmed')
    .reduce((sum, intent) => sum + intent.valueMicro, 0n);
}

function waitMs(attempt: number, retryAfterMs: number | null): number {
  const backoff = Math.min(LONGEST_WAIT_MS, 250 * 2 ** attempt) * (0.5 + Math.random());
  return Math.max(backoff, Math.min(retryAfterMs ?? 0, LONGEST_WAIT_MS));
}
