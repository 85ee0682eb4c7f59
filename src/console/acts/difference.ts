import { html } from 'hono/html';
import type { CorrectWhereAnswer, DifferenceRow } from '../../ledger/corrections/bulk-answer.ts';
import { type TenantSide, tenantSides } from '../../ledger/corrections/tenant-sides.ts';
import { counted } from '../../text/counted.ts';
import { amount, amountOr, countText, type Html } from '../view/amounts.ts';
import { chip, dataTable, tenantLink } from '../view/table.ts';
import { firstRows, ROWS_SHOWN } from './first-rows.ts';

/** Renders before and after in all, who wins and who loses by it, and each tenant's models. */
export function differenceOf(answer: Omit<CorrectWhereAnswer, 'month' | 'dry_run'>): Html {
  const { rows, totals, examined } = answer;
  const sides = tenantSides(rows);
  const losers = sides.filter(({ change }) => isAbove(change)).length;
  const winners = sides.filter(({ change }) => change.startsWith('-')).length;
  return html`<p>${countText(examined)} ${examined === 1 ? 'entry is' : 'entries are'} looked at. ${countText(winners)} ${winners === 1 ? 'tenant pays' : 'tenants pay'} less, ${countText(losers)} more.</p>
${totals.map((total) => html`<p><b>${amount(total.charge_before, total.currency)} → ${amount(total.charge_after, total.currency)}</b> for ${counted(total.entries, 'entry that changes', 'entries that change')}; cost ${amountOr(total.cost_before, total.currency, 'unknown')} → ${amountOr(total.cost_after, total.currency, 'unknown')}</p>`)}
${sides.length === 0 ? '' : html`<h3>Who wins and who loses</h3>${sidesTable(sides)}<h3>By model</h3>`}${rowsTable(rows)}${leftOf(answer)}`;
}

function isAbove(change: string): boolean {
  return /^[^-]*[1-9]/.test(change);
}

function sidesTable(sides: readonly TenantSide[]): Html {
  // Those who lose most come first, and those who win most last: a long table keeps both ends.
  const half = ROWS_SHOWN / 2;
  const shown =
    sides.length <= ROWS_SHOWN ? sides : [...sides.slice(0, half), ...sides.slice(-half)];
  return html`${dataTable({
    caption: 'Who wins and who loses',
    rows: shown,
    empty: 'Nobody.',
    columns: [
      { title: 'Tenant', cell: (side) => tenantLink(side.tenant_id) },
      { title: 'Entries', figure: true, cell: (side) => countText(side.entries) },
      { title: 'Before', figure: true, cell: (side) => amount(side.charge_before, side.currency) },
      { title: 'After', figure: true, cell: (side) => amount(side.charge_after, side.currency) },
      {
        title: 'Pays',
        figure: true,
        cell: ({ change, currency }) =>
          html`${isAbove(change) ? chip('more', 'bad') : change.startsWith('-') ? chip('less', 'good') : chip('the same', 'plain')} ${amount(change, currency)}`,
      },
    ],
  })}${shown.length < sides.length ? html`<p class="hint">The first and the last ${half} of ${countText(sides.length)}.</p>` : ''}`;
}

function rowsTable(rows: readonly DifferenceRow[]): Html {
  return firstRows({
    caption: 'What changes',
    rows,
    empty: 'Nothing changes.',
    columns: [
      { title: 'Tenant', cell: (row) => tenantLink(row.tenant_id) },
      { title: 'Model', cell: (row) => html`<bdi>${row.requested_model}</bdi>` },
      { title: 'Entries', figure: true, cell: (row) => countText(row.entries) },
      {
        title: 'Before',
        figure: true,
        cell: (row) => amountOr(row.charge_before, row.currency_before, 'no price'),
      },
      {
        title: 'After',
        figure: true,
        cell: (row) => amountOr(row.charge_after, row.currency, 'no price'),
      },
    ],
  });
}

/** One setting that an act changes; `was` is null where nothing stood. */
export interface SettingChange {
  readonly name: string;
  readonly was: Html | string | null;
  readonly becomes: Html | string;
}

/** Renders the settings that an act changes, each as it is and as it will be. */
export function settingsOf(rows: readonly SettingChange[], empty = 'Nothing changes.'): Html {
  return dataTable({
    caption: 'What changes',
    rows,
    empty,
    columns: [
      { title: 'Setting', cell: (row) => row.name },
      { title: 'Now', cell: (row) => row.was ?? '—' },
      { title: 'Then', cell: (row) => html`<b>${row.becomes}</b>` },
    ],
  });
}

/** What is left as it is, and why. */
function leftOf({
  unrated,
  losing,
  in_other_currency: billed,
}: Pick<CorrectWhereAnswer, 'unrated' | 'losing' | 'in_other_currency'>): Html {
  const left = [
    ...unrated.map((row) => ({ ...row, words: 'has no price' })),
    ...losing.map((row) => ({ ...row, words: 'would lose its price, and stays' })),
    ...billed.map((row) => ({ ...row, words: 'was billed in another currency, and stays' })),
  ];
  return html`${left.slice(0, ROWS_SHOWN).map((row) => html`<p>${chip(row.words, 'warn')} <bdi>${row.requested_model}</bdi> of ${tenantLink(row.tenant_id)}, ${counted(row.entries, 'entry', 'entries')}</p>`)}${left.length > ROWS_SHOWN ? html`<p class="hint">The first ${ROWS_SHOWN} of ${countText(left.length)}.</p>` : ''}`;
}
