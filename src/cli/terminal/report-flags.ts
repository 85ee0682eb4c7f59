import { type Command, Option } from 'commander';
import { writeCsv } from '../../api/csv.ts';
import { readDay, readMonth } from './arguments.ts';
import { centsOf, moneyText } from './figures.ts';
import type { Session } from './session.ts';

export interface ReportFlags {
  readonly exact?: boolean;
  readonly format: 'text' | 'csv';
}

/** Adds what every report takes: how its amounts are written, and in which form. */
export function addReportFlags(command: Command): Command {
  return command
    .option('--exact', 'amounts to the last digit, not rounded to cents')
    .addOption(
      new Option('--format <format>', 'csv: one line a row, with every digit')
        .choices(['text', 'csv'])
        .default('text'),
    );
}

export interface ScopeFlags extends ReportFlags {
  readonly tenant?: string;
  readonly month?: string;
  readonly from?: string;
  readonly to?: string;
}

/** Adds what a report can be about: a tenant, and periods or days. */
export function addScopeFlags(command: Command): Command {
  return command
    .option('--tenant <tenant>', 'only this one')
    .option('--month <month>', 'the periods that begin in it, as statements have them', readMonth)
    .option('--from <day>', 'from this UTC day on, YYYY-MM-DD', readDay)
    .option('--to <day>', 'before this UTC day', readDay);
}

/** Says what a report is about as a request has it. */
export function scopeOf({ tenant, month, from, to }: ScopeFlags) {
  return {
    tenant_id: tenant ?? null,
    month: month ?? null,
    from: from ?? null,
    to: to ?? null,
  };
}

/** Writes an amount in a currency. */
export type Money = (amount: string, currency: string) => string;

export function moneyOf({ exact }: ReportFlags): Money {
  return exact === true ? moneyText : centsOf;
}

/** Gives a report: its document, its rows for a spreadsheet, or its text. */
export function giveReport<Answer>(
  session: Session,
  answer: Answer,
  of: {
    readonly flags: ReportFlags;
    readonly rows: readonly object[];
    readonly text: (answer: Answer) => string;
  },
): void {
  const { out } = session;
  if (of.flags.format === 'csv') out.give(answer, writeCsv(of.rows.map((row) => ({ ...row }))));
  else out.answer(answer, of.text(answer));
}
