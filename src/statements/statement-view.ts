import { type DailyView, rankSeries, viewDaily } from './daily-view.ts';
import { type LayerTable, viewLayers } from './layer-table.ts';
import type { StatementDocument } from './statement-answer.ts';
import { formatLocalInstant, formatPeriod } from './statement-format.ts';
import { compareMonths, type MonthComparison } from './words/comparison.ts';
import { glossaryOf, type Word } from './words/glossary.ts';
import {
  basisOf,
  customerOf,
  type Due,
  type Fact,
  factsOf,
  invoicesOf,
  issuerOf,
  kindOf,
  type Link,
  markOf,
  type Party,
  type Projected,
  projectionOf,
  stateDue,
  supportOf,
} from './words/head-words.ts';
import { type LabeledAmount, type LineSection, sectionsOf } from './words/section-words.ts';
import { type ShareTable, viewShares } from './words/share-table.ts';
import { reckoningOf, statementNotes, statementTotals } from './words/total-words.ts';

/**
 * Everything that a statement for people shows, in its words and figures: HTML and PDF only arrange
 * it. Text that came from tenants and producers is not escaped here.
 */
export interface StatementView {
  readonly issuer: Party;
  /** The issuer's picture as a data URI. */
  readonly logo: string | null;
  readonly support: readonly Link[];
  readonly customer: Party;
  readonly title: string;
  /** The kind of document. */
  readonly kind: string;
  /** By it people name the statement; a preview has none. */
  readonly number: string | null;
  /** The notice on every page of a preview; null on a statement. */
  readonly mark: string | null;
  /** What a preview says of the whole period. */
  readonly projection: Projected | null;
  readonly period: string;
  /** The same bounds to the minute, with the offsets of the zone. */
  readonly bounds: string;
  readonly currency: string;
  /** The amount to be paid, and the note beside it. */
  readonly due: Due;
  readonly facts: readonly Fact[];
  /** The invoices that bill it, where they are known. */
  readonly invoices: readonly Link[];
  /** How it compares with the period before; null where there is none to compare with. */
  readonly comparison: MonthComparison | null;
  /** What the statement rests on, with its instant. */
  readonly basis: string;
  /** The instant of the close, or that of a preview. */
  readonly datedAt: string;
  readonly daily: DailyView;
  readonly sections: readonly LineSection[];
  /** It is null where no call gave its layers. */
  readonly layers: LayerTable | null;
  /** Usage by feature and by user, as far as calls name them. */
  readonly shares: readonly ShareTable[];
  readonly totals: readonly LabeledAmount[];
  /** The way from the exact sum to the total. */
  readonly reckoning: readonly LabeledAmount[];
  readonly notes: readonly string[];
  readonly glossary: readonly Word[];
}

/**
 * Returns the view of a statement; a name that is given stands in place of the issuer's own.
 */
export function viewStatement(document: StatementDocument, issuer: string | null): StatementView {
  const { period, currency } = document;
  const zone = period.time_zone;
  const ranking = rankSeries(document);
  const customer = customerOf(document);
  return {
    issuer: issuerOf(document, issuer),
    logo: document.issuer.logo,
    support: supportOf(document),
    customer,
    // The name comes last: one that runs to the left turns around a number that follows it.
    title: `${kindOf(document)} of ${period.start.slice(0, 7)} for ${customer.name}`,
    kind: kindOf(document),
    number: document.number,
    mark: markOf(document),
    projection: projectionOf(document),
    period: `${formatPeriod(period.starts_at, period.ends_at, zone)} (${zone})`,
    bounds: `From ${formatLocalInstant(period.starts_at, zone)} until ${formatLocalInstant(period.ends_at, zone)}`,
    currency,
    due: stateDue(document),
    facts: factsOf(document),
    invoices: invoicesOf(document),
    comparison: compareMonths(document),
    ...basisOf(document),
    daily: viewDaily(document, ranking),
    sections: sectionsOf(document, ranking.seriesOf),
    layers: document.layers === null ? null : viewLayers(document.layers),
    shares: viewShares(document),
    totals: statementTotals(document),
    reckoning: reckoningOf(document),
    notes: statementNotes(document),
    glossary: glossaryOf(document),
  };
}
