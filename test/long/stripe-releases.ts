import Stripe from 'stripe';
import { parseInstant, systemClock } from '../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { startEmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { openLog } from '../../src/log.ts';
import { releaseInvoices } from '../../src/stripe/invoices/invoice.ts';
import { saveMeter } from '../../src/stripe/meters/meter-store.ts';
import { setUpMeter } from '../../src/stripe/meters/set-up-meter.ts';
import { openPacers, pacedHttpClient } from '../../src/stripe/pacer.ts';
import { unrepeatedHttpClient } from '../../src/stripe/send-once.ts';
import { startStripeDouble } from '../../src/stripe-double/stripe-double.ts';

/**
 * Ten thousand held drafts let go at the pace that Stripe allows, by a double that answers 429 beyond it: how many
 * requests a second arrive at the most, how many are refused, and how long it takes. `node test/long/stripe-releases.ts [invoices]`
 */
const invoices = Number(process.argv[2] ?? 10_000);
const MONTH = '2026-10';
const STRIPES_LIMIT = 25;

const postgres = await startEmbeddedPostgres({ fsync: 'off' });
const now = parseInstant('2026-11-01T00:30:00Z');
const double = await startStripeDouble({ now, frozen: true, latencyMs: 0 });
const database = openDatabase({ url: postgres.url, connections: 10, onConnectionLost: () => {} });
try {
  await migrate(database);
  await fill();
  const arrivals: number[] = [];
  const client = unrepeatedHttpClient(Stripe.createNodeHttpClient());
  const send = client.makeRequest.bind(client);
  let refused = 0;
  client.makeRequest = (...request) => {
    const now = performance.now();
    if (arrivals.slice(-STRIPES_LIMIT).filter((at) => at > now - 1000).length >= STRIPES_LIMIT) {
      refused += 1;
      double.control.injectFault({ kind: 'rate_limit', reason: 'endpoint-rate' });
    }
    arrivals.push(now);
    return send(...request);
  };
  const stripe = new Stripe(double.apiKey, {
    host: '127.0.0.1',
    port: double.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    httpClient: pacedHttpClient(client, openPacers(true)),
  });
  const clock = () => double.control.now();
  const parts = { database, stripe, livemode: false, clock, log: openLog('warn') };
  const began = systemClock();
  const released = await releaseInvoices(parts, { month: MONTH });
  const seconds = (systemClock() - began) / 1000;
  const letGo = released.filter(({ state }) => state === 'released').length;
  const most = mostInASecond(arrivals);
  console.log(
    `${letGo} of ${invoices} invoices let go in ${Math.round(seconds)} s (${Math.round(letGo / seconds)} a second) by ${arrivals.length} requests, at most ${most} of them in one second, ${refused} answered 429`,
  );
  if (letGo !== invoices || most > STRIPES_LIMIT) process.exitCode = 1;
} finally {
  await closeDatabase(database);
  await Promise.all([postgres.stop(), double.close()]);
}

function mostInASecond(arrivals: readonly number[]): number {
  let from = 0;
  let most = 0;
  for (const [index, at] of arrivals.entries()) {
    while ((arrivals[from] ?? at) <= at - 1000) from += 1;
    most = Math.max(most, index - from + 1);
  }
  return most;
}

/** Closed periods whose usage is proven, and a draft of each that was held. */
async function fill(): Promise<void> {
  double.control.addCustomer({ id: 'cus_all' });
  const stripe = new Stripe(double.apiKey, {
    host: '127.0.0.1',
    port: double.port,
    protocol: 'http',
  });
  const place = { livemode: false, account: null, at: now };
  await saveMeter(database, await setUpMeter(stripe, 'USD'), place);
  const ids: string[] = [];
  for (let n = 0; n < invoices; n += 1) {
    const { id = '' } = await stripe.invoices.create({ customer: 'cus_all', auto_advance: false });
    ids.push(id);
  }
  const { pool } = database;
  await pool.query(
    `insert into tenants (tenant_id, mode, stripe_customer, created_at)
       select 't' || n, 'live', 'cus_all', '2026-09-01' from generate_series(1, $1) n`,
    [invoices],
  );
  await pool.query(
    `insert into periods select tenant_id, '2026-10-01', '2026-10-01Z', '2026-11-01Z', 'UTC', 'closed'
       from tenants where mode = 'live'`,
  );
  await pool.query(
    `insert into closes (tenant_id, period_start, manifest, manifest_hash, entries, currency, charge_exact,
         carried_in, billable_micro, carried_out, charge_total, closed_at, mode)
       select tenant_id, '2026-10-01', '{}', 'none', 0, 'USD', 12345000000, 0, 12345, 0, 1, now(), 'live'
       from tenants where mode = 'live'`,
  );
  await pool.query(
    `insert into push_intents (tenant_id, period_start, sequence, identifier, meter, stripe_customer, value_micro,
       event_timestamp, state, created_at, proven_at)
     select tenant_id, '2026-10-01', 1, 'told-' || tenant_id, 'spanledger_usage_usd', 'cus_all', 12345, 0,
       'confirmed', now(), now() from tenants where mode = 'live'`,
  );
  await pool.query(
    `insert into stripe_invoices (invoice_id, tenant_id, period_start, stripe_customer, state, held_at)
       select id, 't' || n, '2026-10-01', 'cus_all', 'held', now() from unnest($1::text[]) with ordinality of(id, n)`,
    [ids],
  );
}
