import { formatInstant } from '../clock.ts';
import { migrateDatabase } from '../database/migrate-database.ts';
import type { CalendarMonth } from '../month/last-ended-month.ts';
import { seedCostBook } from '../rating/books/genai-seed.ts';
import { importPriceBook } from '../rating/books/price-book-store.ts';
import { setUpStripe } from '../stripe/set-up-stripe.ts';
import { setTenant } from '../tenants/tenant-store.ts';
import { DEMO_TENANTS, demoChargeBooks } from './cast.ts';
import type { DemoParts } from './demo-parts.ts';

/** The prices take effect so long before the month. */
const PRICED_BEFORE_MS = 40 * 24 * 60 * 60 * 1000;

/** The schema, prices, tenants with their customers, and a meter: what an operator does once. */
export async function setUpDemo(parts: DemoParts, month: CalendarMonth): Promise<void> {
  const { database, double, clock, say } = parts;
  await migrateDatabase(parts, { citus: false, roles: false });
  const effectiveFrom = formatInstant(month.startsAt - PRICED_BEFORE_MS);
  const cost = seedCostBook({ book: 'providers', effectiveFrom, currency: 'USD' });
  for (const book of [...demoChargeBooks(effectiveFrom), ...cost]) {
    await importPriceBook(database, book, clock());
  }
  say(
    `imported charge books standard and enterprise, and provider prices of ${cost[0]?.models.length} models`,
  );
  for (const { tenantId, weight: _, ...change } of DEMO_TENANTS) {
    const stripeCustomer = `cus_${tenantId.replaceAll('-', '_')}`;
    double.control.addCustomer({ id: stripeCustomer });
    await setTenant(database, tenantId, { ...change, stripeCustomer, at: clock() });
  }
  const meterOnly = { customers: false, subscriptions: false, tenant_id: null };
  const { event_name: meter } = await setUpStripe(parts, { currency: 'USD', ...meterOnly });
  say(`registered ${DEMO_TENANTS.length} tenants, and set up Stripe meter ${meter}`);
}
