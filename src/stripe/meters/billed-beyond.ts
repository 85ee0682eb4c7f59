import type { Database } from '../../database/database.ts';
import { settledSum, valueSum } from '../../push/intent.ts';
import { readIntents } from '../../push/intent-store.ts';
import type { PushTarget } from '../../push/push-target.ts';
import { coversBill } from '../../push/settled-amount.ts';
import { readFinalOnMeter } from '../invoices/invoice-store.ts';
import { isBillSettled } from '../invoices/settled-bill.ts';

type Period = Pick<PushTarget, 'tenantId' | 'periodStart' | 'currency'>;

/** What final invoices bill of the meter's count of a period, beyond what is on record as told there. */
interface BilledBeyond {
  readonly invoiceIds: readonly string[];
  readonly billed: bigint;
  /** What is on record as told to the meter. */
  readonly told: bigint;
  /** Whether a person has recorded as settled as much as they bill beyond that, or resolved what is wrong with one. */
  readonly isExplained: boolean;
}

/** Finds what final invoices bill beyond what is on record; null where they bill no more than that. */
export async function findBilledBeyond(
  database: Database,
  period: Period,
): Promise<BilledBeyond | null> {
  const invoices = await readFinalOnMeter(database, period);
  const billed = invoices.reduce((sum, { quantity }) => sum + (quantity ?? 0n), 0n);
  if (billed <= 0n) return null;
  const intents = await readIntents(database, period);
  const told = valueSum(
    intents.filter(({ destination, state }) => destination === 'meter' && state === 'confirmed'),
  );
  if (billed <= told) return null;
  const beyond = { micro: billed - told, currency: period.currency };
  const isRecorded = coversBill(settledSum(intents), beyond);
  const isExplained = isRecorded || (await isBillSettled(database, period));
  return { invoiceIds: invoices.map(({ invoiceId }) => invoiceId), billed, told, isExplained };
}

/** Whether a person has said what it is that the meter counts of a period, and final invoices bill, beyond what is on record. */
export async function isExcusedOnMeter(database: Database, period: Period): Promise<boolean> {
  const beyond = await findBilledBeyond(database, period);
  return beyond?.isExplained ?? isBillSettled(database, period);
}
