import type { Clock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import type { CountsRequest } from '../../src/reports/counts-answer.ts';
import { reportCounts } from '../../src/reports/report-counts.ts';
import { reportUsage } from '../../src/reports/report-usage.ts';
import type { Dimension } from '../../src/reports/usage-answer.ts';

/** A report that a scenario reads: of the month, or of all of them. */
export type ReportStep =
  | { readonly report_usage: string; readonly by?: readonly Dimension[]; readonly at: string }
  | { readonly report_counts: string; readonly by?: CountsRequest['by']; readonly at?: string };

/** Reads a report; returns its rows and totals. */
export async function readReport(database: Database, clock: Clock, step: ReportStep) {
  if ('report_counts' in step) {
    const of = requestOf(step.report_counts);
    const { rows, totals } = await reportCounts({ database }, { by: step.by ?? [], ...of });
    return { rows, totals };
  }
  const of = { ...requestOf(step.report_usage), as_of: null };
  const { rows, totals } = await reportUsage({ database, clock }, { by: step.by ?? [], ...of });
  return { rows, totals };
}

function requestOf(month: string) {
  return { tenant_id: null, month: month === 'all' ? null : month, from: null, to: null };
}
