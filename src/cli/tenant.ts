import type { Command } from 'commander';
import { Option } from 'commander';
import { formatInstant } from '../clock.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { TenantChange } from '../tenants/tenant-store.ts';
import { readTenants, setTenant } from '../tenants/tenant-store.ts';
import { readAnchorDay, readInstant } from './arguments.ts';
import { perform } from './command.ts';
import { table } from './output.ts';

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
    const tenants = (await readTenants(session.database().kysely, 'all')).map(document);
    const text = table(tenants, [
      { title: 'TENANT', value: (row) => row.tenant_id },
      { title: 'MODE', value: (row) => row.mode },
      { title: 'TIME ZONE', value: (row) => row.time_zone },
      { title: 'ANCHOR', value: (row) => String(row.anchor_day), figure: true },
      { title: 'PRICE BOOK', value: (row) => row.price_book ?? '(default)' },
      { title: 'STRIPE CUSTOMER', value: (row) => row.stripe_customer ?? '' },
      { title: 'CLOSED UNTIL', value: (row) => row.closed_until ?? '' },
    ]);
    session.out.answer(tenants, text);
  });
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

function describe(tenant: ReturnType<typeof document>): string {
  const calendar = `${tenant.time_zone}, anchor day ${tenant.anchor_day}`;
  const from = tenant.calendar_from === null ? '' : ` from ${tenant.calendar_from}`;
  const book =
    tenant.price_book === null ? 'the default price book' : `price book ${tenant.price_book}`;
  const customer = tenant.stripe_customer ?? 'no Stripe customer';
  return `${tenant.mode}, ${calendar}${from}, ${book}, ${customer}`;
}
