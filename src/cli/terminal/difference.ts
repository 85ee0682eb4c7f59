import type {
  CorrectWhereAnswer,
  DifferenceRow,
  TotalRow,
  UnpricedRow,
} from '../../ledger/corrections/bulk-answer.ts';
import { counted, figureOf } from '../../text/counted.ts';
import { moneyText } from './figures.ts';
import type { Column, DrawTable } from './table.ts';

/** What a correction of many entries changed or would change, with its totals; empty where nothing is. */
export function renderDifference(
  answer: Pick<CorrectWhereAnswer, 'dry_run' | 'rows' | 'totals'>,
  table: DrawTable,
): string {
  const { dry_run, rows, totals } = answer;
  if (rows.length === 0) return '';
  return [
    dry_run ? 'nothing was posted (--dry-run)' : '',
    renderRows(rows, table),
    ...totals.map(renderTotal),
  ]
    .filter((line) => line !== '')
    .join('\n');
}

/** Renders the entries that would lose their price, or lost it where that was asked for. */
export function renderLosing(losing: readonly UnpricedRow[], unprice: boolean): string {
  if (losing.length === 0) return '';
  const named = losing.map(
    ({ tenant_id, requested_model, entries }) => `${tenant_id} ${requested_model} (${entries})`,
  );
  return unprice
    ? `lost their price: ${named.join(', ')}`
    : `left as they are, since they would lose their price: ${named.join(', ')}; import what is missing, or take the price away with --unprice`;
}

/** Renders the entries that no period can take back, since it has another currency. */
export function renderOtherCurrency(left: readonly UnpricedRow[]): string {
  if (left.length === 0) return '';
  const named = left.map(
    ({ tenant_id, requested_model, entries }) => `${tenant_id} ${requested_model} (${entries})`,
  );
  return `left as they are, since they were billed in another currency than the tenant pays in now: ${named.join(', ')}; credit or charge the difference with "spanledger adjust"`;
}

/** What the ledger had and what it has, in a row of any table of corrections. */
interface BeforeAndAfter {
  readonly charge_before: string | null;
  readonly charge_after: string | null;
  readonly cost_before: string | null;
  readonly cost_after: string | null;
}

export const CHARGE_COLUMNS: readonly Column<BeforeAndAfter>[] = [
  { title: 'CHARGE', value: (row) => moneyText(row.charge_before ?? 'none'), figure: true },
  { title: 'AFTER', value: (row) => moneyText(row.charge_after ?? 'none'), figure: true },
];

export const COST_COLUMNS: readonly Column<BeforeAndAfter>[] = [
  {
    title: 'COST',
    value: (row) => moneyText(row.cost_before ?? 'unknown'),
    figure: true,
    spare: true,
  },
  {
    title: 'COST AFTER',
    value: (row) => moneyText(row.cost_after ?? 'unknown'),
    figure: true,
    spare: true,
  },
];

function renderRows(rows: readonly DifferenceRow[], table: DrawTable): string {
  return table(rows, [
    { title: 'TENANT', value: (row) => row.tenant_id },
    { title: 'MODEL', value: (row) => row.requested_model },
    { title: 'ENTRIES', value: (row) => figureOf(row.entries), figure: true },
    { title: 'RELEASED', value: (row) => figureOf(row.released), figure: true, spare: true },
    ...CHARGE_COLUMNS,
    { title: '', value: renderCurrency },
    ...COST_COLUMNS,
  ]);
}

function renderCurrency({ currency_before: before, currency }: DifferenceRow): string {
  return before === currency ? currency : `${before}, then ${currency}`;
}

function renderTotal(total: TotalRow): string {
  const { currency, entries, charge_before, charge_after, cost_before, cost_after } = total;
  return `total ${currency}: ${counted(entries, 'entry', 'entries')}, charge ${moneyText(charge_before)} before and ${moneyText(charge_after)} after, cost ${moneyText(cost_before ?? 'unknown')} before and ${moneyText(cost_after ?? 'unknown')} after`;
}
