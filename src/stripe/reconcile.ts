import type { Clock, InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { inParallel } from '../push/in-parallel.ts';
import type { InvoiceRow } from './invoices/invoice-store.ts';
import { readInvoices } from './invoices/invoice-store.ts';
import { readMeters } from './meters/meter-store.ts';
import {
  byTenantAndStart,
  confirmedSum,
  intendedSum,
  newestAttempt,
  refuseNothingClosed,
} from './push.ts';
import { isSettled } from './push-state.ts';
import type { Intent, PushTarget } from './push-store.ts';
import { intentKey, markProven, readIntentsOf, readTargets } from './push-store.ts';
import type { StripeClient } from './stripe-client.ts';
import { ForeignFraction, readSummary } from './stripe-client.ts';

/**
 * Why the three columns of a tenant differ, or that they do not.
 *
 * | difference         | explained | what is seen                                                       |
 * |--------------------|-----------|--------------------------------------------------------------------|
 * | none               | yes       | all three are the same                                             |
 * | shadow             | yes       | metered and stated, never pushed (R19)                             |
 * | in_flight          | yes       | a request is unanswered; the next push settles it                  |
 * | lag                | yes       | Stripe shows less than is confirmed, and the push is an hour young |
 * | missing            | no        | Stripe still shows less                                            |
 * | duplicate          | no        | Stripe shows an identifier's value twice                           |
 * | foreign_usage      | no        | Stripe shows more than we ever intended, by no value of ours       |
 * | after_finalization | no        | Stripe shows it, and the final invoice does not                    |
 * | not_pushed         | no        | the ledger has more than is confirmed, and no request is out       |
 */
type Difference =
  | 'none'
  | 'shadow'
  | 'not_pushed'
  | 'in_flight'
  | 'lag'
  | 'missing'
  | 'duplicate'
  | 'after_finalization'
  | 'foreign_usage';

/** What a person does about a difference; null where it is explained, and time or the next push ends it. */
const REMEDIES: Readonly<Record<Difference, string | null>> = {
  none: null,
  shadow: null,
  in_flight: null,
  lag: null,
  not_pushed: 'run "spanledger push", which tells it or says why not',
  missing: 'see "spanledger stripe alerts": Stripe reports what it does not count',
  duplicate: 'cancel the second event within a day, or credit the customer for it',
  after_finalization: 'bill the difference by an invoice item, once',
  foreign_usage: 'find what else reports usage to this meter; only Spanledger may',
};

/** Micro-dollars as decimal strings of whole numbers. */
export interface ReconcileRow {
  readonly tenant_id: string;
  readonly period_start: string;
  readonly ledger: string;
  readonly confirmed: string;
  readonly stripe: string | null;
  readonly difference: Difference;
  readonly explained: boolean;
  readonly remedy: string | null;
}

export interface ReconcileOptions {
  readonly database: Database;
  readonly stripe: StripeClient;
  readonly livemode: boolean;
  readonly clock: Clock;
  /** Only this tenant; by default every one. */
  readonly tenantId?: string | null;
  readonly onProgress?: (done: number, all: number) => void;
}

/** Summaries lag; a push younger than this may not be in them yet. */
const LAG_MS = 60 * 60 * 1000;
const PARALLEL_READS = 8;

/**
 * Puts side by side what the ledger closed, what we know to be delivered, and what Stripe counts, for
 * each tenant of a month. One read for each live tenant that has usage, so that Stripe's read
 * allocation (500 reads a transaction, 10,000 a month at the least) is never near. What is found in
 * order is kept as proof, which releases the tenant's invoice.
 */
export async function reconcileMonth(
  options: ReconcileOptions,
  month: string,
): Promise<readonly ReconcileRow[]> {
  const { database, tenantId = null } = options;
  const targets = await readTargets(database, { month, tenantId });
  if (targets.length === 0) refuseNothingClosed(month);
  const meters = await readMeters(database, options.livemode);
  const intents = await readIntentsOf(database, targets);
  const invoices = Map.groupBy(await readInvoices(database, { month, tenantId }), intentKey);
  const rows: ReconcileRow[] = [];
  await inParallel(targets, PARALLEL_READS, async (target) => {
    const own = intents.get(intentKey(target)) ?? [];
    const meterId = meters.get(target.currency)?.meterId ?? null;
    const isAsked = needsRead(target, own);
    const summary = isAsked ? await summaryOf(options.stripe, { target, own, meterId }) : null;
    const now = options.clock();
    const ofPeriod = invoices.get(intentKey(target)) ?? [];
    const row = compareRow({ target, intents: own, summary, now, invoices: ofPeriod });
    if (summary !== null && row.difference === 'none') await keepProof(database, own, now);
    rows.push(row);
    options.onProgress?.(rows.length, targets.length);
  });
  return rows.sort(byTenantAndStart);
}

/** A tenant without usage has nothing at Stripe that we told it, and costs no read. */
function needsRead(target: PushTarget, intents: readonly Intent[]): boolean {
  if (intents.length > 0) return true;
  return target.mode === 'live' && target.billableMicro > 0n;
}

async function keepProof(
  database: Database,
  intents: readonly Intent[],
  now: InstantMs,
): Promise<void> {
  const unproven = intents.filter(
    (intent) => intent.state === 'confirmed' && (intent.provenAt ?? null) === null,
  );
  if (unproven.length === 0) return;
  const identifiers = unproven.map((intent) => intent.identifier);
  await markProven(database, identifiers, now);
}

async function summaryOf(
  stripe: StripeClient,
  of: {
    readonly target: PushTarget;
    readonly own: readonly Intent[];
    readonly meterId: string | null;
  },
): Promise<bigint | ForeignFraction | null> {
  const { startsAt, endsAt } = of.target;
  // Usage stands where it was told, even if the tenant has been given another customer since.
  const stripeCustomer = of.own.at(-1)?.stripeCustomer ?? of.target.stripeCustomer;
  if (stripeCustomer === null || of.meterId === null) return null;
  const question = { meterId: of.meterId, stripeCustomer, startsAt, endsAt };
  return readSummary(stripe, question).catch(asForeign);
}

/** A fraction is one tenant's difference, and hides no other's. */
function asForeign(error: unknown): ForeignFraction {
  if (error instanceof ForeignFraction) return error;
  throw error;
}

interface Compared {
  readonly target: PushTarget;
  readonly intents: readonly Intent[];
  readonly summary: bigint | ForeignFraction | null;
  readonly now: InstantMs;
  readonly invoices?: readonly InvoiceRow[];
}

/** Pure: the three columns in, the classified row out. */
export function compareRow(given: Compared): ReconcileRow {
  const { target, summary } = given;
  const confirmed = confirmedSum(given.intents);
  const difference = classify({ ...given, confirmed });
  return {
    tenant_id: target.tenantId,
    period_start: target.periodStart,
    ledger: String(target.billableMicro),
    confirmed: String(confirmed),
    stripe: summary instanceof ForeignFraction ? summary.summary : (summary?.toString() ?? null),
    difference,
    explained: REMEDIES[difference] === null,
    remedy: REMEDIES[difference],
  };
}

function classify(given: Compared & { readonly confirmed: bigint }): Difference {
  const { target, intents, summary, confirmed } = given;
  if (target.mode === 'shadow' && intents.length === 0) return 'shadow';
  if (summary === null) return target.billableMicro === 0n ? 'none' : 'not_pushed';
  if (summary instanceof ForeignFraction) return 'foreign_usage';
  const intended = intendedSum(intents);
  if (summary > intended)
    return isDuplicate(intents, summary - intended) ? 'duplicate' : 'foreign_usage';
  if (intents.some(isInFlight)) return 'in_flight';
  if (confirmed !== target.billableMicro) return 'not_pushed';
  if (isShortOnInvoice(given, summary)) return 'after_finalization';
  if (summary === confirmed) return 'none';
  return given.now - newestAttempt(intents) < LAG_MS ? 'lag' : 'missing';
}

function isInFlight(intent: Intent): boolean {
  return intent.state === 'sent' || intent.state === 'ambiguous';
}

/**
 * Whether the excess is made of values that we did send, each once more: an identifier that Stripe
 * counted again after it had forgotten it, or one that turned up after it was given up as missing.
 */
function isDuplicate(intents: readonly Intent[], excess: bigint): boolean {
  const sent = intents.filter((intent) => !(intent.state === 'pending' && intent.attempts === 0));
  let sums = new Set([0n]);
  for (const { valueMicro } of sent.slice(-MOST_INTENTS_COMBINED)) {
    sums = new Set([...sums, ...[...sums].map((sum) => sum + valueMicro)]);
  }
  return sums.has(excess);
}

/** A period has one intent, rarely two; beyond so many the combinations would say nothing. */
const MOST_INTENTS_COMBINED = 8;

function isShortOnInvoice(given: Compared, summary: bigint): boolean {
  const final = (given.invoices ?? []).filter((invoice) => invoice.state === 'finalized');
  if (final.length === 0) return false;
  const billed = final.reduce((sum, invoice) => sum + (invoice.quantity ?? 0n), 0n);
  return billed < summary;
}

/** Whether every intent of a period is told and seen in Stripe's summary. */
export function isProven(billableMicro: bigint, intents: readonly Intent[]): boolean {
  return (
    confirmedSum(intents) === billableMicro &&
    intents.every(
      (intent) =>
        isSettled(intent.state) &&
        (intent.state === 'missing' || (intent.provenAt ?? null) !== null),
    )
  );
}
