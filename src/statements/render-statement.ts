import { processEnvironment, readConfig } from '../config.ts';
import { harmlessDocument } from '../text/harmless.ts';
import { renderStatementHtml } from './html/statement-html.ts';
import type { StatementAnswer } from './statement-answer.ts';
import { renderStatementCsv } from './statement-csv.ts';
import { renderStatementText } from './statement-text.ts';
import { viewStatement } from './statement-view.ts';

/** The formats of a statement. */
export const STATEMENT_FORMATS = ['text', 'json', 'html', 'pdf', 'csv'] as const;
export type StatementFormat = (typeof STATEMENT_FORMATS)[number];

export interface StatementForm {
  readonly format: StatementFormat;
  /** The issuer that stands on HTML and PDF; null is the one that is set. */
  readonly issuer: string | null;
}

/** A change of anchor day can begin two periods in a month: every format then holds both. */
export async function renderStatement(
  answer: StatementAnswer,
  { format, issuer }: StatementForm,
): Promise<string | Uint8Array> {
  const statements = [answer].flat();
  switch (format) {
    case 'text':
      // Whoever reads it shows it on a terminal, from a file, too.
      return statements.map(harmlessDocument).map(renderStatementText).join('\n');
    case 'json':
      return `${JSON.stringify(answer, null, 2)}\n`;
    case 'csv':
      return renderStatementCsv(statements);
    case 'html':
      return renderStatementHtml(statements.map((statement) => viewStatement(statement, issuer)));
    case 'pdf': {
      // The module is loaded only here: nothing else should wait for it.
      const { renderStatementPdf } = await import('./pdf/statement-pdf.ts');
      const views = statements.map((statement) => viewStatement(statement, issuer));
      return renderStatementPdf(views, readConfig(processEnvironment).SPANLEDGER_FONTS);
    }
  }
}
