import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { Refusal } from '../../refusal.ts';
import type { RepeatedRead } from './read-allowance-store.ts';
import { keepFigure, readFigure, takeRead } from './read-allowance-store.ts';

/**
 * Reads a count anew while its allowance lasts, and else answers what was read last, a few hours ago. Whoever decides
 * by a count asks for a new one, which is seldom.
 */
export async function pacedCount(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  of: RepeatedRead,
  { read, mayBeOld }: { readonly read: () => Promise<bigint>; readonly mayBeOld: boolean },
): Promise<bigint> {
  if (!mayBeOld) return read();
  if (!(await takeRead(database, of, clock()))) {
    const known = await readFigure(database, of);
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
