import type { Transaction } from '../../database/database.ts';
import { KnownReports } from './known-reports.ts';
import { readOtherReports } from './other-reports-store.ts';
import type { ReceivedEvent } from './received-event.ts';
import type { CallReport } from './same-call.ts';
import { reportOfEntry, reportsOf } from './same-call.ts';

/** Reads what the ledger has beside those of the reports that are due, to judge all of them by it. */
export async function readKnownReports(
  transaction: Transaction,
  reports: readonly CallReport[],
  due: readonly CallReport[],
): Promise<KnownReports> {
  const entries = await readOtherReports(transaction, due);
  const held = entries.map(reportOfEntry);
  const known = new KnownReports([...reports, ...held]);
  for (const report of held) known.add(report);
  return known;
}

/** Finds the report of another event that has an event's response with other counts (R8); null where there is none. */
export async function findConflict(
  transaction: Transaction,
  { event, digest }: ReceivedEvent,
): Promise<CallReport | null> {
  const reports = reportsOf(event, digest);
  const known = await readKnownReports(transaction, reports, reports);
  for (const report of reports) {
    const verdict = known.judge(report);
    if (verdict.kind === 'conflict') return verdict.with;
  }
  return null;
}
