import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { startEmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { openLog } from '../../src/log.ts';
import { pushMonth } from '../../src/stripe/push.ts';
import { saveMeter } from '../../src/stripe/push-store.ts';
import { reconcileMonth } from '../../src/stripe/reconcile.ts';
import { setUpMeter } from '../../src/stripe/setup.ts';
import { openStripe } from '../../src/stripe/stripe-client.ts';
import { startStripeDouble } from '../../src/stripe-double/stripe-double.ts';

/**
 * Ten thousand tenants pushed in one run that dies on the way, in a second that goes on, and in a third
 * that finds nothing to do; then reconciled. `node test/long/stripe-ten-thousand.ts [tenants]`
 */
const tenants = Number(process.argv[2] ?? 10_000);
const MONTH = '2026-10';
const NOW = Date.parse('2026-11-01T01:00:00Z');

class Killed extends Error {}

const postgres = await startEmbeddedPostgres({ fsync: 'off' });
const double = await startStripeDouble({ now: NOW, frozen: true, latencyMs: 0 });
const database = openDatabase({ url: postgres.url, connections: 10, onConnectionLost: () => {} });
try {
  await migrate(database);
  await fillMonth();
  const stripe = openStripe({ apiKey: double.apiKey, apiBase: double.url });
  const { now: clock } = double.control;
  const parts = { database, stripe, livemode: false, clock, log: openLog('warn') };
  await saveMeter(database, await setUpMeter(stripe, 'USD'), { livemode: false, at: clock() });

  const dieAt = Math.floor(tenants * 0.4);
  await measured('first run, killed at 40 %', async () => {
    const onProgress = (done: number) => {
      if (done >= dieAt) throw new Killed();
    };
    await pushMonth({ ...parts, onProgress }, MONTH).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    return `${double.control.meterEvents().length} events at Stripe`;
  });
  await measured('second run', async () => {
    let told = 0;
    const results = await pushMonth({ ...parts, onProgress: () => (told += 1) }, MONTH);
    const confirmed = results.filter((result) => result.state === 'confirmed').length;
    return `${confirmed} confirmed, ${double.control.meterEvents().length} events at Stripe, progress told ${told} times`;
  });
  await measured('third run', async () => {
    const results = await pushMonth(parts, MONTH);
    return `${results.filter((result) => result.state === 'confirmed').length} confirmed`;
  });
  await measured('reconcile', async () => {
    const rows = await reconcileMonth(parts, MONTH);
    return `${rows.filter((row) => !row.explained).length} unexplained of ${rows.length}`;
  });
} finally {
  await closeDatabase(database);
  await Promise.all([postgres.stop(), double.close()]);
}

/** Requests, queries and seconds of one part; ratios say more than the seconds of one machine. */
async function measured(name: string, work: () => Promise<string>): Promise<void> {
  const requests = double.control.requests().length;
  const start = performance.now();
  const said = await work();
  const seconds = (performance.now() - start) / 1000;
  const made = double.control.requests().length - requests;
  const each = (made / tenants).toFixed(2);
  console.log(
    `${name}: ${said}; ${made} requests (${each} a tenant), ${seconds.toFixed(1)} s, ${Math.round(tenants / seconds)} tenants a second`,
  );
}

async function fillMonth(): Promise<void> {
  await database.pool.query(
    `insert into tenants (tenant_id, mode, stripe_customer, created_at)
       select 't' || n, 'live', 'cus_t' || n, '2026-09-01' from generate_series(1, $1) n`,
    [tenants],
  );
  await database.pool.query(
    `insert into periods select tenant_id, '2026-10-01', '2026-10-01T00:00:00Z', '2026-11-01T00:00:00Z', 'UTC', 'closed'
       from tenants where mode = 'live'`,
  );
  await database.pool.query(
    `insert into closes (tenant_id, period_start, manifest, manifest_hash, entries, currency, charge_exact,
         carried_in, billable_micro, carried_out, charge_total, closed_at)
       select tenant_id, '2026-10-01', '{}', 'none', 0, 'USD', 12345000000, 0, 12345, 0, 1, '2026-11-01T00:30:00Z'
       from tenants where mode = 'live'`,
  );
  for (let n = 1; n <= tenants; n += 1) double.control.addCustomer({ id: `cus_t${n}` });
}
