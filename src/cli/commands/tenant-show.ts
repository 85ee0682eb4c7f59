import type { Command } from 'commander';
import { readRequest } from '../../request.ts';
import { showTenant } from '../../tenants/show-tenant.ts';
import type { ShownTenantAnswer } from '../../tenants/tenant-answer.ts';
import { showTenantRequest } from '../../tenants/tenant-answer.ts';
import { readCount } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { table } from '../terminal/output.ts';

export function addTenantShow(group: Command): void {
  const command = group
    .command('show')
    .argument('<tenant>')
    .description('everything of one tenant with its history')
    .option('--most <n>', 'how many of its last periods and pushes', readCount, 12);
  perform<{ most: number }>(command, async (session, { args: [tenant_id = ''], options }) => {
    const request = readRequest(showTenantRequest, { tenant_id, most: options.most });
    const answer = await showTenant(session.parts(), request);
    session.out.answer(answer, textOf(answer));
  });
}

function textOf(tenant: ShownTenantAnswer): string {
  const left = tenant.left_at === null ? [] : [['left', tenant.left_at] as const];
  const rows: readonly (readonly [string, string])[] = [
    ['name', tenant.name ?? 'none: its statements say its id'],
    ['address', tenant.address?.replaceAll('\n', ', ') ?? 'none'],
    ['contact', tenant.contact ?? 'none'],
    ['mode', tenant.mode],
    ['calendar', describeCalendar(tenant.calendar_now)],
    ...tenant.calendars.slice(1).map((calendar) => {
      return [`  from ${calendar.effective_from}`, describeCalendar(calendar)] as const;
    }),
    ['price book', describeBook(tenant)],
    ...tenant.price_books.map(({ effective_from, price_book }) => {
      return [`  from ${effective_from ?? 'ever'}`, price_book] as const;
    }),
    ['Stripe customer', tenant.stripe_customer ?? 'none'],
    ['made', tenant.created_at],
    ['registered', tenant.registered_at ?? 'by no one: only events named it'],
    ['closed until', tenant.closed_until ?? 'nothing is closed'],
    ...left,
    ...tenant.changes.map(({ at, setting, was, became, actor }) => {
      return [`at ${at}`, `${setting}: ${line(was)} → ${line(became)} (${actor})`] as const;
    }),
  ];
  const wide = Math.max(...rows.map(([name]) => name.length)) + 2;
  return [
    tenant.tenant_id,
    ...rows.map(([name, value]) => `${name.padEnd(wide)}${value}`),
    '',
    tenant.periods.length === 0 ? 'no period yet' : periodsTable(tenant),
    ...(tenant.pushes.length === 0 ? [] : ['', pushesTable(tenant)]),
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

function periodsTable({ periods }: ShownTenantAnswer): string {
  return table(periods, [
    { title: 'PERIOD', value: (row) => row.period_start },
    { title: 'ENDS', value: (row) => row.ends_at },
    { title: 'STATE', value: (row) => row.state },
    { title: 'MODE', value: (row) => row.mode },
    { title: 'ENTRIES', value: (row) => String(row.entries), figure: true },
    { title: 'CHARGE', value: (row) => row.charge_total ?? row.charge_exact, figure: true },
    { title: '', value: (row) => row.currency ?? '' },
    { title: 'TOLD', value: (row) => row.told?.replace('_', ' ') ?? '' },
    { title: 'INVOICE', value: (row) => row.invoice_id ?? '' },
  ]);
}

function pushesTable({ pushes }: ShownTenantAnswer): string {
  return table(pushes, [
    { title: 'PUSH OF', value: (row) => row.period_start },
    { title: 'TO', value: (row) => row.destination.replace('_', ' ') },
    { title: 'MILLIONTHS', value: (row) => row.value, figure: true },
    { title: 'STATE', value: (row) => row.state },
    { title: 'ATTEMPTS', value: (row) => String(row.attempts), figure: true },
    { title: 'CONFIRMED', value: (row) => row.confirmed_at ?? '' },
    { title: 'IDENTIFIER', value: (row) => row.identifier },
  ]);
}
