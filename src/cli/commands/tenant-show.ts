import type { Command } from 'commander';
import { readRequest } from '../../request.ts';
import { showTenant } from '../../tenants/show-tenant.ts';
import type { ShownTenantAnswer } from '../../tenants/tenant-answer.ts';
import { showTenantRequest } from '../../tenants/tenant-answer.ts';
import { figureOf } from '../../text/counted.ts';
import { readCount } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { amountOfMicro, moneyText, timeOf } from '../terminal/figures.ts';
import type { DrawTable } from '../terminal/table.ts';
import { words } from '../terminal/words.ts';

export function addTenantShow(group: Command): void {
  const command = group
    .command('show')
    .argument('<tenant>')
    .description('show everything about one tenant, with its history')
    .option('--most <n>', 'how many of its latest periods and pushes to show', readCount, 12);
  perform<{ most: number }>(command, async (session, { args: [tenant_id = ''], options }) => {
    const request = readRequest(showTenantRequest, { tenant_id, most: options.most });
    const answer = await showTenant(session.parts(), request);
    session.out.answer(answer, (shown) => textOf(shown, session.out.table));
  });
}

function textOf(tenant: ShownTenantAnswer, table: DrawTable): string {
  const left = [
    ...(tenant.left_at === null ? [] : [['left', timeOf(tenant.left_at)] as const]),
    ...(tenant.leaves_at === null ? [] : [['leaves at', timeOf(tenant.leaves_at)] as const]),
  ];
  const rows: readonly (readonly [string, string])[] = [
    ['name', tenant.name ?? 'none: its statements say its id'],
    ['address', tenant.address?.replaceAll('\n', ', ') ?? 'none'],
    ['contact', tenant.contact ?? 'none'],
    ['mode', tenant.mode],
    ['calendar', describeCalendar(tenant.calendar_now)],
    ...tenant.calendars.slice(1).map((calendar) => {
      return [
        `  from ${timeOf(calendar.effective_from ?? '-infinity')}`,
        describeCalendar(calendar),
      ] as const;
    }),
    ['price book', describeBook(tenant)],
    ...tenant.price_books.map(({ effective_from, price_book }) => {
      return [`  from ${timeOf(effective_from ?? '-infinity')}`, price_book] as const;
    }),
    ['Stripe customer', tenant.stripe_customer ?? 'none'],
    ['made', timeOf(tenant.created_at)],
    ['registered', timeOf(tenant.registered_at ?? 'by no one: only events named it')],
    ['closed until', timeOf(tenant.closed_until ?? 'nothing is closed')],
    ...left,
    ...tenant.changes.map(({ at, setting, was, became, actor }) => {
      return [`at ${timeOf(at)}`, `${setting}: ${line(was)} → ${line(became)} (${actor})`] as const;
    }),
  ];
  const wide = Math.max(...rows.map(([name]) => name.length)) + 2;
  return [
    tenant.tenant_id,
    ...rows.map(([name, value]) => `${name.padEnd(wide)}${value}`),
    '',
    tenant.periods.length === 0 ? 'no period yet' : periodsTable(tenant, table),
    ...(tenant.pushes.length === 0 ? [] : ['', pushesTable(tenant, table)]),
  ].join('\n');
}

function line(text: string | null): string {
  return text?.replaceAll('\n', ', ') ?? 'none';
}

function describeCalendar(of: { readonly time_zone: string; readonly anchor_day: number }): string {
  return `${of.time_zone}, anchor day ${of.anchor_day}`;
}

function describeBook({ price_book_now: book }: ShownTenantAnswer): string {
  if (book === null) return 'none, and no default: its usage has no price';
  return `${book.book} (${book.currency})${book.by_default ? ', the default' : ''}`;
}

function periodsTable({ periods }: ShownTenantAnswer, table: DrawTable): string {
  return table(periods, [
    { title: 'PERIOD', value: (row) => row.period_start },
    { title: 'ENDS', value: (row) => timeOf(row.ends_at), spare: true },
    { title: 'STATE', value: (row) => row.state },
    { title: 'MODE', value: (row) => row.mode },
    { title: 'ENTRIES', value: (row) => figureOf(row.entries), figure: true },
    {
      title: 'CHARGE',
      value: (row) => moneyText(row.charge_total ?? row.charge_exact),
      figure: true,
    },
    { title: '', value: (row) => row.currency ?? '' },
    { title: 'TOLD', value: (row) => words(row.told ?? '') },
    { title: 'INVOICE', value: (row) => row.invoice_id ?? '' },
  ]);
}

function pushesTable({ pushes }: ShownTenantAnswer, table: DrawTable): string {
  return table(pushes, [
    { title: 'PUSH OF', value: (row) => row.period_start },
    { title: 'TO', value: (row) => words(row.destination) },
    { title: 'PUSHED', value: (row) => amountOfMicro(row.value), figure: true },
    { title: 'STATE', value: (row) => row.state },
    { title: 'ATTEMPTS', value: (row) => String(row.attempts), figure: true },
    { title: 'CONFIRMED', value: (row) => timeOf(row.confirmed_at ?? '') },
    { title: 'IDENTIFIER', value: (row) => row.identifier, spare: true },
  ]);
}
