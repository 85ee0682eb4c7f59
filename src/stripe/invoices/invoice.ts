import type Stripe from 'stripe';
import { inParallel } from '../../in-parallel.ts';
import { formatMinor } from '../../money.ts';
import { endAlerts, raiseAlert } from '../../push/alert-store.ts';
import type { AnswerWatch } from '../../push/answer-watch.ts';
import { watchAnswers } from '../../push/answer-watch.ts';
import { comparePeriods } from '../../push/compare-periods.ts';
import { isOfOne } from '../../push/destination.ts';
import { isProven } from '../../push/intent.ts';
import { readIntents, readIntentsByIdentifier } from '../../push/intent-store.ts';
import type { PushTarget } from '../../push/push-target.ts';
import { readTargets } from '../../push/target-store.ts';
import { readTenant } from '../../tenants/tenant-store.ts';
import type { StripeAlert } from '../alerts/stripe-alert.ts';
import { readTenantOfCustomer } from '../customers/customer-store.ts';
import { describeKeptDraft } from '../customers/paused-collection.ts';
import { pushPartsOf } from '../destinations.ts';
import { INTENT_KEY } from '../items/read-items.ts';
import { itemAmount } from '../items/tell-item.ts';
import { readMeters, refuseOtherKey } from '../meters/meter-store.ts';
import { sendOnce } from '../send-once.ts';
import { askStripe, isMissing } from '../stripe-client.ts';
import type { StripeParts } from '../stripe-parts.ts';
import type { BilledUsage } from './billed-period.ts';
import { periodBilledBy, readBilledUsage } from './billed-period.ts';
import type { InvoiceRow } from './invoice-store.ts';
import {
  endHold,
  readInvoice,
  readInvoices,
  saveFinalized,
  saveGone,
  saveHeld,
  saveHoldAnswered,
  saveReleased,
} from './invoice-store.ts';
import type { MeterBill } from './meter-bill.ts';
import { billedOnMeter, dueOnMeter } from './meter-bill.ts';
import type { ReleaseAnswer, ReleasedInvoice, ReleaseRequest } from './release-answer.ts';

/** An invoice of Stripe's, and the tenant's period that it bills. */
interface OwnInvoice {
  readonly invoiceId: string;
  readonly tenantId: string;
  readonly periodStart: string;
  readonly stripeCustomer: string;
  readonly billed: BilledUsage;
  /** The closed period; null while it is open. */
  readonly target: PushTarget | null;
  /** The close froze the mode; of a period that is not closed yet the mode of today decides. */
  readonly mode: 'shadow' | 'live';
}

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
  if (own.mode === 'shadow') return NOT_DUE;
  if (describeKeptDraft(invoice) === null && (await isReady(parts, own.target))) {
    // One that was held before, by whoever told of it first, is still held at Stripe.
    if (known === null) await saveReleased(database, own, clock());
    else await release(parts, known);
    return 'let go: its usage is proven to be there';
  }
  // The hold is kept first: a release must know of every draft that may be held.
  const askedAt = clock();
  await saveHeld(database, own, askedAt);
  const until = askedAt + HOLD_LEAVES_WITHIN_MS;
  const hold = () => stripe.invoices.update(invoiceId, { auto_advance: false });
  await askStripe(`holding invoice ${invoiceId}`, () => sendOnce({ until, clock }, hold));
  await saveHoldAnswered(database, invoiceId, clock());
  const now = await readInvoice(database, invoiceId);
  if (now?.state !== 'released') return 'held until the push is proven';
  await letGo(parts, invoiceId);
  return 'let go: its push was proven in the meantime';
}

async function letGo({ stripe }: StripeParts, invoiceId: string): Promise<void> {
  const advance = () => stripe.invoices.update(invoiceId, { auto_advance: true });
  await askStripe(`releasing invoice ${invoiceId}`, advance);
}

/** A request to hold a draft leaves this machine within so long of being kept, or never. */
const HOLD_LEAVES_WITHIN_MS = 30 * 60 * 1000;
/** Whatever became of it, Stripe has done it by then. */
const HOLD_IS_DONE_AFTER_MS = 60 * 60 * 1000;

/** Stripe allows 25 requests a second of a kind; those in work at once wait for their turn there. */
const PARALLEL_INVOICES = 8;

/**
 * Lets go every held invoice whose usage is proven; null is every month. Others stay as they are, and one
 * that is refused or gone keeps none of the others. One that was released while somebody asked Stripe to hold it is
 * looked at until it is known to be let go: whoever asked may have died before it saw the release.
 */
export async function releaseInvoices(
  parts: StripeParts,
  { month }: ReleaseRequest,
): Promise<ReleaseAnswer> {
  const invoices = await readInvoices(parts.database, { month, tenantId: null });
  if (invoices.length > 0) await refuseOtherKey(parts);
  const released = new Map<string, Released>();
  const answers = watchAnswers();
  await inParallel(invoices, PARALLEL_INVOICES, async (invoice) => {
    const { invoiceId, state, holdAskedAt } = invoice;
    const mayBeHeld = state === 'held' || (state === 'released' && holdAskedAt !== null);
    if (mayBeHeld) released.set(invoiceId, await releaseOrSay(parts, invoice, answers));
  });
  answers.end();
  await endPauses(parts, released);
  return invoices.map(({ tenantId, periodStart, invoiceId, state }) => ({
    tenant_id: tenantId,
    period_start: periodStart,
    invoice: invoiceId,
    ...(released.get(invoiceId) ?? { state, detail: null }),
  }));
}

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
  if (!(await isReady(parts, await findTarget(parts, held))))
    return { state: 'held', detail: null };
  const invoice = await fetchInvoice(parts, held.invoiceId);
  if (invoice.status !== 'draft') {
    await verifyInvoice(parts, invoice);
    const state = (await readInvoice(database, held.invoiceId))?.state ?? 'finalized';
    return { state, detail: null };
  }
  const kept = describeKeptDraft(invoice);
  if (kept !== null) {
    const detail = await alert(parts, held, { kind: 'collection_paused', detail: kept });
    return { state: 'paused', detail };
  }
  await letGo(parts, held.invoiceId);
  await saveReleased(database, held, clock());
  return lookAgain(parts, held);
}

/** One that was released may have been held by whoever asked for that before, and looks no more. */
async function lookAgain(parts: StripeParts, released: InvoiceRow): Promise<Released> {
  const { database, clock } = parts;
  const { invoiceId, holdAskedAt } = released;
  const isDone = holdAskedAt === null || clock() - holdAskedAt >= HOLD_IS_DONE_AFTER_MS;
  const invoice = await fetchInvoice(parts, invoiceId);
  const isHeld = invoice.status === 'draft' && invoice.auto_advance !== true;
  if (isHeld && describeKeptDraft(invoice) === null) await letGo(parts, invoiceId);
  if (isDone) await endHold(database, released);
  return { state: 'released', detail: null };
}

/** A draft that was kept while its collection was paused, and is let go or final now, leaves nothing to do. */
async function endPauses(
  { database, clock }: StripeParts,
  released: ReadonlyMap<string, Released>,
): Promise<void> {
  const subjects = [...released]
    .filter(([, { state }]) => state === 'released' || state === 'finalized')
    .map(([invoiceId]) => invoiceId);
  if (subjects.length === 0) return;
  const resolution = 'its collection goes on, and Stripe may finalize it';
  await endAlerts(database, { kind: 'collection_paused', subjects }, { resolution, at: clock() });
}

/** Compares the released invoices of a month that have become final since; answers those that have not. */
export async function verifyReleased(parts: StripeParts, month: string): Promise<number> {
  const invoices = await readInvoices(parts.database, { month, tenantId: null });
  const released = invoices.filter(({ state }) => state === 'released');
  if (released.length > 0) await refuseOtherKey(parts);
  let left = 0;
  const answers = watchAnswers();
  await inParallel(released, PARALLEL_INVOICES, async ({ invoiceId }) => {
    try {
      const invoice = await fetchInvoice(parts, invoiceId);
      if (invoice.status === 'draft') left += 1;
      else await verifyInvoice(parts, invoice);
      answers.answered();
    } catch (error) {
      answers.reasonOf(error);
      if (isMissing(error)) await saveGone(parts.database, invoiceId);
      // It stays among those that a later run compares.
      else left += 1;
    }
  });
  answers.end();
  return left;
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

const NOT_DUE = 'ignored: nothing of its period is due, since a month in shadow is never billed';

async function findTarget(
  parts: StripeParts,
  of: Pick<OwnInvoice, 'tenantId' | 'periodStart'>,
): Promise<PushTarget | null> {
  const targets = await readTargets(parts.database, { month: null, tenantId: of.tenantId });
  return targets.find((target) => target.periodStart === of.periodStart) ?? null;
}

/**
 * Compares a final invoice with the period's manifest, to the unit and to the cent, and keeps its id.
 * A difference is an alert: nothing on the meter changes a final invoice any more.
 */
export async function verifyInvoice(parts: StripeParts, invoice: Stripe.Invoice): Promise<string> {
  const { database, clock } = parts;
  const identifier = invoice.metadata?.[INTENT_KEY];
  if (identifier !== undefined) return verifyItemInvoice(parts, invoice, identifier);
  const own = await findOwn(parts, invoice);
  if (typeof own === 'string') return own;
  const { billed, target } = own;
  const state = invoice.status === 'void' ? 'void' : 'finalized';
  const hostedUrl = invoice.hosted_invoice_url ?? null;
  const { amount } = billed;
  const figures = { state, quantity: billed.quantity ?? -1n, amount, hostedUrl } as const;
  if (own.mode === 'shadow') {
    // A draft that was held before its period was closed in shadow, and let go since, is final now.
    const isKnown = (await readInvoice(database, own.invoiceId)) !== null;
    if (isKnown) await saveFinalized(database, { ...own, ...figures }, clock());
    if (billed.quantity === 0n || invoice.status === 'void') return NOT_DUE;
    const detail = `it bills ${billed.quantity ?? 'a fraction of'} micro, and its period was in shadow, of which nothing is due`;
    return alert(parts, own, { kind: 'invoice_differs', detail });
  }
  await saveFinalized(database, { ...own, ...figures }, clock());
  if (target === null) {
    const detail = `it is ${invoice.status} and the period is not closed; what is told of the period from now on is billed by an invoice item`;
    return alert(parts, own, { kind: 'invoice_final_too_early', detail });
  }
  const due = await dueOnMeter(parts, target);
  const all = await billedOnMeter(parts, own);
  const unsure = await unsureOf(parts, own, { invoice, ...all, due });
  if (unsure !== null) return unsure;
  if (all.quantity === due.quantity && all.amount === due.amount) return 'equals the statement';
  const { currency } = target;
  const together =
    all.count > 1 ? `with ${all.count - 1} more of this period it bills` : 'it bills';
  const quantity = billed.quantity === null ? 'no whole number of' : all.quantity;
  const detail = `${together} ${quantity} micro and ${formatMinor(all.amount, currency)} ${currency}, the statement says ${due.quantity} micro and ${formatMinor(due.amount, currency)}`;
  return alert(parts, own, { kind: 'invoice_differs', detail });
}

/** What was billed and taken back by a person is a matter for a person; null where nothing was. */
async function unsureOf(
  parts: StripeParts,
  own: OwnInvoice,
  of: { readonly invoice: Stripe.Invoice; readonly quantity: bigint; readonly due: MeterBill },
): Promise<string | null> {
  const { invoice, quantity, due } = of;
  if (invoice.status === 'void' && quantity < due.quantity) {
    const detail = 'it is void, and no other final invoice bills this usage';
    return alert(parts, own, { kind: 'invoice_void', detail });
  }
  return alertCredited(parts, own, invoice);
}

/** Returns what of a final invoice was credited, in minor units. */
export function creditedOf(
  invoice: Pick<
    Stripe.Invoice,
    'pre_payment_credit_notes_amount' | 'post_payment_credit_notes_amount'
  >,
): number {
  return invoice.pre_payment_credit_notes_amount + invoice.post_payment_credit_notes_amount;
}

async function alertCredited(
  parts: StripeParts,
  own: Parameters<typeof alert>[1],
  invoice: Stripe.Invoice,
): Promise<string | null> {
  const credited = creditedOf(invoice);
  if (invoice.status === 'void' || credited <= 0) return null;
  const currency = invoice.currency.toUpperCase();
  const detail = `${formatMinor(BigInt(credited), currency)} ${currency} of it was credited, which the statement does not say`;
  return alert(parts, own, { kind: 'invoice_credited', detail });
}

/** An invoice that was made for one intent bills what that says, and is never held. */
async function verifyItemInvoice(
  parts: StripeParts,
  invoice: Stripe.Invoice,
  identifier: string,
): Promise<string> {
  const { database, clock } = parts;
  const [intent] = await readIntentsByIdentifier(database, [identifier]);
  if (intent === undefined) return 'ignored: made for an intent of another ledger';
  const { tenantId, periodStart, customer: stripeCustomer, valueMicro } = intent;
  const own = { invoiceId: invoice.id ?? '', tenantId, periodStart, stripeCustomer, identifier };
  if (invoice.status === 'draft') return 'ours: it bills one intent, and is not held';
  const amount = BigInt(invoice.subtotal);
  const due = itemAmount(valueMicro, invoice.currency.toUpperCase());
  const isRight = amount === due && invoice.status !== 'void';
  const state = invoice.status === 'void' ? 'void' : 'finalized';
  const hostedUrl = invoice.hosted_invoice_url ?? null;
  const figures = { state, quantity: isRight ? valueMicro : 0n, amount, hostedUrl } as const;
  await saveFinalized(database, { ...own, ...figures }, clock());
  if (isRight) return (await alertCredited(parts, own, invoice)) ?? 'equals its intent';
  const detail = `it is ${invoice.status} with ${amount} minor units and intent ${identifier} says ${due}`;
  return alert(parts, own, { kind: 'invoice_differs', detail });
}

async function alert(
  parts: StripeParts,
  own: Pick<OwnInvoice, 'invoiceId' | 'tenantId' | 'periodStart'>,
  what: Pick<StripeAlert, 'kind' | 'detail'>,
): Promise<string> {
  const { tenantId, periodStart, invoiceId } = own;
  parts.log.error({ invoice: invoiceId, tenantId, periodStart, ...what }, 'invoice is not right');
  const given = { ...what, subject: invoiceId, tenantId, periodStart };
  await raiseAlert(parts.database, given, parts.clock());
  return what.detail;
}

/** Fetches an invoice anew with its subscription, since an event shows an invoice as it was. */
export function fetchInvoice(parts: StripeParts, invoiceId: string): Promise<Stripe.Invoice> {
  const expand = ['parent.subscription_details.subscription'];
  return askStripe(`invoice ${invoiceId}`, () =>
    parts.stripe.invoices.retrieve(invoiceId, { expand }),
  );
}

/** Finds the tenant and the period of an invoice, or says why it is no matter of ours. */
async function findOwn(parts: StripeParts, invoice: Stripe.Invoice): Promise<OwnInvoice | string> {
  const { database, stripe, livemode } = parts;
  const customer = invoice.customer;
  const stripeCustomer = typeof customer === 'string' ? customer : (customer?.id ?? '');
  const tenant = await readTenantOfCustomer(database, stripeCustomer);
  if (tenant === null) return 'ignored: no tenant has this customer';
  const meters = await readMeters(database, livemode);
  const billed = await readBilledUsage(stripe, invoice, meters);
  if (billed === null) return 'ignored: no line on our price';
  const whole = await readTenant(database.kysely, tenant.tenantId);
  const { mode } = whole;
  const period = periodBilledBy(whole, billed);
  const invoiceId = invoice.id ?? '';
  // The first invoice of a subscription may stand over the coming period, and bill nothing.
  const isBefore = period !== null && invoice.created * 1000 < period.endsAt;
  if (isBefore && billed.quantity === 0n && invoice.billing_reason !== 'subscription_cycle') {
    return 'ignored: it bills nothing of a period that has not ended';
  }
  if (period !== null) {
    const of = { tenantId: tenant.tenantId, periodStart: period.startDate };
    const target = await findTarget(parts, of);
    return { ...of, invoiceId, stripeCustomer, billed, target, mode: target?.mode ?? mode };
  }
  const detail = `its billing period holds no end of a period of tenant "${tenant.tenantId}"`;
  if (billed.quantity !== 0n) {
    const whose = { tenantId: tenant.tenantId, periodStart: null };
    const given = { kind: 'invoice_without_period', subject: invoiceId, ...whose, detail } as const;
    await raiseAlert(database, given, parts.clock());
  }
  return detail;
}
