import type { InstantMs } from '../clock.ts';
import { inParallel } from '../push/in-parallel.ts';
import type { PushLocks } from '../push/push-lock-store.ts';
import { openPushLocks } from '../push/push-lock-store.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import type { StripeMeter } from './meters/meter-store.ts';
import { readMeters } from './meters/meter-store.ts';
import type { PeriodRun } from './push-period.ts';
import { dueOf, findObjection, identifierOf, parkedDetail, pushPeriod } from './push-period.ts';
import { isSettled, nextStep } from './push-state.ts';
import type { Intent, PushTarget } from './push-store.ts';
import { intentKey, readIntentsOf, readTargets } from './push-store.ts';
import type { StripeClient } from './stripe-client.ts';
import { askStripe, isMissing, KeyRefused } from './stripe-client.ts';
import type { StripeParts } from './stripe-parts.ts';

export interface PushOptions extends StripeParts {
  readonly onProgress?: (done: number, all: number) => void;
  /** Only this tenant; by default every one. */
  readonly tenantId?: string | null;
  /** Says what would be sent, and writes and sends nothing. */
  readonly isDryRun?: boolean;
}

/** What pushing one tenant's period came to. */
export interface PushResult {
  readonly tenant_id: string;
  readonly period_start: string;
  readonly state:
    | 'confirmed'
    | 'shadow'
    | 'nothing_due'
    | 'would_send'
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

/**
 * Tells Stripe what each closed period of a month came to, once (R18). At each step, what a crash
 * leaves behind:
 *
 * 1. no intent yet: the next run makes it;
 * 2. intent `pending`: no request went out, the next run sends it;
 * 3. intent `sent`: it may have arrived; the next run resends the same bytes, and Stripe answers a
 *    second arrival with 400 "already exists", which is delivery; after 23 hours nothing is resent,
 *    and Stripe's summary decides (push-state.ts);
 * 4. `confirmed`: done, no run sends it again.
 *
 * So a run over ten thousand tenants may end anywhere, and the next one goes on there: what is
 * settled costs it one query for all and no request.
 */
export async function pushMonth(
  options: PushOptions,
  month: string,
): Promise<readonly PushResult[]> {
  const filter = { month, tenantId: options.tenantId ?? null };
  const targets = await readTargets(options.database, filter);
  if (targets.length === 0) refuseNothingClosed(month);
  return pushTargets(options, targets);
}

export function refuseNothingClosed(month: string): never {
  throw new Refusal(
    'too_early',
    `no period that begins in ${month} is closed`,
    advise`close it first, with ${{ operation: 'close', month, tenantId: null }}`,
  );
}

/** Pushes these closed periods; results in the order of the tenants. */
export async function pushTargets(
  options: PushOptions,
  targets: readonly PushTarget[],
): Promise<readonly PushResult[]> {
  const meters = await readMeters(options.database, options.livemode);
  const known = await readIntentsOf(options.database, targets);
  const run: Run = { options, meters, known, halted: null };
  const results: PushResult[] = [];
  const open: PushTarget[] = [];
  for (const target of targets) {
    const result = await resultWithoutStripe(run, target);
    if (result === null) open.push(target);
    else results.push(result);
  }
  if (open.length > 0) results.push(...(await pushOpen(run, open, targets.length)));
  options.onProgress?.(targets.length, targets.length);
  return results.sort(byTenantAndStart);
}

/** The order of every list of periods, whoever was done first. */
export function byTenantAndStart(
  a: Pick<PushResult, 'tenant_id' | 'period_start'>,
  b: Pick<PushResult, 'tenant_id' | 'period_start'>,
): number {
  return compare(a.tenant_id, b.tenant_id) || compare(a.period_start, b.period_start);
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

interface Run {
  readonly options: PushOptions;
  readonly meters: ReadonlyMap<string, StripeMeter>;
  /** As they were when the run began; whoever pushes reads them again under the lock. */
  readonly known: ReadonlyMap<string, readonly Intent[]>;
  /** Why no further request may go out: what failed would fail every tenant. */
  halted: string | null;
}

/** What needs no request: shadow, done already, impossible, or only asked for. Null for the rest. */
async function resultWithoutStripe(run: Run, target: PushTarget): Promise<PushResult | null> {
  if (target.mode === 'shadow') {
    return resultOf(target, 'shadow', 'metered and stated, never pushed');
  }
  const intents = run.known.get(intentKey(target)) ?? [];
  if (dueOf(target, intents) === 0n && intents.every((intent) => isSettled(intent.state))) {
    const pushed = confirmedSum(intents);
    return resultOf(target, intents.length === 0 ? 'nothing_due' : 'confirmed', null, pushed);
  }
  const fault = faultOf(run, target);
  if (fault !== null) return resultOf(target, 'refused', fault, confirmedSum(intents));
  return run.options.isDryRun === true ? wouldSend(run.options, target, intents) : null;
}

function faultOf(run: Run, target: PushTarget): string | null {
  if (run.meters.get(target.currency) === undefined) {
    return `no meter for ${target.currency} in ${run.options.livemode ? 'live' : 'test'} mode; run "spanledger stripe setup" first`;
  }
  if (target.stripeCustomer === null) {
    return `no Stripe customer; "spanledger tenant set ${target.tenantId} --stripe-customer cus_…"`;
  }
  return null;
}

/** What a push would begin with now; what Stripe answers decides how it goes on. */
async function wouldSend(
  options: PushOptions,
  target: PushTarget,
  intents: readonly Intent[],
): Promise<PushResult> {
  const pushed = confirmedSum(intents);
  const objection = await findObjection(options, target, intents);
  if (objection !== null) return resultOf(target, 'refused', objection, pushed);
  const open = intents.find((intent) => !isSettled(intent.state));
  if (open?.state === 'parked') return resultOf(target, 'parked', parkedDetail(open), pushed);
  const now = options.clock();
  const due = dueOf(target, intents);
  const steps = [
    ...(open === undefined ? [] : [`${open.identifier} (${stepOf(open, now)}) ${open.valueMicro}`]),
    ...(due === 0n ? [] : [`${identifierOf(target, intents.length + 1)} (new) ${due}`]),
  ];
  const detail = `${steps.join(', ')} micro ${target.currency} to ${open?.stripeCustomer ?? target.stripeCustomer}`;
  return resultOf(target, 'would_send', detail, pushed);
}

function stepOf(open: Intent, now: InstantMs): string {
  return nextStep(open, now) === 'send'
    ? open.state
    : `${open.state}, compared with Stripe's summary and not sent`;
}

/** Tenants in parallel, the periods of one tenant in order. */
async function pushOpen(
  run: Run,
  open: readonly PushTarget[],
  all: number,
): Promise<readonly PushResult[]> {
  const { options } = run;
  const locks = await openPushLocks(options.database);
  try {
    await checkMeters(run, open);
    const results: PushResult[] = [];
    const periodsOfTenants = [...Map.groupBy(open, (target) => target.tenantId).values()];
    await inParallel(periodsOfTenants, PARALLEL_TENANTS, async (periods) => {
      for (const target of periods) {
        results.push(await pushTarget(run, locks, target));
        options.onProgress?.(all - open.length + results.length, all);
      }
    });
    return results;
  } finally {
    await locks.close();
  }
}

/**
 * Before the first event each meter is looked at: Stripe replays the refusal of an inactive meter
 * under the event's idempotency key for a day, even after the meter is active again.
 */
async function checkMeters(run: Run, open: readonly PushTarget[]): Promise<void> {
  for (const currency of new Set(open.map((target) => target.currency))) {
    const meter = run.meters.get(currency);
    if (meter === undefined || (await isMeterActive(run.options.stripe, meter))) continue;
    throw new Refusal(
      'misconfigured',
      `meter ${meter.meterId} (${meter.eventName}) is not active in Stripe, so that it would drop every event`,
      advise`reactivate it in Stripe, or run ${{ operation: 'stripe setup' }} to make another; nothing was sent`,
    );
  }
}

async function isMeterActive(stripe: StripeClient, meter: StripeMeter): Promise<boolean> {
  try {
    const ask = () => stripe.billing.meters.retrieve(meter.meterId);
    const found = await askStripe(`meter ${meter.meterId}`, ask);
    return found.status === 'active' && found.event_name === meter.eventName;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function pushTarget(run: Run, locks: PushLocks, target: PushTarget): Promise<PushResult> {
  const meter = run.meters.get(target.currency);
  const { stripeCustomer } = target;
  if (meter === undefined || stripeCustomer === null) return resultOf(target, 'refused', null);
  if (run.halted !== null) return resultOf(target, 'skipped', run.halted);
  const period: PeriodRun = {
    parts: run.options,
    target: { ...target, stripeCustomer },
    meter,
    isMeterActive: () => isMeterActive(run.options.stripe, meter),
    halted: () => run.halted ?? (locks.areLost() ? LOCKS_LOST : null),
    halt: (reason) => {
      run.halted = reason;
    },
  };
  const key = `${stripeCustomer} ${meter.eventName}`;
  const outcome = await locks.whileAlone(key, () => pushPeriod(period).catch(asRefused));
  if (outcome === null) return resultOf(target, 'busy', 'another process is pushing this customer');
  if (outcome instanceof KeyRefused) run.halted = `stopped for every tenant: ${outcome.message}`;
  if (outcome instanceof Refusal) return resultOf(target, 'skipped', outcome.message);
  const pushed = confirmedSum(outcome.intents);
  if (outcome.refusal !== null) return resultOf(target, 'refused', outcome.refusal, pushed);
  const open = outcome.intents.find((intent) => !isSettled(intent.state));
  if (open === undefined) {
    return outcome.intents.length === 0
      ? resultOf(target, 'nothing_due', null)
      : resultOf(target, 'confirmed', null, pushed);
  }
  if (open.state === 'parked') return resultOf(target, 'parked', parkedDetail(open), pushed);
  const state = open.state === 'pending' ? 'skipped' : (open.state as 'sent' | 'ambiguous');
  return resultOf(target, state, open.lastAnswer ?? period.halted(), pushed);
}

/** What Stripe will not say of one tenant does not stop the others; a fault of ours does. */
function asRefused(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  throw error;
}

const LOCKS_LOST = 'the database connection that held the locks was lost; run the push again';

function resultOf(
  target: PushTarget,
  state: PushResult['state'],
  ...[detail, pushed = 0n]: readonly [string | null, bigint?]
): PushResult {
  return {
    tenant_id: target.tenantId,
    period_start: target.periodStart,
    state,
    pushed: String(pushed),
    detail,
  };
}

export function confirmedSum(intents: readonly Intent[]): bigint {
  return sumOf(intents.filter((intent) => intent.state === 'confirmed'));
}

/** What Stripe was or will be told; what is proven to be missing will be told by its successor. */
export function intendedSum(intents: readonly Intent[]): bigint {
  return sumOf(intents.filter((intent) => intent.state !== 'missing'));
}

function sumOf(intents: readonly Intent[]): bigint {
  return intents.reduce((sum, intent) => sum + intent.valueMicro, 0n);
}

/** The newest first attempt of any intent; summaries lag behind it. 0 when nothing was sent. */
export function newestAttempt(intents: readonly Intent[]): InstantMs {
  return Math.max(0, ...intents.map((intent) => intent.firstAttemptAt ?? 0));
}
