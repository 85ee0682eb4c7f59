import type { Command } from 'commander';
import { Option } from 'commander';
import { readRequest } from '../../request.ts';
import { listTenants } from '../../tenants/list-tenants.ts';
import type { SetTenantParts } from '../../tenants/set-tenant.ts';
import { setTenant } from '../../tenants/set-tenant.ts';
import type { TenantAnswer } from '../../tenants/tenant-answer.ts';
import { setTenantRequest } from '../../tenants/tenant-answer.ts';
import { addActor } from '../terminal/actor.ts';
import { linesOfText, readAnchorDay, readInstant } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { commandToType, withRemedy } from '../terminal/commands-to-type.ts';
import { timeOf } from '../terminal/figures.ts';
import type { Session } from '../terminal/session.ts';
import { openStripeParts } from '../terminal/stripe-parts.ts';
import { addTenantClose } from './tenant-close.ts';
import { addTenantShow } from './tenant-show.ts';
import { addTenantStay } from './tenant-stay.ts';

export function addTenant(program: Command): void {
  const group = program.command('tenant').description('who is billed');
  addSet(group);
  addList(group);
  addTenantShow(group);
  addTenantClose(group);
  addTenantStay(group);
}

function addSet(group: Command): void {
  const command = group
    .command('set')
    .argument('<tenant>')
    .description('create or change a tenant; anything you leave out stays as it is')
    .addOption(new Option('--mode <mode>', 'shadow is never pushed').choices(['shadow', 'live']))
    .option('--time-zone <zone>', 'IANA zone of its billing periods')
    .option('--anchor-day <n>', 'day of the month on which periods begin', readAnchorDay)
    .option('--price-book <book>', 'the charge book that it pays by')
    .option(
      '--price-book-from <instant>',
      'from when that book holds; now, where you leave it out',
      readInstant,
    )
    .option('--stripe-customer <id>', "its customer in Stripe, cus_…; '' takes it away")
    .option('--name <name>', "what its statements call it; '' takes it away")
    .option('--address <lines>', 'its address, with \\n between the lines')
    .option('--contact <contact>', 'whom its statements are for');
  perform<TenantFlags>(addActor(command), async (session, { args: [tenant_id = ''], options }) => {
    const parts = { ...session.parts(), ...(await customerCheck(session)) };
    const request = readRequest(setTenantRequest, {
      tenant_id,
      mode: options.mode,
      time_zone: options.timeZone,
      anchor_day: options.anchorDay,
      price_book: options.priceBook,
      price_book_from: options.priceBookFrom,
      stripe_customer: options.stripeCustomer,
      name: options.name,
      address: options.address === undefined ? undefined : linesOfText(options.address),
      contact: options.contact,
    });
    const tenant = await setTenant(parts, request);
    const toRerate = tenant.to_rerate.map(
      (month) =>
        `\nits charges of ${month} are in another currency; price them again: ${commandToType({ operation: 'rerate', month, tenant_id })}`,
    );
    const named = [...tenant.left_owed, ...tenant.decided_by_mode].map(
      ({ detail, remedy }) => `\n${withRemedy(detail, remedy)}`,
    );
    session.out.answer(
      tenant,
      (shown) => `${shown.tenant_id}: ${describe(shown)}${[...toRerate, ...named].join('')}`,
    );
  });
}

/** A customer is looked up where a key is configured. */
async function customerCheck(session: Session): Promise<Pick<SetTenantParts, 'checkCustomer'>> {
  if (session.config.STRIPE_API_KEY === undefined) return {};
  const { findUnfitCustomer } = await import('../../stripe/customers/check-customer.ts');
  const parts = await openStripeParts(session);
  return { checkCustomer: (of) => findUnfitCustomer(parts, of) };
}

interface TenantFlags {
  readonly mode?: TenantAnswer['mode'];
  readonly timeZone?: string;
  readonly anchorDay?: number;
  readonly priceBook?: string;
  readonly priceBookFrom?: string;
  readonly stripeCustomer?: string;
  readonly name?: string;
  readonly address?: string;
  readonly contact?: string;
}

function addList(group: Command): void {
  const command = group.command('list').description('all tenants');
  perform(command, async (session) => {
    const tenants = await listTenants(session.parts());
    const text = session.out.table(tenants, [
      { title: 'TENANT', value: (row) => row.tenant_id },
      { title: 'MODE', value: (row) => row.mode },
      { title: 'TIME ZONE', value: (row) => row.calendar_now.time_zone },
      {
        title: 'DAY',
        value: (row) => String(row.calendar_now.anchor_day),
        figure: true,
        spare: true,
      },
      { title: 'PRICE BOOK', value: (row) => row.price_book ?? '(default)' },
      { title: 'CUSTOMER', value: (row) => row.stripe_customer ?? '' },
      { title: 'REGISTERED', value: (row) => (row.registered ? 'yes' : 'by no one') },
      { title: 'CLOSED UNTIL', value: (row) => timeOf(row.closed_until ?? ''), spare: true },
      { title: 'LEFT', value: (row) => timeOf(row.left_at ?? ''), spare: true },
      {
        title: '',
        value: (row) => {
          const leave = row.leaves_at === null ? [] : [`leaves at ${timeOf(row.leaves_at)}`];
          const calendar = isToCome(row) ? [calendarOf(row)] : [];
          const toCome = [...calendar, ...bookToCome(row), ...leave];
          return toCome.length === 0 ? '' : `to come: ${toCome.join('; ')}`;
        },
        below: true,
      },
    ]);
    session.out.answer(tenants, text);
  });
}

/** Tells whether the calendar waits for the end of the present period (R16). */
function isToCome({ time_zone, anchor_day, calendar_now: now }: TenantAnswer): boolean {
  return time_zone !== now.time_zone || anchor_day !== now.anchor_day;
}

function calendarOf(tenant: TenantAnswer): string {
  const from = tenant.calendar_from === null ? '' : ` from ${timeOf(tenant.calendar_from)}`;
  return `${tenant.time_zone}, anchor day ${tenant.anchor_day}${from}`;
}

function describe(tenant: TenantAnswer): string {
  const now =
    tenant.price_book === null ? 'the default price book' : `price book ${tenant.price_book}`;
  const book = [now, ...bookToCome(tenant)].join(' and ');
  const customer = tenant.stripe_customer ?? 'no Stripe customer';
  const name = tenant.name === null ? '' : `${tenant.name}, `;
  return `${name}${tenant.mode}, ${calendarOf(tenant)}, ${book}, ${customer}`;
}

function bookToCome({ price_book_to_come: next }: TenantAnswer): readonly string[] {
  return next === null ? [] : [`price book ${next.price_book} from ${timeOf(next.effective_from)}`];
}
