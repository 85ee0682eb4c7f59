import { systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { createKey } from '../../src/keys/create-key.ts';
import { saveMeter } from '../../src/stripe/meters/meter-store.ts';
import { setUpMeter } from '../../src/stripe/meters/set-up-meter.ts';
import { openStripe } from '../../src/stripe/stripe-client.ts';
import type { startStripeDouble } from '../../src/stripe-double/stripe-double.ts';
import { importBooks, makeTenant } from './ledger.ts';

/**
 * Makes what a bridge of real processes needs before it starts: the schema, a book, live tenants `t0`, `t1` and so on
 * with their customers, and a meter. Returns the key of a producer.
 */
export async function makeLiveLedger(
  database: Database,
  double: Awaited<ReturnType<typeof startStripeDouble>>,
  { tenants, actor }: { readonly tenants: number; readonly actor: string },
): Promise<string> {
  await migrate(database);
  await importBooks(database, 'standard', 'cost');
  for (let tenant = 0; tenant < tenants; tenant += 1) {
    const stripeCustomer = `cus_t${tenant}`;
    double.control.addCustomer({ id: stripeCustomer });
    await makeTenant(database, `t${tenant}`, { mode: 'live', stripeCustomer });
  }
  const stripe = openStripe({ apiKey: double.apiKey, apiBase: double.url });
  const made = { livemode: false, account: null, at: systemClock() };
  await saveMeter(database, await setUpMeter(stripe, 'USD'), made);
  const unscoped = { tenant_id: null, source: null, tenant_ids: null, rate: null };
  const unending = { expires_at: null, expires_in_days: null, actor };
  const wanted = { role: 'ingest', name: null, ...unscoped, ...unending } as const;
  return (await createKey({ database, clock: systemClock }, wanted)).key;
}
