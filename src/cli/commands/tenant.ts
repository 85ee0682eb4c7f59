import type { Command } from 'commander';
import { Option } from 'commander';
import { formatInstant, type InstantMs, parseInstant } from '../../clock.ts';
import type { CalendarRule } from '../../periods/calendar.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { TenantChange } from '../../tenants/tenant-store.ts';
import { readTenants, setTenant } from '../../tenants/tenant-store.ts';
import { readAnchorDay, readInstant } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { table } from '../terminal/output.ts';

export function addTenant(program: Command): void {
  const group = program.command('tenant').description('who is billed');
  addSet(group);
  addList(group);
}

function addSet(group: Command): void {
  const command = group
    .command('set')
    .argument('<tenant>')
    .description('make or change a tenant; what is not given stays as it is')
    .addOption(new Option('--mode <mode>', 'shadow is never pushed').choices(['shadow', 'live']))
    .option('--time-zone <zone>', 'IANA zone of its billing periods')
    .option('--anchor-day <n>', 'day of the month on which periods begin', readAnchorDay)
    .option('--price-book <book>', 'the charge book that it pays by')
    .option('--price-book-from <instant>', 'from when that book holds', readInstant)
    .option('--stripe-customer <id>', 'its customer in Stripe, cus_…');
  perform<TenantChange>(command, async (session, { args: [tenantId = ''], options }) => {
    const change = { ...options, at: session.clock() };
    const tenant = document(await setTenant(session.database(), tenantId, change));
    session.out.answer(tenant, `${tenant.tenant_id}: ${describe(tenant)}`);
  });
}

function addList(group: Command): void {
  const command = group.command('list').description('all tenants');
  perform(command, async (session) => {
    const tenants = await readTenants(session.database().kysely, 'all');
    const now = session.clock();
    const rows = tenants.map((tenant) => ({ ...document(tenant), now: ruleAt(tenant, now) }));
    const text = table(rows, [
      { title: 'TENANT', value: (row) => row.tenant_id },
      { title: 'MODE', value: (row) => row.mode },
      { title: 'TIME ZONE', value: (row) => row.now?.timeZone ?? '' },
      { title: 'ANCHOR', value: (row) => String(row.now?.anchorDay ?? ''), figure: true },
      { title: 'PRICE BOOK', value: (row) => row.price_book ?? '(default)' },
      { title: 'STRIPE CUSTOMER', value: (row) => row.stripe_customer ?? '' },
      { title: 'CLOSED UNTIL', value: (row) => row.closed_until ?? '' },
      { title: 'CALENDAR TO COME', value: (row) => (isToCome(row, now) ? calendarOf(row) : '') },
    ]);
    session.out.answer(tenants.map(document), text);
  });
}

function ruleAt({ calendar }: Tenant, now: InstantMs): CalendarRule | undefined {
  return calendar.findLast(({ effectiveFrom }) => effectiveFrom === null || effectiveFrom <= now);
}

type TenantDocument = ReturnType<typeof document>;

/** Whether the calendar waits for the end of the present period (R16). */
function isToCome({ calendar_from: from }: TenantDocument, now: InstantMs): boolean {
  return from !== null && parseInstant(from) > now;
}

function calendarOf(tenant: TenantDocument): string {
  const from = tenant.calendar_from === null ? '' : ` from ${tenant.calendar_from}`;
  return `${tenant.time_zone}, anchor day ${tenant.anchor_day}${from}`;
}

/** A tenant as the command line shows it; the calendar is the newest rule. */
function document(tenant: Tenant) {
  const rule = tenant.calendar.at(-1);
  return {
    tenant_id: tenant.tenantId,
    mode: tenant.mode,
    time_zone: rule?.timeZone ?? 'UTC',
    anchor_day: rule?.anchorDay ?? 1,
    calendar_from: rule?.effectiveFrom == null ? null : formatInstant(rule.effectiveFrom),
    price_book: tenant.books[0]?.book ?? null,
    stripe_customer: tenant.stripeCustomer,
    closed_until: tenant.closedUntil === null ? null : formatInstant(tenant.closedUntil),
  };
}

function describe(tenant: TenantDocument): string {
  const book =
    tenant.price_book === null ? 'the default price book' : `price book ${tenant.price_book}`;
  const customer = tenant.stripe_customer ?? 'no Stripe customer';
  return `${tenant.mode}, ${calendarOf(tenant)}, ${book}, ${customer}`;
}
