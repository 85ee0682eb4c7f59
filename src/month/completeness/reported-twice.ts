import type { Database } from '../../database/database.ts';
import { inTransaction, type Transaction } from '../../database/database.ts';
import { readEntries } from '../../ledger/entries/entry-store.ts';
import { nameOneModel } from '../../ledger/posting/finer-report.ts';
import type { CallReport } from '../../ledger/posting/same-call.ts';
import {
  compareCalls,
  isLikeEnclosed,
  isLikeNested,
  isSumOf,
  isWithin,
  reportOfEntry,
} from '../../ledger/posting/same-call.ts';
import { present } from '../../present.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import type { Scope } from './completeness-store.ts';
import type { AlikeRow, NestedRow } from './twice-store.ts';
import { readAlike, readNestedEvents } from './twice-store.ts';

/**
 * Two events that report one call, and both stand; what a person would take back comes first. Of more than two the first
 * reports once more what all others report together.
 */
export type ReportedTwice = readonly [SentEvent, SentEvent, ...SentEvent[]];

interface SentEvent extends AlikeRow {
  readonly report: CallReport;
}

/**
 * Finds calls that two events report and that are charged for both (R8, R24): their tenants differ, or one report of a
 * divided call is not divided, or of two nested spans of one model one counts what the other lacks, or one counts what
 * several within it count together. Nobody but a person knows whose the call is, and whether it is one. What has no
 * tenant is charged to none.
 */
export function findReportedTwice(
  database: Database,
  scope: Scope,
): Promise<readonly ReportedTwice[]> {
  return inTransaction(database, async (transaction) => {
    const alike = await readSent(transaction, await readAlike(transaction, scope));
    const nested = await readSent(transaction, await readNestedEvents(transaction, scope));
    const pairs = [...byMark(alike).flatMap(pairsOf), ...byMark(nested).flatMap(nestedPairsOf)];
    return [
      ...new Map(
        pairs.filter((pair) => isOfScope(pair, scope)).map((pair) => [keyOf(pair), pair]),
      ).values(),
    ];
  });
}

async function readSent<Row extends AlikeRow>(
  transaction: Transaction,
  rows: readonly Row[],
): Promise<readonly (Row & SentEvent)[]> {
  const entries = await readEntries(
    transaction,
    rows.map(({ entry_id: id }) => id),
  );
  const byId = new Map(entries.map((entry) => [entry.entryId, entry]));
  return rows
    .filter(({ tenants }) => tenants.some((tenant) => tenant !== UNATTRIBUTED))
    .map((row) => {
      const entry = present(byId.get(row.entry_id), `the entry ${row.entry_id}`);
      return { ...row, report: reportOfEntry(entry) };
    });
}

function byMark<Event extends SentEvent>(events: readonly Event[]): readonly (readonly Event[])[] {
  return [...Map.groupBy(events, ({ mark }) => mark).values()];
}

function nestedPairsOf(events: readonly (NestedRow & SentEvent)[]): readonly ReportedTwice[] {
  const [outer, inner] = [true, false].map((isOuter) =>
    events.filter((event) => event.is_outer === isOuter),
  );
  return (outer ?? []).flatMap((one) => [
    ...(inner ?? [])
      .filter(({ report }) => nameOneModel(one.report, report) && areAlike(one.report, report))
      .map((other): ReportedTwice => [one, other]),
    ...sumOf(one, inner ?? []),
  ]);
}

function areAlike(outer: CallReport, inner: CallReport): boolean {
  return isLikeNested(outer, inner) || isLikeEnclosed(outer, inner);
}

/** A span that names its answer is taken back by nobody for what it sums up. */
function sumOf(outer: SentEvent, events: readonly SentEvent[]): readonly ReportedTwice[] {
  const within = events.filter(({ report }) => isWithin(report, outer.report));
  const reports = within.map(({ report }) => report);
  const [first, ...others] = within;
  return first !== undefined && isSumOf(outer.report, reports) ? [[outer, first, ...others]] : [];
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
