import type { InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { periodKey } from '../../periods/period-key.ts';
import { readSettledSubjects } from '../../push/alert-store.ts';
import type { Intent } from '../../push/intent.ts';
import { valueSum } from '../../push/intent.ts';
import { readIntentsOf } from '../../push/intent-store.ts';
import type { PushTarget } from '../../push/push-target.ts';
import type { TargetFilter } from '../../push/target-store.ts';
import { readTargets } from '../../push/target-store.ts';
import { WRONG_BILL_ALERTS } from '../alerts/stripe-alert.ts';
import type { InvoiceRow } from './invoice-store.ts';
import { readInvoices } from './invoice-store.ts';

/** The time after a period's end, and after it was told, within which an invoice may still be on its way. */
const INVOICE_GRACE_MS = 7 * 24 * 60 * 60 * 1000;

/** A period that the meter counts, and that no invoice of Stripe's bills though its time has come. */
export interface UnbilledPeriod {
  readonly target: PushTarget;
  readonly intents: readonly Intent[];
  /** Micro units that the meter counts. */
  readonly meteredMicro: bigint;
  /** Its invoices were final before it was told, and bill nothing of it; no other one is to come. */
  readonly isFinalWithoutIt: boolean;
}

/** Closed periods that were live, and what was told of each, by `periodKey`. */
export interface ToldPeriods {
  readonly targets: readonly PushTarget[];
  readonly intents: ReadonlyMap<string, readonly Intent[]>;
}

export async function readToldPeriods(database: Database, of: TargetFilter): Promise<ToldPeriods> {
  const targets = (await readTargets(database, of)).filter(({ mode }) => mode === 'live');
  return { targets, intents: await readIntentsOf(database, targets) };
}

/** The periods that were told to the meter and are billed by no invoice that is known, after their grace. */
export async function findUnbilledPeriods(
  database: Database,
  { targets, intents: all }: ToldPeriods,
  of: TargetFilter & { readonly now: InstantMs },
): Promise<readonly UnbilledPeriod[]> {
  const onMeterOf = (await readInvoices(database, of)).filter(
    ({ identifier }) => identifier === null,
  );
  const [gone, others] = [onMeterOf.filter(isGone), onMeterOf.filter((row) => !isGone(row))];
  const known = Map.groupBy(others, periodKey);
  const lost = new Set(gone.map(periodKey));
  const settled = await readSettledSubjects(database, WRONG_BILL_ALERTS);
  return targets.flatMap((target) => {
    const intents = all.get(periodKey(target)) ?? [];
    const onMeter = intents.filter(
      ({ destination, state }) => destination === 'meter' && state === 'confirmed',
    );
    // What one customer is billed is no bill of what another one was told.
    const invoices = (known.get(periodKey(target)) ?? []).filter(({ stripeCustomer }) =>
      onMeter.some(({ customer }) => customer === stripeCustomer),
    );
    // What a person has said of such an invoice holds: it was billed otherwise.
    const isFinalWithoutIt =
      invoices.length > 0 &&
      invoices.every((row) => billsNothing(row) && !settled.has(row.invoiceId));
    if (!isFinalWithoutIt && invoices.some(({ state }) => state !== 'void')) return [];
    const meteredMicro = valueSum(onMeter);
    const toldAt = onMeter.map(({ firstAttemptAt }) => firstAttemptAt ?? target.endsAt);
    // Nobody waits for an invoice that was there and is gone, or is final.
    const isLate =
      isFinalWithoutIt ||
      lost.has(periodKey(target)) ||
      of.now >= Math.max(target.endsAt, ...toldAt) + INVOICE_GRACE_MS;
    return meteredMicro > 0n && isLate ? [{ target, intents, meteredMicro, isFinalWithoutIt }] : [];
  });
}

/** A final invoice never changes: what the meter counts of its period after that is on no invoice. */
export function billsNothing({ state, quantity }: Pick<InvoiceRow, 'state' | 'quantity'>): boolean {
  return state === 'finalized' && quantity === 0n;
}

function isGone({ state }: InvoiceRow): boolean {
  return state === 'gone';
}
