import type { Parts } from '../parts.ts';
import { readLedgerName } from '../push/ledger-name-store.ts';
import type { SettleAnswer, SettleRequest } from '../push/settle-answer.ts';
import { settlePeriod } from '../push/settle-period.ts';
import type { TakeBackParts } from '../push/take-back.ts';
import { planTakeBack } from '../push/take-back.ts';
import { findMeterObjection } from './meters/meter-destination.ts';

/**
 * Records what a person billed elsewhere. Where the meter was told of it and no final invoice bills it, that is
 * taken back by the next push; Stripe is not asked here.
 */
export async function settleMonth(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: SettleRequest,
): Promise<SettleAnswer> {
  const parts: TakeBackParts = {
    ledgerName: await readLedgerName(database),
    objectTo: async (kind, told) =>
      kind === 'meter'
        ? findMeterObjection({ database, clock }, told)
        : 'an invoice item was made for it, which bills it',
  };
  return settlePeriod(
    { database, clock, planTakeBack: (target, intents) => planTakeBack(parts, target, intents) },
    request,
  );
}
