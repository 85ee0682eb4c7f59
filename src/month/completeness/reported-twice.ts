import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { readEntries } from '../../ledger/entries/entry-store.ts';
import type { CallReport } from '../../ledger/posting/same-call.ts';
import { compareCalls, reportOfEntry } from '../../ledger/posting/same-call.ts';
import { present } from '../../present.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import type { Scope } from './completeness-store.ts';
import type { AlikeRow } from './twice-store.ts';
import { readAlike } from './twice-store.ts';

/** Two events that report one call, and both stand; what a person would take back comes first. */
export type ReportedTwice = readonly [SentEvent, SentEvent];

interface SentEvent extends AlikeRow {
  readonly report: CallReport;
}

/**
 * Finds calls that two events report and that are charged for both (R8, R24): their tenants differ, or one report of a
 * divided call is not divided. Nobody but a person knows whose the call is. What has no tenant is charged to none.
 */
export function findReportedTwice(
  database: Database,
  scope: Scope,
): Promise<readonly ReportedTwice[]> {
  return inTransaction(database, async (transaction) => {
    const rows = await readAlike(transaction, scope);
    const entries = await readEntries(
      transaction,
      rows.map(({ entry_id: id }) => id),
    );
    const byId = new Map(entries.map((entry) => [entry.entryId, entry]));
    const events = rows
      .filter(({ tenants }) => tenants.some((tenant) => tenant !== UNATTRIBUTED))
      .map((row) => {
        const entry = present(byId.get(row.entry_id), `the entry ${row.entry_id}`);
        return { ...row, report: reportOfEntry(entry) };
      });
    const alike = [...Map.groupBy(events, ({ mark }) => mark).values()];
    const pairs = alike.flatMap(pairsOf).filter((pair) => isOfScope(pair, scope));
    return [...new Map(pairs.map((pair) => [keyOf(pair), pair])).values()];
  });
}

function pairsOf(events: readonly SentEvent[]): readonly ReportedTwice[] {
  return events.flatMap((one, index) =>
    events
      .slice(index + 1)
      .filter((other) => compareCalls(one.report, other.report)?.kind === 'same')
      .map((other): ReportedTwice => (one.is_divided ? [other, one] : [one, other])),
  );
}

function isOfScope(pair: ReportedTwice, { tenantId }: Scope): boolean {
  return (
    pair.some((event) => event.is_in_month) &&
    (tenantId === null || pair.some(({ tenants }) => tenants.includes(tenantId)))
  );
}

/** Two events may share both a response and a call id. */
function keyOf(pair: ReportedTwice): string {
  return pair
    .map(({ entry_id: id }) => id)
    .toSorted()
    .join(' ');
}
