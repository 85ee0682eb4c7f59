import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { Refusal } from '../../refusal.ts';
import type { RepeatedRead } from './read-allowance-store.ts';
import { keepFigure, readFigure, takeRead } from './read-allowance-store.ts';

/**
 * Reads a count anew while its allowance lasts, and else answers what was read last, a few hours ago. Whoever decides
 * by a count asks for a new one, which is seldom; and so does a user who may keep none, such as an auditor.
 */
export async function pacedCount(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  of: RepeatedRead,
  { read, mayBeOld }: { readonly read: () => Promise<bigint>; readonly mayBeOld: boolean },
): Promise<bigint> {
  if (!mayBeOld) return read();
  const at = clock();
  const taken = await takeRead(database, of, at);
  if (taken === null) return read();
  if (!taken) {
    const known = await readFigure(database, of, at);
    if (known !== null) return known;
  }
  try {
    const figure = await read();
    await keepFigure(database, of, figure);
    return figure;
  } catch (error) {
    // What is no figure of ours, or a customer that is gone, is not hidden by an older figure.
    if (error instanceof Refusal && error.kind !== 'unavailable') {
      await keepFigure(database, of, null);
    }
    throw error;
  }
}
