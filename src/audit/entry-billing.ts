import type { InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { readCloses } from '../ledger/closes/closed-periods-store.ts';
import { linesOfEntry } from '../ledger/closes/line-of-entry.ts';
import { readLineEntries } from '../ledger/closes/line-store.ts';
import type { Manifest } from '../ledger/closes/manifest.ts';
import type { RuleOfEntry } from '../ledger/entries/rule-store.ts';
import { readRules } from '../ledger/entries/rule-store.ts';
import { periodKey } from '../periods/period-key.ts';
import { loadPriceCatalog } from '../rating/books/price-book-store.ts';
import type { StoryLine } from './story-answer.ts';

/**
 * The billing of entries: the rules by which, and the lines of statements in which, they were
 * billed.
 */
export interface EntryBilling {
  readonly rules: readonly RuleOfEntry[];
  /**
   * The lines are those of closed periods; the exact amounts of an entry's lines sum to its charge.
   */
  readonly lines: readonly StoryLine[];
}

export async function readEntryBilling(
  database: Database,
  of: { readonly entryIds: readonly bigint[]; readonly closedUntil: InstantMs },
): Promise<EntryBilling> {
  return {
    rules: await readRules(database, of.entryIds),
    lines: await readStatementLines(database, of),
  };
}

async function readStatementLines(
  database: Database,
  of: { readonly entryIds: readonly bigint[]; readonly closedUntil: InstantMs },
): Promise<EntryBilling['lines']> {
  const catalog = await loadPriceCatalog(database.kysely);
  const entries = await readLineEntries(database, catalog, of.entryIds);
  const tenants = [...new Set(entries.map(({ tenantId }) => tenantId))];
  const closes = await Promise.all(
    tenants.map((tenantId) => readCloses(database, { month: null, tenantId })),
  );
  const manifests = new Map(
    closes
      .flat()
      .filter((close) => close.closedAt <= of.closedUntil)
      .map((close) => [periodKey(close), close.manifest] as const),
  );
  return entries.flatMap((entry) => {
    const frozen = manifests.get(periodKey(entry));
    if (frozen === undefined) return [];
    const manifest: Manifest = JSON.parse(frozen);
    return linesOfEntry(entry.group, manifest.lines).map((part) => ({
      entry_id: `ent_${entry.entryId}`,
      tenant_id: entry.tenantId,
      period_start: entry.periodStart,
      ...part,
    }));
  });
}
