import { Refusal } from '../../refusal.ts';
import { csvRow } from '../../text/csv.ts';
import { isBeancountAccount } from './journal-accounts.ts';
import type { JournalAnswer, JournalClose } from './journal-answer.ts';

export const JOURNAL_FORMATS = ['csv', 'beancount'] as const;
export type JournalFormat = (typeof JOURNAL_FORMATS)[number];

/**
 * Renders the journal as a file that accountants read in; the same bytes each time, since closes
 * never change.
 */
export function renderJournal({ closes }: JournalAnswer, format: JournalFormat): string {
  return format === 'csv' ? renderCsv(closes) : renderBeancount(closes);
}

const COLUMNS = [
  'entry',
  'date',
  'tenant_id',
  'period_start',
  'kind',
  'account',
  'debit',
  'credit',
  'currency',
  'description',
  'manifest_hash',
] as const;

const FIGURES: ReadonlySet<string> = new Set(['debit', 'credit']);

/**
 * Renders one row a posting; the rows of one close share its entry, and each entry balances by
 * itself.
 */
function renderCsv(closes: readonly JournalClose[]): string {
  const rows = closes.flatMap((close) =>
    close.postings.map((posting) => {
      const { tenant_id, period_start, date, currency, manifest_hash } = close;
      return csvRow(
        COLUMNS,
        {
          entry: entryName(close),
          date,
          tenant_id,
          period_start,
          currency,
          manifest_hash,
          ...posting,
          description: describeClose(close),
        },
        FIGURES,
      );
    }),
  );
  return [`${COLUMNS.join(',')}\r\n`, ...rows].join('');
}

/** By it a system that books the entry twice can tell. */
function entryName({ manifest_hash, period_start }: JournalClose): string {
  return `${period_start.slice(0, 7)}-${manifest_hash.slice(0, 16)}`;
}

function describeClose({ period_start }: JournalClose): string {
  return `Usage of the period from ${period_start}`;
}

/**
 * Beancount: a plug-in of its own opens the accounts, so that the file can be included in any ledger.
 * An amount on the credit side is negative there.
 */
function renderBeancount(closes: readonly JournalClose[]): string {
  const transactions = closes.map((close) => {
    const head = `${close.date} * ${quoted(close.tenant_id)} ${quoted(describeClose(close))}`;
    const facts = [
      `  entry: ${quoted(entryName(close))}`,
      `  manifest: ${quoted(close.manifest_hash)}`,
    ];
    const postings = close.postings.map(({ account, debit, credit }) => {
      requireBeancount(account);
      const amount = /[1-9]/.test(credit) ? `-${credit}` : debit;
      return `  ${account}  ${amount} ${close.currency}`;
    });
    return [head, ...facts, ...postings, ''].join('\n');
  });
  return ['plugin "beancount.plugins.auto_accounts"\n', ...transactions].join('\n');
}

function quoted(text: string): string {
  const inLine = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ');
  return `"${inLine.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function requireBeancount(account: string): void {
  if (isBeancountAccount(account)) return;
  throw new Refusal(
    'bad_request',
    `beancount does not accept the account "${account}"`,
    'begin it with Assets, Liabilities, Equity, Income or Expenses, each part after a colon with a capital or a digit; or take the journal as CSV',
  );
}
