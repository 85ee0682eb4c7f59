import type { InstantMs } from '../clock.ts';
import { inParallel } from '../in-parallel.ts';
import { formatDecimal } from '../money.ts';
import { periodKey } from '../periods/period-key.ts';
import { byTenantAndStart } from '../periods/period-order.ts';
import { Refusal } from '../refusal.ts';
import type { Fault, Remedy } from '../remedy.ts';
import { advise } from '../remedy.ts';
import { chooseDestination } from './choose-destination.ts';
import type { Address, Destination, PushParts } from './destination.ts';
import { destinationOf, EveryTenantRefused, isAddress, NoAnswer } from './destination.ts';
import type { Intent } from './intent.ts';
import { confirmedSum, identifierOf, isTakeBack, openIntent } from './intent.ts';
import { isSettled, nextStep } from './intent-state.ts';
import { readIntentsOf } from './intent-store.ts';
import type { PushAnswer, PushedPeriod, PushRequest } from './push-answer.ts';
import type { PushLocks } from './push-lock-store.ts';
import { openPushLocks } from './push-lock-store.ts';
import { dueOf, foreignFault, isUnsent, parkedFault, pushPeriod } from './push-period.ts';
import type { PushStop } from './push-stop.ts';
import { openPushStop } from './push-stop.ts';
import type { PushTarget } from './push-target.ts';
import { readTargets } from './target-store.ts';

export interface PushOptions {
  readonly isDryRun?: boolean;
  readonly onProgress?: ((done: number, all: number) => void) | undefined;
  /**
   * Refuses where no live period at all could be told, since each has a channel that would lose it. Else each row says
   * that: whoever has told others already, or asks beside something else, needs the rows.
   */
  readonly refusesUnfit?: boolean;
  /** The function is called once with the reason, where the push stopped because the destination fails whoever asks. */
  readonly onOutage?: ((reason: Fault) => void) | undefined;
}

/** Tenants in work at once; far below any limit of a thousand requests a second. */
const PARALLEL_TENANTS = 8;

/**
 * Tells of each closed period of a month what it came to, once (R18). At each step, what a crash
 * leaves behind:
 *
 * 1. no intent yet: the next run makes it;
 * 2. intent `pending`: no request went out, the next run sends it;
 * 3. intent `sent`: it may have arrived; the next run resends the same bytes, and the destination answers
 *    a second arrival as one, which is delivery; after the window nothing is resent, and the
 *    destination's count decides (intent-state.ts);
 * 4. `confirmed`: done, no run sends it again.
 *
 * So a run over ten thousand tenants may end anywhere, and the next one goes on there: what is
 * settled costs it one query for all and no request.
 */
export async function pushClosed(
  parts: PushParts,
  request: PushRequest,
  options: PushOptions = {},
): Promise<PushAnswer> {
  const { month, tenant_id: tenantId, dry_run: isDryRun } = request;
  const targets = await readTargets(parts.database, { month, tenantId });
  if (targets.length === 0) refuseNothingClosed(month);
  return pushTargets(parts, targets, { ...options, isDryRun, refusesUnfit: true });
}

export function refuseNothingClosed(month: string): never {
  throw new Refusal(
    'too_early',
    `no period that begins in ${month} is closed`,
    advise`close it first, with ${{ operation: 'close', month, tenant_id: null }}`,
  );
}

/** Pushes these closed periods; results in the order of the tenants. */
export async function pushTargets(
  parts: PushParts,
  targets: readonly PushTarget[],
  options: PushOptions = {},
): Promise<PushAnswer> {
  const known = await readIntentsOf(parts.database, targets);
  const run: Run = { parts, options, known, stop: openPushStop(PARALLEL_TENANTS) };
  const results: PushedPeriod[] = [];
  const open: PushTarget[] = [];
  for (const target of targets) {
    const result = await resultWithoutAsking(run, target);
    if (result === null) open.push(target);
    else results.push(result);
  }
  if (open.length > 0) results.push(...(await pushOpen(run, open, targets)));
  options.onProgress?.(targets.length, targets.length);
  const outage = run.stop.outage();
  if (outage !== null) options.onOutage?.(outage);
  return results.sort(byTenantAndStart);
}

interface Run {
  readonly parts: PushParts;
  readonly options: PushOptions;
  /**
   * The intents as they were when the run began; whoever pushes reads them again under the lock.
   */
  readonly known: ReadonlyMap<string, readonly Intent[]>;
  readonly stop: PushStop;
}

/**
 * Returns the result of what needs no request: shadow, done already, impossible, or only asked for.
 * Null for the rest.
 */
async function resultWithoutAsking(run: Run, target: PushTarget): Promise<PushedPeriod | null> {
  if (target.mode === 'shadow') {
    return resultOf(target, 'shadow', { detail: 'metered and stated, never pushed' });
  }
  const intents = run.known.get(periodKey(target)) ?? [];
  if (dueOf(target, intents) === 0n && intents.every((intent) => isSettled(intent.state))) {
    if (intents.length === 0) return resultOf(target, 'nothing_due');
    // What a key of test mode told bills nobody of live mode.
    const told = intents.filter(({ state }) => state === 'confirmed');
    const foreign = foreignFault(run.parts, told);
    if (foreign !== null) return faulty(target, 'refused', foreign);
    return resultOf(target, 'confirmed', confirmedBy(target, intents));
  }
  const address = addressOf(run.parts, target);
  if (!isAddress(address)) {
    return faulty(target, 'refused', address, confirmedSum(intents));
  }
  return run.options.isDryRun === true ? wouldSend(run.parts, target, { intents, address }) : null;
}

/**
 * Finds where the period would be told first, or the fault of the preferred destination where none
 * has an address.
 */
function addressOf({ destinations }: PushParts, target: PushTarget) {
  const described = destinations.map((destination) => destination.describe(target));
  return (
    described.find(isAddress) ?? described[0] ?? { fault: 'no destination is set up', remedy: null }
  );
}

/**
 * Returns what a push would begin with now; what the destination answers decides how it goes on.
 */
async function wouldSend(
  parts: PushParts,
  target: PushTarget,
  { intents, address }: { readonly intents: readonly Intent[]; readonly address: Address },
): Promise<PushedPeriod> {
  const pushed = confirmedSum(intents);
  const due = dueOf(target, intents);
  const foreign = foreignFault(parts, intents);
  if (foreign !== null) return faulty(target, 'refused', foreign, pushed);
  const open = openIntent(intents);
  // What was never sent is given its place anew, by its tenant's customer and the destination of today.
  const isMoved = open !== undefined && isUnsent(open) && !isTakeBack(open);
  const valueMicro = isMoved ? open.valueMicro : due;
  const what = { valueMicro, intents, isCustomerAsked: false };
  const chosen = valueMicro === 0n ? null : await chooseDestination(parts, target, what);
  if (chosen !== null && 'refusal' in chosen) {
    return faulty(target, 'refused', chosen.refusal, pushed);
  }
  if (open?.state === 'parked') return faulty(target, 'parked', parkedFault(open), pushed);
  const now = parts.clock();
  const steps = [
    ...(open === undefined
      ? []
      : [`${open.identifier} (${stepOf(parts, open, now)}) ${formatDecimal(open.valueMicro, 6)}`]),
    ...(due === 0n
      ? []
      : [
          `${identifierOf(parts.ledgerName, target, intents.length + 1)} (new) ${formatDecimal(due, 6)}`,
        ]),
  ];
  const standing = isMoved ? undefined : open;
  const kind = standing?.destination ?? chosen?.destination.kind;
  const by = kind === 'invoice_item' ? ' by an invoice item' : '';
  const customer = standing?.customer ?? chosen?.address.customer ?? address.customer;
  const detail = `${steps.join(', ')} ${target.currency} to ${customer}${by}`;
  return resultOf(target, 'would_send', { detail, pushed });
}

function stepOf(parts: PushParts, open: Intent, now: InstantMs): string {
  const destination = destinationOf(parts, open);
  return destination === undefined || nextStep(open, now, destination.memory) === 'send'
    ? open.state
    : `${open.state}, compared with ${destination.countName} and not sent`;
}

/** Tenants in parallel, the periods of one tenant in order. */
async function pushOpen(
  run: Run,
  open: readonly PushTarget[],
  targets: readonly PushTarget[],
): Promise<readonly PushedPeriod[]> {
  const { parts, options } = run;
  const all = targets.length;
  // Asked before the locks, which hold a connection of their own to the end.
  const changed = await parts.findChanged(open);
  const locks = await openPushLocks(parts.database);
  try {
    const { unfit, first } = await findUnfitChannels(parts, open);
    const live = targets.filter(({ mode }) => mode === 'live');
    if (first !== null && options.refusesUnfit === true && unfit.size === live.length) throw first;
    const results: PushedPeriod[] = [];
    const periodsOfTenants = [...Map.groupBy(open, (target) => target.tenantId).values()];
    await inParallel(periodsOfTenants, PARALLEL_TENANTS, async (periods) => {
      for (const target of periods) {
        const fault = changed.get(periodKey(target)) ?? unfit.get(periodKey(target));
        results.push(
          fault === undefined
            ? await pushTarget(run, locks, target)
            : faulty(target, 'refused', fault),
        );
        options.onProgress?.(all - open.length + results.length, all);
      }
    });
    return results;
  } finally {
    await locks.close();
  }
}

/**
 * Finds the periods whose channel would lose what it is told, by `periodKey`, such as those of the one currency whose
 * meter is not active, and the first refusal; the others are told.
 */
async function findUnfitChannels(
  { destinations }: PushParts,
  open: readonly PushTarget[],
): Promise<{ readonly unfit: ReadonlyMap<string, Fault>; readonly first: Refusal | null }> {
  const unfit = new Map<string, Fault>();
  let first: Refusal | null = null;
  for (const destination of destinations) {
    const byChannel = Map.groupBy(open, (target) => channelOf(destination, target));
    for (const [channel, periods] of byChannel) {
      if (channel === null) continue;
      const refusal = await destination.checkChannel(channel).then(() => null, asUnfit);
      if (refusal === null) continue;
      first ??= refusal;
      const { message: fault, remedy } = refusal;
      for (const target of periods) unfit.set(periodKey(target), { fault, remedy });
    }
  }
  return { unfit, first };
}

function channelOf(destination: Destination, target: PushTarget): string | null {
  const address = destination.describe(target);
  return isAddress(address) ? address.channel : null;
}

/** What is said of one channel is no word about another one; a failure that is everybody's is. */
function asUnfit(error: unknown): Refusal {
  if (error instanceof Refusal && error.kind === 'misconfigured') return error;
  throw error;
}

async function pushTarget(run: Run, locks: PushLocks, target: PushTarget): Promise<PushedPeriod> {
  const { parts } = run;
  const address = addressOf(parts, target);
  if (!isAddress(address)) return faulty(target, 'refused', address);
  const { stop } = run;
  const before = stop.reason();
  if (before !== null) return faulty(target, 'skipped', before);
  const halted = () => stop.reason() ?? (locks.areLost() ? LOCKS_LOST : null);
  const period = { parts, target, stop, halted };
  const key = `${address.customer} ${address.channel}`;
  const outcome = await locks.whileAlone(key, () => pushPeriod(period).catch(asRefused));
  if (outcome === null) {
    return resultOf(target, 'busy', { detail: 'another process is pushing this customer' });
  }
  if (outcome instanceof EveryTenantRefused) {
    stop.refuse({ fault: `stopped for every tenant: ${outcome.message}`, remedy: null });
  }
  if (outcome instanceof NoAnswer) {
    const { message: detail, isSilent } = outcome;
    stop.unanswered(target, { detail, isSilent });
  }
  if (outcome instanceof Refusal) {
    const isPassing = outcome instanceof EveryTenantRefused || outcome.kind === 'unavailable';
    const { message: fault, remedy } = outcome;
    return faulty(target, isPassing ? 'skipped' : 'refused', { fault, remedy });
  }
  const pushed = confirmedSum(outcome.intents);
  if (outcome.refusal !== null) return faulty(target, 'refused', outcome.refusal, pushed);
  const open = openIntent(outcome.intents);
  if (open === undefined) {
    return outcome.intents.length === 0
      ? resultOf(target, 'nothing_due')
      : resultOf(target, 'confirmed', confirmedBy(target, outcome.intents));
  }
  if (open.state === 'parked') return faulty(target, 'parked', parkedFault(open), pushed);
  const state = open.state === 'sent' || open.state === 'ambiguous' ? open.state : 'skipped';
  const reason = halted();
  const detail = open.lastAnswer ?? reason?.fault ?? null;
  return resultOf(target, state, { detail, remedy: reason?.remedy ?? null, pushed });
}

/** A refusal for one tenant does not stop the others; a fault of ours does. */
function asRefused(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  throw error;
}

const LOCKS_LOST: Fault = {
  fault: 'the database connection that held the locks was lost; run the push again',
  remedy: null,
};

function resultOf(
  target: PushTarget,
  state: PushedPeriod['state'],
  found: {
    readonly detail?: string | null;
    readonly remedy?: Remedy | null;
    readonly pushed?: bigint;
  } = {},
): PushedPeriod {
  const { detail = null, remedy = null, pushed = 0n } = found;
  return {
    tenant_id: target.tenantId,
    period_start: target.periodStart,
    state,
    pushed: String(pushed),
    currency: target.currency,
    detail,
    remedy,
  };
}

/** Says so where another customer was told than the one for whom the period was closed. */
function confirmedBy({ closedFor }: PushTarget, intents: readonly Intent[]) {
  const told = intents.filter(
    ({ destination, state }) => destination !== 'settled' && state === 'confirmed',
  );
  const others = [...new Set(told.map(({ customer }) => customer))].filter(
    (customer) => closedFor !== null && customer !== closedFor,
  );
  const detail =
    others.length === 0 ? null : `told to ${others.join(' and ')}; it was closed for ${closedFor}`;
  return { detail, pushed: confirmedSum(intents) };
}

/** Returns the result of what stands against a period, with what a person does about it. */
function faulty(
  target: PushTarget,
  state: 'refused' | 'parked' | 'skipped',
  ...[{ fault, remedy }, pushed = 0n]: readonly [Fault, bigint?]
): PushedPeriod {
  return resultOf(target, state, { detail: fault, remedy, pushed });
}
