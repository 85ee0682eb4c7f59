import { formatInstant } from '../../clock.ts';
import { exactPico } from '../../money.ts';
import type { Parts } from '../../parts.ts';
import { listLeftOwed } from '../../tenants/left-owed.ts';
import { readSteps } from '../month-run-store.ts';
import { isMonthRun } from '../run-lock-store.ts';
import type { MonthTableAnswer, MonthTableRequest, PeriodSteps } from './month-table-answer.ts';
import { type MonthTableRow, readMonthTable } from './month-table-store.ts';

/** Tells the month by tenant and step: what is behind comes first, and then what comes to most. */
export async function tellMonthTable(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  { month }: MonthTableRequest,
): Promise<MonthTableAnswer> {
  const now = clock();
  const rows = (await readMonthTable(database, month, now)).map(stepsOf);
  const tenants = new Set(rows.map(({ tenant_id: id }) => id));
  const owed = await listLeftOwed({ database, clock });
  const steps = (await readSteps(database, month)).toSorted((a, b) => a.startedAt - b.startedAt);
  return {
    month,
    at: formatInstant(now),
    periods: rows.toSorted((a, b) => behindOf(b) - behindOf(a) || compareCharges(a, b)),
    left_owed: owed.filter(({ tenant_id: id }) => tenants.has(id)),
    is_running: await isMonthRun(database, month),
    steps: steps.map(({ step, state, startedAt, detail }) => ({
      step,
      state,
      detail,
      started_at: formatInstant(startedAt),
    })),
  };
}

function stepsOf(row: MonthTableRow): PeriodSteps {
  const hasTold = row.is_closed && row.intents > 0n;
  return {
    tenant_id: row.tenant_id,
    period_start: row.period_start,
    mode: row.mode,
    charge: row.charge,
    currency: row.currency,
    close: row.is_closed ? 'closed' : row.has_ended ? 'ended' : 'open',
    told: toldOf(row),
    found: hasTold && row.told !== 'not_due' ? row.unproven === 0n && row.unanswered === 0n : null,
    invoice: row.invoice,
    invoices: Number(row.invoices),
    invoice_id: row.invoice_id,
  };
}

function toldOf({ is_closed, told, unanswered, intents }: MonthTableRow): PeriodSteps['told'] {
  if (!is_closed) return 'waits';
  if (told === 'not_due' || told === 'told' || told === 'settled') return told;
  return intents > 0n && unanswered > 0n ? 'unanswered' : 'untold';
}

function behindOf({ close, told, found, invoices }: PeriodSteps): number {
  const isUntold = told === 'untold' || told === 'unanswered';
  return [invoices > 1, isUntold, close === 'ended', found === false].filter(Boolean).length;
}

function compareCharges(a: PeriodSteps, b: PeriodSteps): number {
  const [x, y] = [exactPico(a.charge), exactPico(b.charge)];
  return x === y ? (a.tenant_id < b.tenant_id ? -1 : 1) : x > y ? -1 : 1;
}
