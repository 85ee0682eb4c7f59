import type { ManifestLayers } from '../ledger/closes/manifest-layers.ts';
import type { ManifestLine } from '../ledger/closes/manifest-lines.ts';
import { csvRow } from '../text/csv.ts';
import { unitOfMeter } from '../units.ts';
import { rateUnitOf } from './line-groups.ts';
import type { StatementDocument, UsageShare } from './statement-answer.ts';
import { isUsageLine } from './statement-document.ts';

/** What a row says, in this order. */
const COLUMNS = [
  'tenant_id',
  'period_start',
  'period_starts_at',
  'period_ends_at',
  'time_zone',
  'section',
  'model',
  'service_tier',
  'meter',
  'quantity',
  'rate',
  'rate_unit',
  'exact',
  'amount',
  'currency',
  'manifest_hash',
  'state',
  'name',
  'statement_number',
  'issuer',
  'customer_name',
  'invoice_ids',
] as const;

type Row = Readonly<Record<(typeof COLUMNS)[number], string>>;

/** Columns that hold decimal figures of ours, whose minus sign is a sign. */
const FIGURES: ReadonlySet<string> = new Set(['quantity', 'rate', 'exact', 'amount']);

/**
 * Renders a statement as RFC 4180, a header and one row a line. The amounts of a statement's rows
 * add up to that of its last row, whose section is "total". Layers, features, users, corrections
 * and what is not due have no amount, so that nothing is summed twice.
 */
export function renderStatementCsv(statements: readonly StatementDocument[]): string {
  const rows = statements.flatMap((statement) => [
    ...[...statement.lines, ...statement.late_lines].map((line) => rowOf(statement, line)),
    ...statement.not_due.flatMap((of) => of.lines.map((line) => notDueRow(statement, of, line))),
    ...(statement.layers?.lines ?? []).map((line) => layerRow(statement, line)),
    ...shareRows(statement, 'feature', statement.features),
    ...shareRows(statement, 'user', statement.users),
    ...statement.corrections.map((correction) => correctionRow(statement, correction)),
    ...projectionRows(statement),
    totalRow(statement),
  ]);
  return [`${COLUMNS.join(',')}\r\n`, ...rows.map((row) => csvRow(COLUMNS, row, FIGURES))].join('');
}

/**
 * Makes the row of the same usage by token layer: it has an exact charge and no amount, so that
 * amounts still add up.
 */
function layerRow(statement: StatementDocument, line: ManifestLayers['lines'][number]): Row {
  return {
    ...periodColumns(statement),
    section: 'layer',
    model: '',
    service_tier: '',
    meter: line.layer,
    quantity: line.tokens,
    rate: '',
    rate_unit: '',
    exact: line.exact,
    amount: '',
  };
}

/**
 * Makes the rows of the same usage by feature or user, all of them: it has an exact charge and no
 * amount, either. Where no call names any, the lines say it all.
 */
function shareRows(
  statement: StatementDocument,
  section: 'feature' | 'user',
  shares: readonly UsageShare[],
): readonly Row[] {
  if (shares.every(({ name }) => name === null)) return [];
  const row = { ...totalRow(statement), section, meter: 'calls', amount: '' };
  return shares.map(({ name, calls, exact }) => ({
    ...row,
    name: name ?? '',
    quantity: String(calls),
    exact,
  }));
}

/** Makes the row of what of the lines is a correction, and why. */
function correctionRow(
  statement: StatementDocument,
  { reason, taken_back, replaced, exact }: StatementDocument['corrections'][number],
): Row {
  const row = { ...totalRow(statement), section: 'correction', meter: 'calls', amount: '' };
  return { ...row, name: reason, quantity: String(Math.max(taken_back, replaced)), exact };
}

/** What an open period would come to has no amount, so that amounts still add up. */
function projectionRows(statement: StatementDocument): readonly Row[] {
  const projection = statement.preview?.projection ?? null;
  if (projection === null) return [];
  const row = { ...totalRow(statement), section: 'projection', meter: 'projected_total' };
  return [{ ...row, exact: projection.total, amount: '' }];
}

/** A statement of nothing has this row, too. */
function totalRow(statement: StatementDocument): Row {
  return {
    ...periodColumns(statement),
    section: 'total',
    model: '',
    service_tier: '',
    meter: 'total',
    quantity: '',
    rate: '',
    rate_unit: '',
    exact: statement.exact.charge,
    amount: statement.total,
  };
}

/** What is not due has no amount, so that amounts still add up. */
function notDueRow(
  statement: StatementDocument,
  { currency }: StatementDocument['not_due'][number],
  line: ManifestLine,
): Row {
  return { ...rowOf(statement, line), section: 'not_due', amount: '', currency };
}

function periodColumns(statement: StatementDocument) {
  const { period } = statement;
  return {
    tenant_id: statement.tenant_id,
    period_start: period.start,
    period_starts_at: period.starts_at,
    period_ends_at: period.ends_at,
    time_zone: period.time_zone,
    currency: statement.currency,
    manifest_hash: statement.manifest_hash ?? '',
    state: statement.preview === null ? 'closed' : 'preview',
    name: '',
    statement_number: statement.number ?? '',
    issuer: statement.issuer.name,
    customer_name: statement.customer.name ?? '',
    invoice_ids: statement.invoices.map(({ id }) => id).join(' '),
  };
}

function rowOf(statement: StatementDocument, line: ManifestLine): Row {
  const priced = isUsageLine(line);
  return {
    ...periodColumns(statement),
    section: sectionOf(line),
    name: reasonOf(statement, line),
    model: line.model,
    service_tier: line.service_tier,
    meter: line.meter,
    quantity: priced ? line.quantity : '',
    rate: priced ? line.rate : '',
    rate_unit: priced ? rateUnit(line.meter) : '',
    exact: line.exact,
    amount: line.amount,
  };
}

function sectionOf({ meter, late }: ManifestLine): string {
  if (meter === 'carried_in' || meter === 'carried_out') return 'carried';
  if (meter === 'adjustment' || meter === 'allocation') return meter;
  return late ? 'late' : 'usage';
}

/** Shared spend says why it is there; the reason of an adjustment is its model. */
function reasonOf({ allocations }: StatementDocument, { meter, model }: ManifestLine): string {
  if (meter !== 'allocation') return '';
  const own = allocations.filter(({ pool }) => pool === model);
  return own.map(({ reason }) => reason).join('; ');
}

/** Tokens are the million that is named; of the rest the meter says what they are. */
function rateUnit(meter: ManifestLine['meter']): string {
  const unit = rateUnitOf(meter);
  if (unit !== 'million') return unit;
  return unitOfMeter(meter)?.side === 'call' ? `million_${meter}` : 'million_tokens';
}
