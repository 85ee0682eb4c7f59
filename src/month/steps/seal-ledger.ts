import { sealAll } from '../../seals/seal-batches.ts';
import { readLastSeal } from '../../seals/seal-store.ts';
import { counted } from '../../text/counted.ts';
import { done, type MonthParts, type StepOutcome } from '../month-step.ts';

/**
 * Seals what the ledger holds, so that later tampering shows. Says where the chain stands, which is also
 * where it stood when there was nothing to seal.
 */
export async function sealLedger({ database, clock }: MonthParts): Promise<StepOutcome> {
  const { seals, entries } = await sealAll(database, clock);
  const last = await readLastSeal(database.pool);
  const made = `${counted(seals, 'batch', 'batches')} with ${counted(entries, 'entry', 'entries')} sealed`;
  return done(`${made}; the last is seal ${last.number}, ${last.hash.toString('hex')}`);
}
