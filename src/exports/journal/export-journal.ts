import type { Manifest } from '../../ledger/closes/manifest.ts';
import type { Parts } from '../../parts.ts';
import { readExportedPeriods } from '../exported-periods.ts';
import { accountsOf } from './journal-accounts.ts';
import type { JournalAnswer, JournalRequest } from './journal-answer.ts';
import { entryOfClose } from './journal-entry.ts';

/**
 * Exports one balanced double entry for each closed period of a month, for whoever keeps the books.
 */
export async function exportJournal(
  { database }: Pick<Parts, 'database'>,
  request: JournalRequest,
): Promise<JournalAnswer> {
  const { month, tenant_id: tenantId, ...patterns } = request;
  const accounts = accountsOf(patterns);
  const { closes, skipped } = await readExportedPeriods(database, { month, tenantId });
  const entries = closes.map(({ manifest, manifestHash }) =>
    entryOfClose({ manifest: JSON.parse(manifest) as Manifest, manifestHash }, accounts),
  );
  return { closes: entries, skipped };
}
