import type { ManifestLine } from '../ledger/closes/manifest-lines.ts';
import { type LateWords, lateWords, remarksOf } from './late-words.ts';
import { viewLayers } from './layer-table.ts';
import { meterName, rateUnitOf } from './line-groups.ts';
import type { StatementDocument } from './statement-answer.ts';
import { isUsageLine } from './statement-document.ts';
import { groupDigits } from './statement-format.ts';
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

/** A statement for a terminal: the same figures as the JSON form, 96 columns at the most. */
export function renderStatementText(statement: StatementDocument): string {
  const { period, usage, exact } = statement;
  const mark = markOf(statement);
  const money = (amount: string) => `${amount} ${statement.currency}`;
  const lines = [
    ...(mark === null ? [] : [mark.toUpperCase()]),
    statement.preview === null
      ? `Usage statement ${statement.number} for ${customerOf(statement).name}`
      : `Preview of a usage statement for ${customerOf(statement).name}`,
    ...customerOf(statement).lines.map((line) => `  ${line}`),
    `Period ${period.starts_at} to ${period.ends_at}, ${period.time_zone}`,
    '',
    row('MODEL', 'METER', 'QUANTITY', 'RATE', 'AMOUNT'),
    ...statement.lines.filter(isOwn).map(renderLine),
    ...renderRemarks(remarksOf(statement, false)),
  ];
  const late = statement.late_lines.filter(isUsageLine);
  if (late.length > 0) {
    const { title, remarks } = lateWords(statement, late);
    lines.push('', title, ...late.map(renderLine), ...renderRemarks(remarks));
  }
  const shared = sharedSpendOf(statement);
  if (shared.length > 0) {
    const reasons = renderRemarks(sharedReasonsOf(statement));
    lines.push('', SHARED_SPEND, ...shared.map(renderLine), ...reasons);
  }
  const adjustments = adjustmentsOf(statement);
  if (adjustments.length > 0) lines.push('', ADJUSTMENTS, ...adjustments.map(renderAdjustment));
  for (const { currency, total, lines: metered } of statement.not_due) {
    lines.push('', `${NOT_DUE} (${total} ${currency})`, ...metered.map(renderLine));
  }
  lines.push(
    '',
    `${(mark === null ? 'Total' : 'Total so far').padEnd(76)}${money(statement.total).padStart(20)}`,
    ...renderProjection(statement),
    ...(statement.mode === 'live' || mark !== null
      ? []
      : [`${'Due (closed in shadow mode)'.padEnd(76)}${money(statement.due).padStart(20)}`]),
    ...renderComparison(statement),
    ...viewShares(statement).flatMap(renderShares),
    ...renderLayers(statement),
    '',
    `Exact charge ${exact.charge}, carried in ${exact.carried_in}, billable ${exact.billable}, carried out ${exact.carried_out}`,
    `${usage.calls} calls, ${usage.failed} failed, ${usage.cancelled} cancelled`,
    ...statement.notes,
    ...invoicesOf(statement).map(({ text, to }) => (to === null ? text : `${text}: ${to}`)),
    mark === null
      ? `Manifest sha256:${statement.manifest_hash}, closed ${statement.closed_at}`
      : mark.toUpperCase(),
    '',
  );
  return lines.join('\n');
}

function renderProjection({ preview, currency }: StatementDocument): readonly string[] {
  const projection = preview?.projection ?? null;
  if (projection === null) return [];
  const amount = `${projection.total} ${currency}`;
  return [`${'Projected total'.padEnd(76)}${amount.padStart(20)}`, projection.method];
}

function renderLayers({ layers }: StatementDocument): readonly string[] {
  if (layers === null) return [];
  const { explanation, rows } = viewLayers(layers);
  return [
    '',
    row('LAYER', '', 'TOKENS', 'EXACT', ''),
    ...rows.map(({ name, tokens, exact }) => row(name, '', tokens, exact, '')),
    ...explanation,
  ];
}

function renderRemarks(remarks: LateWords['remarks']): readonly string[] {
  return remarks.map(({ label, amount }) => `  ${label} (${amount})`);
}

/** What is carried stands with usage; shared spend and adjustments have headings of their own. */
function isOwn({ meter }: ManifestLine): boolean {
  return meter !== 'adjustment' && meter !== 'allocation';
}

function renderShares({ title, rows, total }: ShareTable): readonly string[] {
  const cells = [...rows, total].map(({ name, calls, amount }) => row(name, '', calls, '', amount));
  return ['', row(title.toUpperCase(), '', 'CALLS', '', 'AMOUNT'), ...cells];
}

function renderComparison(statement: StatementDocument): readonly string[] {
  const comparison = compareMonths(statement);
  if (comparison === null) return [];
  const models = comparison.models.map(({ label, amount }) => `${label} ${amount}`);
  return ['', comparison.summary, ...(models.length === 0 ? [] : [models.join(', ')])];
}

/** A reason is longer than the name of a model, and has the columns of what it has not. */
function renderAdjustment({ model, amount }: ManifestLine): string {
  return `${model.padEnd(81)} ${amount.padStart(14)}`;
}

function renderLine(line: ManifestLine): string {
  const tier =
    line.service_tier === 'standard' || line.service_tier === '' ? '' : ` (${line.service_tier})`;
  const counts = line.quantity === '0' ? '' : groupDigits(line.quantity);
  const rate = line.quantity === '0' ? '' : `${line.rate}/${RATE_UNITS[rateUnitOf(line.meter)]}`;
  return row(line.model + tier, meterName(line.meter), counts, rate, line.amount);
}

const RATE_UNITS = {
  million: '1M',
  thousand: '1k',
  second: 's',
  image: 'image',
  call: 'call',
} as const;

function row(...[model, meter, quantity, rate, amount]: readonly string[]): string {
  return [
    (model ?? '').padEnd(29),
    (meter ?? '').padEnd(21),
    (quantity ?? '').padStart(16),
    (rate ?? '').padStart(16),
    (amount ?? '').padStart(14),
  ].join('');
}
