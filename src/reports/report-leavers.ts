import { formatInstant } from '../clock.ts';
import { foldAll } from '../ledger/rollups/fold-batches.ts';
import { formatPico } from '../money.ts';
import type { Parts } from '../parts.ts';
import type { LeaversAnswer } from './leavers-answer.ts';
import { readLeavers } from './leavers-store.ts';

/** Reports what is owed to customers who left, and by them (R12), in each currency apart. */
export async function reportLeavers({
  database,
  clock,
}: Pick<Parts, 'database' | 'clock'>): Promise<LeaversAnswer> {
  await foldAll(database, clock);
  const leavers = await readLeavers(database, clock());
  return leavers.map(({ tenantId, leftAt, currency, balance, untold }) => {
    const amount = (pico: bigint) => (currency === null ? null : formatPico(pico));
    return {
      tenant_id: tenantId,
      left_at: formatInstant(leftAt),
      currency,
      owed_to: amount(balance < 0n ? -balance : 0n),
      not_closed: amount(balance > 0n ? balance : 0n),
      not_told: amount(untold),
    };
  });
}
