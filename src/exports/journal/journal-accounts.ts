import { hash } from 'node:crypto';
import { Refusal } from '../../refusal.ts';

/** The kinds of postings: what the customer owes, and where that comes from. */
export const JOURNAL_SIDES = ['receivable', 'income', 'shared', 'adjustments', 'carried'] as const;
type JournalSide = (typeof JOURNAL_SIDES)[number];

/** The patterns of the accounts, by kind of posting. */
export type JournalAccounts = Readonly<Record<JournalSide, string>>;

/**
 * The usual accounts. What is carried on is a liability of its tenant: below zero it is owed to the
 * customer, and a remainder above zero waits for the next bill.
 */
const USUAL_ACCOUNTS: JournalAccounts = {
  receivable: 'Assets:Receivable:{tenant}',
  income: 'Income:Usage:{model}',
  shared: 'Income:Shared:{model}',
  adjustments: 'Income:Adjustments',
  carried: 'Liabilities:Carried:{tenant}',
};

/**
 * Lays the given patterns over the usual ones. Throws a `Refusal` at one that names what no posting
 * has.
 */
export function accountsOf(given: Readonly<Record<JournalSide, string | null>>): JournalAccounts {
  const named = JOURNAL_SIDES.map((side) => {
    const pattern = given[side] ?? USUAL_ACCOUNTS[side];
    const unknown = [...pattern.matchAll(/\{([^}]*)\}/g)]
      .map(([, name = '']) => name)
      .find((name) => !['tenant', 'model', 'currency'].includes(name));
    if (unknown === undefined) return [side, pattern] as const;
    throw new Refusal(
      'bad_request',
      `the account "${pattern}" has {${unknown}}, which no posting has`,
      'use {tenant}, {model} and {currency}, or name an account as it is',
    );
  });
  return Object.fromEntries(named) as unknown as JournalAccounts;
}

/** What a posting's account is named by. */
export interface PostingNames {
  readonly tenant: string;
  readonly model: string;
  readonly currency: string;
}

/**
 * Returns the account of a posting. Names of tenants and models are written as one part of an
 * account's name, so that no tenant's name reaches into the chart of accounts.
 */
export function accountOf(pattern: string, names: PostingNames): string {
  return pattern.replaceAll(/\{(tenant|model|currency)\}/g, (_, name: keyof PostingNames) =>
    accountPart(names[name]),
  );
}

/**
 * Writes a name as one part of an account as beancount takes it: a capital or a digit, then
 * letters, digits and dashes. A point between others is two dashes. Whatever else would be lost is told apart by
 * the digest of the name, since two customers must never share an account.
 */
export function accountPart(name: string): string {
  if (/^[a-z0-9](?:[A-Za-z0-9]|[.-](?![.-]))*$/.test(name))
    return capital(name.replaceAll('.', '--'));
  const plain = name.replaceAll(/[^A-Za-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '');
  const digest = hash('sha256', name).slice(0, 8);
  return plain === '' ? `X-${digest}` : `${capital(plain.slice(0, 60))}-${digest}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Tells whether beancount takes it for the name of an account. */
export function isBeancountAccount(account: string): boolean {
  return /^(?:Assets|Liabilities|Equity|Income|Expenses)(?::[A-Z0-9][A-Za-z0-9-]*)+$/.test(account);
}
