import { counted } from '../../text/counted.ts';
import type { StatementDocument } from '../statement-answer.ts';
import {
  formatLocalDay,
  formatLocalInstant,
  formatMoney,
  formatQuantity,
} from '../statement-format.ts';
import { versionNames } from './version-names.ts';

/** The amount to be paid, and the note beside it. */
export interface Due {
  readonly label: string;
  readonly amount: string;
  readonly note: string | null;
}

/** One of the columns beside the total: the first line says it, the others explain. */
export interface Fact {
  readonly label: string;
  readonly lines: readonly string[];
}

/** What the period would come to at its pace. */
export interface Projected {
  readonly label: string;
  readonly amount: string;
  readonly method: string;
}

interface Basis {
  /** What the statement rests on, with its instant. */
  readonly basis: string;
  /** The instant of the close, or that of a preview. */
  readonly datedAt: string;
}

/** A party at the head: who sends the statement, or whom it is for. */
export interface Party {
  readonly name: string;
  readonly lines: readonly string[];
}

/** Returns the issuer; a name given for this statement replaces its own. */
export function issuerOf({ issuer }: StatementDocument, name: string | null): Party {
  return { name: name ?? issuer.name, lines: issuer.address?.split('\n') ?? [] };
}

/** A customer without a name is called by its id. */
export function customerOf({ customer, tenant_id: tenantId }: StatementDocument): Party {
  const lines = [
    ...(customer.address?.split('\n') ?? []),
    ...(customer.contact === null ? [] : [customer.contact]),
    ...(customer.name === null ? [] : [`Customer ${tenantId}`]),
  ];
  return { name: customer.name ?? tenantId, lines };
}

/** Text that leads somewhere. */
export interface Link {
  readonly text: string;
  /** It is null where nothing is known to lead to. */
  readonly to: string | null;
}

/** Returns where a customer asks. */
export function supportOf({ issuer }: StatementDocument): readonly Link[] {
  const { support_url: url, support_email: email } = issuer;
  return [
    ...(url === null ? [] : [{ text: url.replace(/^https:\/\//, '').replace(/\/$/, ''), to: url }]),
    ...(email === null ? [] : [{ text: email, to: `mailto:${email}` }]),
  ];
}

/** Returns what bills the period; an invoice that was voided bills nothing. */
export function invoicesOf({ invoices }: StatementDocument): readonly Link[] {
  return invoices
    .filter(({ state }) => state !== 'void')
    .map(({ id, state, url }) => ({
      text: `Stripe invoice ${id}${state === 'draft' ? ' (draft)' : ''}`,
      to: url?.startsWith('https://') === true ? url : null,
    }));
}

/** Returns what kind of paper it is. */
export function kindOf({ preview }: StatementDocument): string {
  return preview === null ? 'Usage statement' : 'Preview of a usage statement';
}

/** Returns what marks every form of a preview, whatever page of it is in a hand. */
export function markOf({
  preview,
  period,
}: Pick<StatementDocument, 'preview' | 'period'>): string | null {
  if (preview === null) return null;
  return `Preview, not final: as of ${formatLocalInstant(preview.as_of, period.time_zone)}`;
}

export function projectionOf({ preview, currency }: StatementDocument): Projected | null {
  if (preview === null || preview.projection === null) return null;
  const { total, method } = preview.projection;
  return { label: 'Projected total', amount: formatMoney(total, currency), method };
}

export function basisOf(document: StatementDocument): Basis {
  const { manifest_hash: hash, closed_at: closedAt, preview } = document;
  if (hash === null || closedAt === null) {
    const asOf = preview?.as_of ?? document.period.starts_at;
    const at = formatLocalInstant(asOf, document.period.time_zone);
    return { basis: `No close stands behind it: the ledger as of ${at}`, datedAt: asOf };
  }
  const closed = formatLocalInstant(closedAt, document.period.time_zone);
  return { basis: `Manifest sha256:${hash}, closed ${closed}`, datedAt: closedAt };
}

/** A period in shadow is metered, and nobody must take its total for a demand; nor that of an open one. */
export function stateDue({ mode, due, total, currency, preview }: StatementDocument): Due {
  if (preview !== null) {
    const note = mode === 'live' ? 'Nothing is due yet' : 'In shadow mode: nothing will be due';
    return { label: 'So far', amount: formatMoney(total, currency), note };
  }
  const amount = formatMoney(due, currency);
  if (mode === 'live') return { label: 'Total due', amount, note: null };
  const metered = formatMoney(total, currency);
  return { label: 'Nothing is due', amount, note: `${metered} metered, in shadow mode` };
}

export function factsOf(document: StatementDocument): readonly Fact[] {
  const { usage, price_books: books } = document;
  const count = (calls: number) => calls.toLocaleString('en-US');
  const names = versionNames(books);
  const prices = books.flatMap(({ book, version }, place) => [
    book,
    version.startsWith('-') ? 'since ever' : `version ${names[place]}`,
  ]);
  return [
    {
      label: 'Usage',
      lines: [
        counted(usage.calls, 'call'),
        ...tokensOf(usage.tokens.input, 'input tokens'),
        ...tokensOf(usage.tokens.output, 'output tokens'),
        ...(usage.failed > 0 ? [`${count(usage.failed)} failed, not charged`] : []),
        ...(usage.cancelled > 0 ? [`${count(usage.cancelled)} cancelled, not charged`] : []),
        ...(usage.cached > 0 ? [`${count(usage.cached)} answered from a cache`] : []),
      ],
    },
    { label: 'Price book', lines: prices.length > 0 ? prices : ['none used'] },
    issuedOf(document),
  ];
}

/** Corrections can take more tokens back than were used; the lines say which, and nobody used less than none. */
function tokensOf(count: string, words: string): readonly string[] {
  return count.startsWith('-') ? [] : [`${formatQuantity(count)} ${words}`];
}

function issuedOf({
  manifest_hash: hash,
  closed_at: at,
  preview,
  period,
}: StatementDocument): Fact {
  const day = (instant: string) => formatLocalDay(instant, period.time_zone);
  if (hash === null || at === null) {
    return { label: 'As of', lines: [day(preview?.as_of ?? period.starts_at), 'not closed yet'] };
  }
  return { label: 'Issued', lines: [day(at), `sha256:${hash.slice(0, 4)}…${hash.slice(-4)}`] };
}
