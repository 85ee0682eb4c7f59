import { formatPico } from '../../money.ts';
import type { Parts } from '../../parts.ts';
import { readNotClosed, type Scope } from './completeness-store.ts';
import { type MissingFound, money, thing } from './missing-found.ts';

/**
 * Names what is due in periods of earlier months that have ended and are not closed: of one who left, no later period
 * makes anybody close them once usage has come late.
 */
export async function nameNotClosed(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  scope: Scope,
): Promise<readonly MissingFound[]> {
  const rows = await readNotClosed(database, scope, clock());
  return rows.map((row) => ({
    about: row.currency,
    names: [],
    thing: {
      ...thing('not_closed', row.tenant_id, row.period_start),
      count: 1,
      amount: formatPico(row.charge),
      currency: row.currency,
      detail: `${money(row.charge, row.currency)} of a period that has ended are on no bill, since it is not closed`,
    },
  }));
}
