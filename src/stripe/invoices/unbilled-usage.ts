import type { InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { periodKey } from '../../periods/period-key.ts';
import type { Intent } from '../../push/intent.ts';
import { valueSum } from '../../push/intent.ts';
import { readIntentsOf } from '../../push/intent-store.ts';
import type { PushTarget } from '../../push/push-target.ts';
import type { TargetFilter } from '../../push/target-store.ts';
import { readTargets } from '../../push/target-store.ts';
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
  const invoiced = new Set(others.filter(({ state }) => state !== 'void').map(periodKey));
  const lost = new Set(gone.map(periodKey));
  return targets.flatMap((target) => {
    if (invoiced.has(periodKey(target))) return [];
    const intents = all.get(periodKey(target)) ?? [];
    const onMeter = intents.filter(
      ({ destination, state }) => destination === 'meter' && state === 'confirmed',
    );
    const meteredMicro = valueSum(onMeter);
    const toldAt = onMeter.map(({ firstAttemptAt }) => firstAttemptAt ?? target.endsAt);
    // Nobody waits for an invoice that was there and is gone.
    const isLate =
      lost.has(periodKey(target)) ||
      of.now >= Math.max(target.endsAt, ...toldAt) + INVOICE_GRACE_MS;
    return meteredMicro > 0n && isLate ? [{ target, intents, meteredMicro }] : [];
  });
}

function isGone({ state }: InvoiceRow): boolean {
  return state === 'gone';
}
