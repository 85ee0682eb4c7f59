import type Stripe from 'stripe';
import { inParallel } from '../../in-parallel.ts';
import { endAlerts } from '../../push/alert-store.ts';
import type { AnswerWatch } from '../../push/answer-watch.ts';
import { watchAnswers } from '../../push/answer-watch.ts';
import { comparePeriods } from '../../push/compare-periods.ts';
import { isOfOne } from '../../push/destination.ts';
import { isProven } from '../../push/intent.ts';
import { readIntents } from '../../push/intent-store.ts';
import type { PushTarget } from '../../push/push-target.ts';
import { describeKeptDraft } from '../customers/paused-collection.ts';
import { pushPartsOf } from '../destinations.ts';
import { INTENT_KEY } from '../items/read-items.ts';
import { refuseOtherKey } from '../meters/meter-store.ts';
import { sendOnce } from '../send-once.ts';
import { askStripe, isMissing } from '../stripe-client.ts';
import type { StripeParts } from '../stripe-parts.ts';
import type { InvoiceRow } from './invoice-store.ts';
import {
  endHold,
  readInvoice,
  readInvoices,
  readPeriodsOfInvoice,
  saveGone,
  saveHeld,
  saveHoldAnswered,
  saveReleased,
} from './invoice-store.ts';
import type { InvoicePeriod } from './own-invoice.ts';
import {
  fetchInvoice,
  findOwn,
  findTarget,
  NEVER_BILLED,
  raiseInvoiceAlert,
} from './own-invoice.ts';
import type { ReleaseAnswer, ReleasedInvoice, ReleaseRequest } from './release-answer.ts';
import { verifyInvoice } from './verify-invoice.ts';

/**
 * Holds a new draft until the tenant's push is proven, so that Stripe does not finalize it without the
 * usage: what comes after finalization is on no invoice. Doing it twice holds once; a draft that was
 * released is not held again by an event that comes late. A release may come in between, from another
 * process: whichever of the two ends last looks at what the other did, and lets go.
 */
export async function holdInvoice(parts: StripeParts, invoiceId: string): Promise<string> {
  const { database, stripe, clock } = parts;
  const invoice = await fetchInvoice(parts, invoiceId);
  const isForIntent = invoice.metadata?.[INTENT_KEY] !== undefined;
  if (invoice.status !== 'draft' || isForIntent) return verifyInvoice(parts, invoice);
  const known = await readInvoice(database, invoiceId);
  if (known !== null && known.state !== 'held') {
    if (invoice.auto_advance !== true) await letGo(parts, invoiceId);
    return `was ${known.state} before`;
  }
  const own = await findOwn(parts, invoice);
  if (typeof own === 'string') return own;
  if (own.mode === 'shadow') return NEVER_BILLED;
  const isKept = describeKeptDraft(invoice) !== null;
  if (!isKept && (await areReady(parts, own.periods))) {
    // One that was held before, by whoever told of it first, is still held at Stripe; a ledger that was restored may not
    // know that it did so.
    if (known !== null) await release(parts, known);
    else if (invoice.auto_advance !== true) await letGo(parts, invoiceId);
    for (const period of own.periods) await saveReleased(database, period, clock());
    return 'let go: its usage is proven to be there';
  }
  // The hold is kept first: a release must know of every draft that may be held.
  const askedAt = clock();
  for (const period of own.periods) await saveHeld(database, period, askedAt);
  const until = askedAt + HOLD_LEAVES_WITHIN_MS;
  const hold = () => stripe.invoices.update(invoiceId, { auto_advance: false });
  const answered = await askStripe(`holding invoice ${invoiceId}`, () =>
    sendOnce({ until, clock }, hold),
  );
  if (answered.status !== 'draft') return takeFinal(parts, invoiceId);
  await saveHoldAnswered(database, invoiceId, clock());
  const now = await readInvoice(database, invoiceId);
  if (now?.state !== 'released') return 'held until the push is proven';
  await letGo(parts, invoiceId);
  return 'let go: its push was proven in the meantime';
}

/** One that was final before Stripe held it is not collected until our hold is undone. */
async function takeFinal(parts: StripeParts, invoiceId: string): Promise<string> {
  const invoice = await fetchInvoice(parts, invoiceId);
  const said = await verifyInvoice(parts, invoice);
  const known = await readInvoice(parts.database, invoiceId);
  if (known !== null) await undoHold(parts, known, invoice);
  return said;
}

async function letGo({ stripe }: StripeParts, invoiceId: string): Promise<void> {
  const advance = () => stripe.invoices.update(invoiceId, { auto_advance: true });
  await askStripe(`releasing invoice ${invoiceId}`, advance);
}

/** A request to hold a draft leaves this machine within so long of being kept, or never. */
const HOLD_LEAVES_WITHIN_MS = 30 * 60 * 1000;
/** After this long no hold request can still be under way at Stripe. */
const HOLD_IS_DONE_AFTER_MS = 60 * 60 * 1000;

/** Stripe allows 25 requests a second of a kind; those in work at once wait for their turn there. */
const PARALLEL_INVOICES = 8;

/**
 * Lets go every held invoice whose usage is proven; null is every month. Others stay as they are, and one
 * that is refused or gone keeps none of the others. One that was released, or became final, while somebody asked Stripe
 * to hold it is looked at until it is known to be let go: whoever asked may have died before it saw that, and Stripe
 * collects no final invoice that is held.
 */
export async function releaseInvoices(
  parts: StripeParts,
  { month }: ReleaseRequest,
): Promise<ReleaseAnswer> {
  const invoices = await readInvoices(parts.database, { month, tenantId: null });
  if (invoices.length > 0) await refuseOtherKey(parts);
  const released = new Map<string, Released>();
  const answers = watchAnswers();
  const each = [...Map.groupBy(invoices, ({ invoiceId }) => invoiceId).values()];
  await inParallel(each, PARALLEL_INVOICES, async (periods) => {
    const invoice = periods.find(({ state }) => state === 'held') ?? periods[0];
    if (invoice === undefined) return;
    const { invoiceId, state, holdAskedAt } = invoice;
    const mayBeHeld = state === 'held' || (MAY_STAY_HELD.has(state) && holdAskedAt !== null);
    if (mayBeHeld) released.set(invoiceId, await releaseOrSay(parts, invoice, answers));
  });
  answers.end();
  await endPauses(parts, invoices, released);
  return invoices.map(({ tenantId, periodStart, invoiceId, state }) => ({
    tenant_id: tenantId,
    period_start: periodStart,
    invoice: invoiceId,
    ...(released.get(invoiceId) ?? { state, detail: null }),
  }));
}

const MAY_STAY_HELD: ReadonlySet<InvoiceRow['state']> = new Set(['released', 'finalized']);

type Released = Pick<ReleasedInvoice, 'state' | 'detail'>;

async function releaseOrSay(
  parts: StripeParts,
  held: InvoiceRow,
  answers: AnswerWatch,
): Promise<Released> {
  try {
    const outcome = await (held.state === 'held' ? release : lookAgain)(parts, held);
    answers.answered();
    return outcome;
  } catch (error) {
    const detail = answers.reasonOf(error);
    if (!isOfOne(error)) return { state: held.state, detail };
    if (!isMissing(error)) return { state: 'refused', detail };
    await saveGone(parts.database, held.invoiceId);
    return { state: 'gone', detail };
  }
}

async function release(parts: StripeParts, held: InvoiceRow): Promise<Released> {
  const { database, clock } = parts;
  const rows = await readPeriodsOfInvoice(database, held.invoiceId);
  const periods: PeriodToRelease[] = [];
  for (const row of rows) periods.push({ target: await findTarget(parts, row) });
  if (!(await areReady(parts, periods))) return { state: 'held', detail: null };
  const invoice = await fetchInvoice(parts, held.invoiceId);
  if (invoice.status !== 'draft') {
    await verifyInvoice(parts, invoice);
    const state = (await readInvoice(database, held.invoiceId))?.state ?? 'finalized';
    return undoHold(parts, { ...held, state }, invoice);
  }
  const kept = describeKeptDraft(invoice);
  if (kept !== null) return keep(parts, held, kept);
  await letGo(parts, held.invoiceId);
  for (const row of rows) await saveReleased(database, row, clock());
  return lookAgain(parts, { ...held, state: 'released' });
}

async function keep(parts: StripeParts, held: InvoiceRow, why: string): Promise<Released> {
  const detail = await raiseInvoiceAlert(parts, held, { kind: 'collection_paused', detail: why });
  return { state: 'paused', detail };
}

/** One that was released may have been held by whoever asked for that before, and looks no more. */
async function lookAgain(parts: StripeParts, released: InvoiceRow): Promise<Released> {
  return undoHold(parts, released, await fetchInvoice(parts, released.invoiceId));
}

/**
 * Lets go of what our own hold may have left held, draft or final, unless its collection is paused. Once no request to
 * hold it can be under way, the hold has ended: whoever holds it afterwards does so on purpose.
 */
async function undoHold(
  parts: StripeParts,
  row: InvoiceRow,
  invoice: Stripe.Invoice,
): Promise<Released> {
  const { database, clock } = parts;
  const { invoiceId, state, holdAskedAt } = row;
  const isUnpaid = invoice.status === 'draft' || invoice.status === 'open';
  if (isUnpaid && invoice.auto_advance !== true) {
    const kept = describeKeptDraft(invoice);
    if (kept !== null) return keep(parts, row, kept);
    await letGo(parts, invoiceId);
  }
  const isDone = holdAskedAt === null || clock() - holdAskedAt >= HOLD_IS_DONE_AFTER_MS;
  if (isDone) await endHold(database, row);
  return { state, detail: null };
}

/**
 * An invoice that was kept while its collection was paused leaves nothing to do once it is let go or final now; nor
 * does one that bills nothing any more, which nobody looks at again.
 */
async function endPauses(
  { database, clock }: StripeParts,
  invoices: readonly InvoiceRow[],
  released: ReadonlyMap<string, Released>,
): Promise<void> {
  const end = async (subjects: readonly string[], resolution: string) => {
    if (subjects.length === 0) return;
    await endAlerts(database, { kind: 'collection_paused', subjects }, { resolution, at: clock() });
  };
  const goesOn = [...released]
    .filter(([, { state }]) => state === 'released' || state === 'finalized')
    .map(([invoiceId]) => invoiceId);
  await end(goesOn, 'its collection goes on, and Stripe may finalize it');
  const over = invoices
    .map(({ invoiceId, state }) => ({ invoiceId, state: released.get(invoiceId)?.state ?? state }))
    .filter(({ state }) => state === 'void' || state === 'gone')
    .map(({ invoiceId }) => invoiceId);
  await end(over, 'it is void or gone, and nothing of it is left to collect');
}

type PeriodToRelease = Pick<InvoicePeriod, 'target'>;

/** One invoice may bill several periods, and becomes final for all of them. */
async function areReady(parts: StripeParts, periods: readonly PeriodToRelease[]): Promise<boolean> {
  for (const { target } of periods) {
    if (!(await isReady(parts, target))) return false;
  }
  return true;
}

/**
 * The period is closed and Stripe's summary holds all of it, or nothing is due; asks Stripe when that is not
 * known yet.
 */
async function isReady(parts: StripeParts, target: PushTarget | null): Promise<boolean> {
  if (target === null) return false;
  if (target.mode === 'shadow') return true;
  const { tenantId, periodStart, billableMicro } = target;
  const intents = await readIntents(parts.database, target);
  if (isProven(billableMicro, intents)) return true;
  if (!intents.some(({ state }) => state === 'confirmed')) return false;
  const month = periodStart.slice(0, 7);
  await comparePeriods(await pushPartsOf(parts), { month, tenant_id: tenantId });
  return isProven(billableMicro, await readIntents(parts.database, target));
}
