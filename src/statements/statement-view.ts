import { billedDecimals } from '../currencies.ts';
import type { ManifestLine } from '../ledger/closes/manifest-lines.ts';
import { exactPico } from '../money.ts';
import { type DailyView, rankSeries, type SeriesOf, viewDaily } from './daily-view.ts';
import { lateWords, remarksOf } from './late-words.ts';
import { type LayerTable, viewLayers } from './layer-table.ts';
import { groupLines, type LineGroup, sumAmounts } from './line-groups.ts';
import type { StatementDocument } from './statement-answer.ts';
import {
  formatExact,
  formatLocalDay,
  formatLocalInstant,
  formatMoney,
  formatPeriod,
  formatQuantity,
  groupDigits,
} from './statement-format.ts';

/**
 * Everything that a statement for people shows, in its words and figures: HTML and PDF only arrange
 * it. Text that came from tenants and producers is not escaped here.
 */
export interface StatementView {
  readonly issuer: string;
  readonly tenant: string;
  readonly title: string;
  /** What kind of paper it is. */
  readonly kind: string;
  /** By it people name the statement; a preview has none. */
  readonly number: string | null;
  /** What stands on every page of a preview; null on a statement. */
  readonly mark: string | null;
  /** What a preview says of the whole period. */
  readonly projection: Projected | null;
  readonly period: string;
  /** The same bounds to the minute, with the offsets of the zone. */
  readonly bounds: string;
  readonly currency: string;
  /** What is to be paid, and what is to be said beside it. */
  readonly due: { readonly label: string; readonly amount: string; readonly note: string | null };
  readonly facts: readonly Fact[];
  /** What the statement rests on, with its instant. */
  readonly basis: string;
  /** The instant of the close, or that of a preview. */
  readonly datedAt: string;
  readonly daily: DailyView;
  readonly sections: readonly LineSection[];
  /** It is null where no call gave its layers. */
  readonly layers: LayerTable | null;
  readonly totals: readonly LabeledAmount[];
  /** The way from the exact sum to the total. */
  readonly reckoning: readonly LabeledAmount[];
  readonly notes: readonly string[];
}

/** One of the columns beside the total: the first line says it, the others explain. */
interface Fact {
  readonly label: string;
  readonly lines: readonly string[];
}

export interface LineSection {
  readonly title: string;
  readonly explanation: string | null;
  /** What of the lines are corrections: a sentence and an exact amount each. */
  readonly remarks: readonly LabeledAmount[];
  readonly groups: readonly LineGroup[];
}

export interface LabeledAmount {
  readonly label: string;
  readonly amount: string;
}

/** What the period would come to at its pace. */
interface Projected extends LabeledAmount {
  readonly method: string;
}

/** The heading of what belongs to a period that nobody was billed for. */
export const NOT_DUE = 'Not due';

/** The heading of what no call caused. */
export const ADJUSTMENTS = 'Adjustments';

export const DEFAULT_ISSUER = 'Spanledger';

export function viewStatement(document: StatementDocument, issuer: string): StatementView {
  const { period, currency } = document;
  const zone = period.time_zone;
  const ranking = rankSeries(document);
  return {
    issuer,
    tenant: document.tenant_id,
    title: `${kindOf(document)} for ${document.tenant_id}, ${period.start.slice(0, 7)}`,
    kind: kindOf(document),
    number: document.number,
    mark: markOf(document),
    projection: projectionOf(document),
    period: `${formatPeriod(period.starts_at, period.ends_at, zone)} (${zone})`,
    bounds: `From ${formatLocalInstant(period.starts_at, zone)} until ${formatLocalInstant(period.ends_at, zone)}`,
    currency,
    due: dueOf(document),
    facts: factsOf(document),
    ...basisOf(document),
    daily: viewDaily(document, ranking),
    sections: sectionsOf(document, ranking.seriesOf),
    layers: document.layers === null ? null : viewLayers(document.layers),
    totals: totalsOf(document),
    reckoning: reckoningOf(document),
    notes: notesOf(document),
  };
}

function kindOf({ preview }: StatementDocument): string {
  return preview === null ? 'Usage statement' : 'Preview of a usage statement';
}

/** What marks every form of a preview, whatever page of it is in a hand. */
export function markOf({ preview, period }: Pick<StatementDocument, 'preview' | 'period'>) {
  if (preview === null) return null;
  return `Preview, not final: as of ${formatLocalInstant(preview.as_of, period.time_zone)}`;
}

function projectionOf({ preview, currency }: StatementDocument): Projected | null {
  if (preview === null || preview.projection === null) return null;
  const { total, method } = preview.projection;
  return { label: 'Projected total', amount: formatMoney(total, currency), method };
}

function basisOf(document: StatementDocument): Pick<StatementView, 'basis' | 'datedAt'> {
  const { manifest_hash: hash, closed_at: closedAt, preview } = document;
  if (hash === null || closedAt === null) {
    const asOf = preview?.as_of ?? document.period.starts_at;
    return { basis: `No close stands behind it: the ledger as of ${asOf}`, datedAt: asOf };
  }
  return { basis: `Manifest sha256:${hash}, closed ${closedAt}`, datedAt: closedAt };
}

/** A period in shadow is metered, and nobody must take its total for a demand; nor that of an open one. */
function dueOf({ mode, due, total, currency, preview }: StatementDocument): StatementView['due'] {
  if (preview !== null) {
    const note = mode === 'live' ? 'Nothing is due yet' : 'In shadow mode: nothing will be due';
    return { label: 'So far', amount: formatMoney(total, currency), note };
  }
  const amount = formatMoney(due, currency);
  if (mode === 'live') return { label: 'Total due', amount, note: null };
  const metered = formatMoney(total, currency);
  return { label: 'Nothing is due', amount, note: `${metered} metered, in shadow mode` };
}

function factsOf(document: StatementDocument): readonly Fact[] {
  const { usage, price_books: books } = document;
  const count = (calls: number) => calls.toLocaleString('en-US');
  const prices = books.flatMap(({ book, version }) => [
    book,
    version.startsWith('-') ? 'since ever' : `version ${version.slice(0, 10)}`,
  ]);
  return [
    {
      label: 'Usage',
      lines: [
        `${count(usage.calls)} ${usage.calls === 1 ? 'call' : 'calls'}`,
        `${formatQuantity(usage.tokens.input)} input tokens`,
        `${formatQuantity(usage.tokens.output)} output tokens`,
        ...(usage.failed > 0 ? [`${count(usage.failed)} failed, not charged`] : []),
        ...(usage.cancelled > 0 ? [`${count(usage.cancelled)} cancelled, not charged`] : []),
      ],
    },
    { label: 'Price book', lines: prices.length > 0 ? prices : ['none used'] },
    issuedOf(document),
  ];
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

function isCarried(line: ManifestLine): boolean {
  return line.meter === 'carried_in' || line.meter === 'carried_out';
}

function isUsage(line: ManifestLine): boolean {
  return !isCarried(line) && line.meter !== 'adjustment';
}

/** Credits and fees, of this period or of an earlier one, stand together under a heading of their own. */
export function adjustmentsOf(
  statement: Pick<StatementDocument, 'lines' | 'late_lines'>,
): readonly ManifestLine[] {
  return [...statement.lines, ...statement.late_lines].filter(
    ({ meter }) => meter === 'adjustment',
  );
}

function sectionsOf(document: StatementDocument, seriesOf: SeriesOf): readonly LineSection[] {
  const { currency } = document;
  const own = document.lines.filter(isUsage);
  const late = document.late_lines.filter(isUsage);
  const adjustments = adjustmentsOf(document);
  const sections: LineSection[] = [
    {
      title: 'Usage by model',
      remarks: remarksOf(document, false),
      explanation: own.length > 0 ? null : 'Nothing was charged for this period.',
      groups: groupLines(own, { seriesOf, currency }),
    },
  ];
  if (late.length > 0) {
    sections.push({
      ...lateWords(document, late),
      // Its days are not among the bars, so it has no colors.
      groups: groupLines(late, { seriesOf: () => null, currency }),
    });
  }
  if (adjustments.length > 0) {
    sections.push({
      title: ADJUSTMENTS,
      remarks: [],
      explanation: 'Credits and fees that no call caused, each with its reason.',
      groups: groupLines(adjustments, { seriesOf: () => null, currency }),
    });
  }
  for (const { currency: metered, lines } of document.not_due) {
    sections.push({
      title: metered === currency ? NOT_DUE : `${NOT_DUE} (${metered})`,
      remarks: [],
      explanation:
        'Late usage and corrections of a period that was closed in shadow mode: they are metered, and nothing is due for them. They are in no sum of this statement.',
      groups: groupLines(lines, { seriesOf: () => null, currency: metered }),
    });
  }
  return sections;
}

/** The printed amounts, summed: they add up to the total because lines are apportioned. */
function totalsOf(document: StatementDocument): readonly LabeledAmount[] {
  const { currency, lines } = document;
  const late = document.late_lines.filter(isUsage);
  const adjustments = adjustmentsOf(document);
  const carried = (meter: ManifestLine['meter'], label: string) =>
    lines
      .filter((line) => line.meter === meter)
      .map((line) => ({ label, amount: formatMoney(line.amount, currency) }));
  const own = lines.filter(isUsage);
  return [
    { label: 'Metered usage', amount: sumAmounts(own, currency) },
    ...(late.length > 0
      ? [{ label: lateWords(document, late).title, amount: sumAmounts(late, currency) }]
      : []),
    ...(adjustments.length > 0
      ? [{ label: ADJUSTMENTS, amount: sumAmounts(adjustments, currency) }]
      : []),
    ...carried('carried_in', 'Carried in from the period before'),
    ...carried('carried_out', 'Carried on to the next period'),
    {
      label: `Total${document.preview === null ? '' : ' so far'} (${currency})`,
      amount: formatMoney(document.total, currency),
    },
    ...(document.mode === 'live' || document.preview !== null
      ? []
      : [{ label: 'Due', amount: formatMoney(document.due, currency) }]),
  ];
}

function reckoningOf(document: StatementDocument): readonly LabeledAmount[] {
  const { exact, currency, total } = document;
  const places = billedDecimals(currency);
  const to = places === 0 ? 'whole units' : `${places} decimals`;
  return [
    {
      label: `Exact sum of all entries${document.not_due.length > 0 ? ' that are due' : ''}`,
      amount: formatExact(exact.charge),
    },
    { label: 'Carried in from the period before', amount: formatExact(exact.carried_in) },
    { label: 'Carried on to the next period', amount: formatExact(negate(exact.carried_out)) },
    { label: 'Billable, in whole millionths', amount: groupDigits(exact.billable) },
    { label: `Total, rounded once, half up, to ${to}`, amount: groupDigits(total) },
  ];
}

function negate(amount: string): string {
  if (exactPico(amount) === 0n) return amount;
  return amount.startsWith('-') ? amount.slice(1) : `-${amount}`;
}

/** The statement's own notes, and what only the forms for people need explaining. */
function notesOf(document: StatementDocument): readonly string[] {
  const { exact } = document;
  const carried =
    exactPico(exact.carried_out) < 0n
      ? 'Credits and corrections of this period exceed its usage: nothing is billed, and the difference is carried on to the next period.'
      : 'What is left below a millionth is not lost: it is carried on to the next period.';
  return [
    'Quantity × rate = exact. Amounts are rounded so that they add up to the total.',
    carried,
    ...document.notes,
  ];
}
