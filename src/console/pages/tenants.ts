import { html } from 'hono/html';
import { exactPico } from '../../money.ts';
import type { UsageGroup } from '../../reports/usage-answer.ts';
import { listTenants } from '../../tenants/list-tenants.ts';
import type { TenantAnswer } from '../../tenants/tenant-answer.ts';
import { counted } from '../../text/counted.ts';
import { amountOr, countText, type Html, instantOr, monthText } from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import {
  actLink,
  address,
  chip,
  dataTable,
  headOf,
  NOTHING,
  pager,
  tenantLink,
} from '../view/table.ts';
import { asOfWords, type ConsolePage, monthSaid, type PageAsked, said } from './page-asked.ts';
import { usageOfMonth } from './usage-by.ts';

/** All tenants with what the month came to, to be searched, and sorted by every column. */
export const tenantsPage: ConsolePage = {
  path: '/console/tenants',
  async render(asked): Promise<Page> {
    const month = monthSaid(asked);
    const { answer, asOf } = await asked.kept.ask(['usage by tenant', month], async () => {
      const tenants = await listTenants(asked.parts);
      const usage = await usageOfMonth(asked.parts, { by: ['tenant'], tenantId: null, month });
      return rowsOf(tenants, usage.rows);
    });
    const rows = sorted(answer.filter(matches(said(asked.query, 'q'))), asked);
    return { title: 'Tenants', nav: 'Tenants', body: bodyOf(asked, { month, asOf, rows }) };
  },
};

/** A tenant in one of its currencies; most have one. */
interface TenantRow {
  readonly tenant: TenantAnswer;
  readonly usage: UsageGroup | null;
}

function rowsOf(
  tenants: readonly TenantAnswer[],
  usage: readonly UsageGroup[],
): readonly TenantRow[] {
  const byTenant = Map.groupBy(usage, ({ tenant }) => tenant ?? '');
  return tenants.flatMap((tenant): readonly TenantRow[] => {
    const own = byTenant.get(tenant.tenant_id) ?? [];
    return own.length === 0 ? [{ tenant, usage: null }] : own.map((of) => ({ tenant, usage: of }));
  });
}

function matches(text: string | null): (row: TenantRow) => boolean {
  const sought = text?.toLowerCase() ?? '';
  return ({ tenant }) =>
    [
      ...[tenant.tenant_id, tenant.name, tenant.contact],
      ...[tenant.stripe_customer, tenant.price_book, tenant.time_zone],
    ].some((name) => name?.toLowerCase().includes(sought));
}

type SortKey = (row: TenantRow) => bigint | string;

const exactOr = (amount: string | null | undefined) =>
  amount == null ? -(10n ** 40n) : exactPico(amount);

const SORTS: Readonly<Record<string, SortKey>> = {
  tenant: ({ tenant }) => tenant.tenant_id,
  mode: ({ tenant }) => tenant.mode,
  zone: ({ tenant }) => tenant.time_zone,
  book: ({ tenant }) => tenant.price_book ?? '',
  customer: ({ tenant }) => tenant.stripe_customer ?? '',
  entries: ({ usage }) => BigInt(usage?.entries ?? 0),
  charge: ({ usage }) => exactOr(usage?.charge),
  cost: ({ usage }) => exactOr(usage?.cost),
  margin: ({ usage }) => exactOr(usage?.margin),
  closed: ({ tenant }) => tenant.closed_until ?? '',
};

const BEGINS_ASCENDING: ReadonlySet<string> = new Set([
  'tenant',
  'mode',
  'zone',
  'book',
  'customer',
]);

function sortOf({ query }: PageAsked): { readonly by: string; readonly descending: boolean } {
  const asked = said(query, 'sort') ?? '-charge';
  const by = asked.replace(/^-/, '');
  return Object.hasOwn(SORTS, by)
    ? { by, descending: asked.startsWith('-') }
    : { by: 'charge', descending: true };
}

function sorted(rows: readonly TenantRow[], asked: PageAsked): readonly TenantRow[] {
  const { by, descending } = sortOf(asked);
  const keyOf = SORTS[by] ?? SORTS['charge'];
  if (keyOf === undefined) return rows;
  const sign = descending ? -1 : 1;
  // An amount is read once, and not at each of the many times that it is compared.
  const keyed = rows.map((row) => ({ row, key: keyOf(row) }));
  return keyed
    .toSorted((a, b) => {
      if (a.key === b.key) return a.row.tenant.tenant_id < b.row.tenant.tenant_id ? -1 : 1;
      return a.key < b.key ? -sign : sign;
    })
    .map(({ row }) => row);
}

const ROWS_SHOWN = 50;

function bodyOf(
  asked: PageAsked,
  of: {
    readonly month: string;
    readonly asOf: string | null;
    readonly rows: readonly TenantRow[];
  },
): Html {
  const { month, asOf, rows } = of;
  const { query, mayAct, freshness } = asked;
  const from = Math.max(0, Number(/^\d{1,7}$/.exec(query.get('from') ?? '')?.[0] ?? 0));
  const shown = rows.slice(from, from + ROWS_SHOWN);
  const q = said(query, 'q');
  const at = (change: Readonly<Record<string, string | null>>) =>
    address('/console/tenants', { q, month, sort: said(query, 'sort'), ...change });
  const { by, descending } = sortOf(asked);
  const months = [freshness.running_month, freshness.ended_month];
  const options = [...new Set([month, ...months])].map((name) =>
    name === month
      ? html`<option value="${name}" selected>${monthText(name)}</option>`
      : html`<option value="${name}">${monthText(name)}</option>`,
  );
  const sub = html`${counted(rows.length, 'row')}, usage of ${monthText(month)} in UTC days${asOfWords(asOf)}`;
  return html`${headOf('Tenants', sub, [actLink({ mayAct }, 'New tenant', { act: 'set-tenant' })])}
<section class="panel" aria-label="Tenants"><form class="row" role="search" action="/console/tenants"><label>Search<input type="search" name="q" value="${q ?? ''}"></label><label>Month<select name="month" data-send>${options}</select></label><input type="hidden" name="sort" value="${said(query, 'sort') ?? ''}"><button class="second">Show</button></form>
${dataTable({
  caption: 'Tenants',
  rows: shown,
  empty: 'No tenant has this in its id, name, contact, customer, book or zone.',
  sorting: {
    by,
    descending,
    href: (name) => at({ sort: nextSort(name, { by, descending }), from: null }),
  },
  columns: COLUMNS,
})}${pager(from === 0 ? null : at({ from: String(Math.max(0, from - ROWS_SHOWN)) }), from + ROWS_SHOWN >= rows.length ? null : at({ from: String(from + ROWS_SHOWN) }))}</section>`;
}

function nextSort(
  name: string,
  now: { readonly by: string; readonly descending: boolean },
): string {
  const descending = now.by === name ? !now.descending : !BEGINS_ASCENDING.has(name);
  return descending ? `-${name}` : name;
}

const COLUMNS = [
  {
    title: 'Tenant',
    sort: 'tenant',
    cell: ({ tenant }: TenantRow) =>
      html`${tenantLink(tenant.tenant_id)}${tenant.name === null ? '' : html`<br><span class="cut soft" dir="auto">${tenant.name}</span>`}`,
  },
  { title: 'Mode', sort: 'mode', cell: ({ tenant }: TenantRow) => modeChip(tenant) },
  { title: 'Zone', sort: 'zone', minor: true, cell: ({ tenant }: TenantRow) => tenant.time_zone },
  {
    title: 'Price book',
    sort: 'book',
    minor: true,
    cell: ({ tenant }: TenantRow) => tenant.price_book ?? 'default',
  },
  {
    title: 'Customer',
    sort: 'customer',
    minor: true,
    cell: ({ tenant }: TenantRow) => tenant.stripe_customer ?? NOTHING,
  },
  {
    title: 'Entries',
    sort: 'entries',
    figure: true,
    cell: ({ usage }: TenantRow) => countText(usage?.entries ?? 0),
  },
  {
    title: 'Charged',
    sort: 'charge',
    figure: true,
    cell: ({ usage }: TenantRow) => amountOr(usage?.charge ?? null, usage?.currency ?? null, '—'),
  },
  {
    title: 'Cost',
    sort: 'cost',
    figure: true,
    cell: ({ usage }: TenantRow) =>
      amountOr(usage?.cost ?? null, usage?.currency ?? null, usage === null ? '—' : 'unknown'),
  },
  {
    title: 'Margin',
    sort: 'margin',
    figure: true,
    cell: ({ usage }: TenantRow) => marginOf(usage),
  },
  {
    title: 'Closed until',
    sort: 'closed',
    figure: true,
    minor: true,
    cell: ({ tenant }: TenantRow) => instantOr(tenant.closed_until, '—'),
  },
];

export function modeChip({
  mode,
  registered,
  left_at,
}: Pick<TenantAnswer, 'mode' | 'registered' | 'left_at'>): Html {
  if (left_at !== null) return chip('left', 'plain');
  if (!registered) return chip('unnamed', 'warn');
  return mode === 'live' ? chip('live', 'good') : chip('shadow', 'plain');
}

export function marginOf(usage: UsageGroup | null): Html {
  if (usage === null) return html`<span class="soft">—</span>`;
  if (usage.margin === null) return html`<span class="soft">unknown</span>`;
  return amountOr(usage.margin, usage.currency, 'unknown');
}
