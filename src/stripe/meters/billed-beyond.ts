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
  const found = await readBeyond(database, period);
  if (found === null) return null;
  const { invoiceIds, billed, told, settled } = found;
  const beyond = { micro: billed - told, currency: period.currency };
  const isExplained = coversBill(settled, beyond) || (await isBillSettled(database, period));
  return { invoiceIds, billed, told, isExplained };
}

/** Finds what final invoices bill beyond what is on record, where only a settlement of this value says that it is this usage. */
export async function findExplainedBy(
  database: Database,
  period: Period,
  valueMicro: bigint,
): Promise<Omit<BilledBeyond, 'isExplained'> | null> {
  const found = await readBeyond(database, period);
  if (found === null) return null;
  const { invoiceIds, billed, told, settled } = found;
  const beyond = { micro: billed - told, currency: period.currency };
  const isByIt = coversBill(settled, beyond) && !coversBill(settled - valueMicro, beyond);
  return isByIt ? { invoiceIds, billed, told } : null;
}

async function readBeyond(database: Database, period: Period) {
  const invoices = await readFinalOnMeter(database, period);
  const billed = invoices.reduce((sum, { quantity }) => sum + (quantity ?? 0n), 0n);
  if (billed <= 0n) return null;
  const intents = await readIntents(database, period);
  const told = valueSum(
    intents.filter(({ destination, state }) => destination === 'meter' && state === 'confirmed'),
  );
  if (billed <= told) return null;
  const invoiceIds = invoices.map(({ invoiceId }) => invoiceId);
  return { invoiceIds, billed, told, settled: settledSum(intents) };
}

/** Whether a person has said what it is that the meter counts of a period, and final invoices bill, beyond what is on record. */
export async function isExcusedOnMeter(database: Database, period: Period): Promise<boolean> {
  const beyond = await findBilledBeyond(database, period);
  return beyond?.isExplained ?? isBillSettled(database, period);
}
