import type { ManifestLine } from '../ledger/closes/manifest-lines.ts';
import { counted } from '../text/counted.ts';
import { wrapTo } from '../text/text-width.ts';
import { type LateWords, lateWords, remarksOf } from './late-words.ts';
import { viewLayers } from './layer-table.ts';
import { meterName, rateUnitOf } from './line-groups.ts';
import type { StatementDocument } from './statement-answer.ts';
import { isUsageLine } from './statement-document.ts';
import { formatLocalInstant, formatQuantity, groupDigits } from './statement-format.ts';
import { labeled, layOut, TEXT_WIDTH, type TextRow } from './text-columns.ts';
import { compareMonths } from './words/comparison.ts';
import { customerOf, invoicesOf, markOf } from './words/head-words.ts';
import {
  ADJUSTMENTS,
  adjustmentsOf,
  NOT_DUE,
  SHARED_SPEND,
  sharedReasonsOf,
  sharedSpendOf,
} from './words/section-words.ts';
import { type ShareTable, viewShares } from './words/share-table.ts';

/**
 * Renders a statement for a terminal: the same figures as the JSON form, on a page of 80 columns.
 */
export function renderStatementText(statement: StatementDocument): string {
  const { period, usage, exact } = statement;
  const mark = markOf(statement);
  const own = statement.lines.filter(isOwn);
  const late = statement.late_lines.filter(isUsageLine);
  const shared = sharedSpendOf(statement);
  const metered = statement.not_due.flatMap(({ lines }) => lines);
  const shares = viewShares(statement);
  const lineRows = new Map([...own, ...late, ...shared, ...metered].map((of) => [of, rowOf(of)]));
  const row = layOut([HEAD, ...lineRows.values(), ...shares.flatMap(shareRows)]);
  const lineOf = (line: ManifestLine) => row(lineRows.get(line) ?? rowOf(line));
  const money = (amount: string) => `${groupDigits(amount)} ${statement.currency}`;
  const at = (instant: string) => formatLocalInstant(instant, period.time_zone);
  const { name, lines: address } = customerOf(statement);
  const adjustments = adjustmentsOf(statement);
  return [
    ...(mark === null ? [] : said(mark.toUpperCase())),
    ...said(
      statement.preview === null
        ? `Usage statement ${statement.number} for ${name}`
        : `Preview of a usage statement for ${name}`,
    ),
    ...address.flatMap((line) => wrapTo(line, TEXT_WIDTH, '  ')),
    ...said(`Period ${at(period.starts_at)} to ${at(period.ends_at)}, ${period.time_zone}`),
    '',
    ...row(HEAD),
    ...own.flatMap(lineOf),
    ...renderRemarks(remarksOf(statement, false)),
    ...renderLate(statement, late, lineOf),
    ...(shared.length === 0 ? [] : ['', SHARED_SPEND, ...shared.flatMap(lineOf)]),
    ...(shared.length === 0 ? [] : renderRemarks(sharedReasonsOf(statement))),
    ...(adjustments.length === 0 ? [] : ['', ADJUSTMENTS]),
    ...adjustments.flatMap(({ model, amount }) => labeled(model, groupDigits(amount))),
    ...statement.not_due.flatMap(({ currency, total, lines }) => [
      ...['', `${NOT_DUE} (${total} ${currency})`],
      ...lines.flatMap(lineOf),
    ]),
    '',
    ...labeled(mark === null ? 'Total' : 'Total so far', money(statement.total)),
    ...renderProjection(statement),
    ...(statement.mode === 'live' || mark !== null
      ? []
      : labeled('Due (closed in shadow mode)', money(statement.due))),
    ...renderComparison(statement),
    ...shares.flatMap((table) => ['', ...shareRows(table).flatMap(row)]),
    ...renderLayers(statement),
    '',
    ...said(
      `Exact charge ${exact.charge}, carried in ${exact.carried_in}, billable ${exact.billable}, carried out ${exact.carried_out}`,
    ),
    ...said(countsOf(usage)),
    ...statement.notes.flatMap(said),
    ...invoicesOf(statement).flatMap(({ text, to }) =>
      to === null ? said(text) : [`${text}:`, to],
    ),
    ...(mark === null
      ? [`Manifest sha256:${statement.manifest_hash}`, `Closed ${at(statement.closed_at ?? '')}`]
      : said(mark.toUpperCase())),
    '',
  ].join('\n');
}

/** How many calls there were, how many failed or were cancelled, and how many a cache answered. */
function countsOf({ calls, failed, cancelled, cached }: StatementDocument['usage']): string {
  const count = (of: number) => groupDigits(String(of));
  const fromCache = cached === 0 ? '' : `, ${count(cached)} answered from a cache`;
  return `${counted(calls, 'call')}, ${count(failed)} failed, ${count(cancelled)} cancelled${fromCache}`;
}

const HEAD: TextRow = ['MODEL', 'METER', 'QUANTITY', 'RATE', 'AMOUNT'];

/** Returns a sentence in lines of the page. */
function said(sentence: string): readonly string[] {
  return wrapTo(sentence, TEXT_WIDTH, '');
}

function renderLate(
  statement: StatementDocument,
  late: readonly ManifestLine[],
  lineOf: (line: ManifestLine) => readonly string[],
): readonly string[] {
  if (late.length === 0) return [];
  const { title, remarks } = lateWords(statement, late);
  return ['', title, ...late.flatMap(lineOf), ...renderRemarks(remarks)];
}

function renderProjection({ preview, currency }: StatementDocument): readonly string[] {
  const projection = preview?.projection ?? null;
  if (projection === null) return [];
  const amount = `${groupDigits(projection.total)} ${currency}`;
  return [...labeled('Projected total', amount), ...said(projection.method)];
}

function renderLayers({ layers }: StatementDocument): readonly string[] {
  if (layers === null) return [];
  const { explanation, rows } = viewLayers(layers);
  const cells: readonly TextRow[] = [
    ['LAYER', '', 'TOKENS', '', 'EXACT'],
    ...rows.map(({ name, tokens, exact }): TextRow => [name, '', tokens, '', exact]),
  ];
  return ['', ...cells.flatMap(layOut(cells)), ...explanation.flatMap(said)];
}

function renderRemarks(remarks: LateWords['remarks']): readonly string[] {
  return remarks.flatMap(({ label, amount }) => wrapTo(`${label} (${amount})`, TEXT_WIDTH, '  '));
}

/** What is carried stands with usage; shared spend and adjustments have headings of their own. */
function isOwn({ meter }: ManifestLine): boolean {
  return meter !== 'adjustment' && meter !== 'allocation';
}

function shareRows({ title, rows, total }: ShareTable): readonly TextRow[] {
  const head: TextRow = [title.toUpperCase(), '', 'CALLS', '', 'AMOUNT'];
  return [
    head,
    ...[...rows, total].map(({ name, calls, amount }): TextRow => [name, '', calls, '', amount]),
  ];
}

function renderComparison(statement: StatementDocument): readonly string[] {
  const comparison = compareMonths(statement);
  if (comparison === null) return [];
  const models = comparison.models.map(({ label, amount }) => `${label} ${amount}`);
  return ['', ...said(comparison.summary), ...(models.length === 0 ? [] : said(models.join(', ')))];
}

function rowOf(line: ManifestLine): TextRow {
  const tier =
    line.service_tier === 'standard' || line.service_tier === '' ? '' : ` (${line.service_tier})`;
  // What corrections took back to nothing is still so many at a rate; money alone is neither.
  const isUsage = isUsageLine(line);
  const counts = isUsage ? formatQuantity(line.quantity) : '';
  const rate = isUsage ? `${line.rate}/${RATE_UNITS[rateUnitOf(line.meter)]}` : '';
  return [line.model + tier, meterName(line.meter), counts, rate, groupDigits(line.amount)];
}

const RATE_UNITS = {
  million: '1M',
  thousand: '1k',
  second: 's',
  image: 'image',
  call: 'call',
} as const;
