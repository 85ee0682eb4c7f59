import { formatInstant } from '../clock.ts';
import { migrateDatabase } from '../database/migrate-database.ts';
import type { CalendarMonth } from '../month/last-ended-month.ts';
import { importPriceBooks } from '../rating/books/import-price-books.ts';
import { seedPriceBook } from '../rating/books/seed-price-book.ts';
import { setUpStripe } from '../stripe/set-up-stripe.ts';
import type { StripeParts } from '../stripe/stripe-parts.ts';
import { setTenant } from '../tenants/set-tenant.ts';
import { DEMO_TENANTS, demoChargeBooks } from './cast.ts';
import type { DemoParts } from './demo-parts.ts';

/** The prices take effect so long before the month. */
const PRICED_BEFORE_MS = 40 * 24 * 60 * 60 * 1000;

/** The schema, prices, tenants with their customers, and a meter: what an operator does once. */
export async function setUpDemo(
  parts: StripeParts & Pick<DemoParts, 'double' | 'say'>,
  month: CalendarMonth,
): Promise<void> {
  const { double, say } = parts;
  await migrateDatabase(parts, { citus: false, roles: false });
  const from = month.startsAt - PRICED_BEFORE_MS;
  await importPriceBooks(parts, { documents: demoChargeBooks(formatInstant(from)) });
  const cost = await seedPriceBook(parts, { book: 'providers', from, deployments: [] });
  say(
    `imported charge books standard and enterprise, and provider prices of ${cost.versions[0]?.models} models`,
  );
  for (const { weight: _, ...tenant } of DEMO_TENANTS) {
    const stripe_customer = `cus_${tenant.tenant_id.replaceAll('-', '_')}`;
    double.control.addCustomer({ id: stripe_customer });
    await setTenant(parts, { ...tenant, stripe_customer });
  }
  const meterOnly = { customers: false, subscriptions: false, tenant_id: null };
  const { event_name: meter } = await setUpStripe(parts, { currency: 'USD', ...meterOnly });
  say(`registered ${DEMO_TENANTS.length} tenants, and set up Stripe meter ${meter}`);
}
