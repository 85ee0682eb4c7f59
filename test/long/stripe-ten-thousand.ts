import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseInstant, systemClock, utcDay } from '../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { startEmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { openLog } from '../../src/log.ts';
import { saveMeter } from '../../src/stripe/meters/meter-store.ts';
import { setUpMeter } from '../../src/stripe/meters/set-up-meter.ts';
import { reconcileMonth } from '../../src/stripe/reconcile-month.ts';
import { openStripe } from '../../src/stripe/stripe-client.ts';
import { startStripeDouble } from '../../src/stripe-double/stripe-double.ts';
import { ofMonth } from '../support/stripe.ts';

/**
 * Ten thousand tenants pushed by a command that is killed on the way, by a second that goes on, and by a
 * third that finds nothing to do; then reconciled. `node test/long/stripe-ten-thousand.ts [tenants]`
 */
const tenants = Number(process.argv[2] ?? 10_000);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** The month that is over by the clock of this machine, which the command's is. */
const NOW = systemClock();
const NEXT_MONTH = `${utcDay(NOW).slice(0, 7)}-01`;
const MONTH = utcDay(parseInstant(`${NEXT_MONTH}T00:00:00Z`) - 1).slice(0, 7);

const postgres = await startEmbeddedPostgres({ fsync: 'off' });
const double = await startStripeDouble({ now: NOW, frozen: true, latencyMs: 0 });
const database = openDatabase({ url: postgres.url, connections: 10, onConnectionLost: () => {} });
try {
  await migrate(database);
  await fillMonth();
  const stripe = openStripe({ apiKey: double.apiKey, apiBase: double.url });
  const { now: clock } = double.control;
  const parts = { database, stripe, livemode: false, clock, log: openLog('warn') };
  await saveMeter(database, await setUpMeter(stripe, 'USD'), {
    livemode: false,
    account: null,
    at: clock(),
  });

  const killAt = Math.floor(tenants * 0.4);
  await measured('first push, killed at 40 %', async () => {
    const { child, ended } = startPush();
    const watch = setInterval(() => {
      if (double.control.meterEvents().length >= killAt) child.kill('SIGKILL');
    }, 10);
    const { signal } = await ended;
    clearInterval(watch);
    return `ended by ${signal}, ${await statesOfIntents()}, ${atStripe()}`;
  });
  for (const name of ['second push', 'third push']) {
    await measured(name, async () => {
      const { exitCode } = await startPush().ended;
      return `exit code ${exitCode}, ${await statesOfIntents()}, ${atStripe()}`;
    });
  }
  await measured('reconcile', async () => {
    const rows = await reconcileMonth(parts, ofMonth(MONTH));
    return `${rows.filter((row) => !row.explained).length} unexplained of ${rows.length}`;
  });
} finally {
  await closeDatabase(database);
  await Promise.all([postgres.stop(), double.close()]);
}

/** `spanledger push` as its user runs it, in a process of its own. */
function startPush() {
  const env = {
    PATH: process.env['PATH'] ?? '',
    DATABASE_URL: postgres.url,
    STRIPE_API_BASE: double.url,
    STRIPE_API_KEY: double.apiKey,
    SPANLEDGER_LOG_LEVEL: 'warn',
  };
  const stdio = ['ignore', 'ignore', 'inherit'] as const;
  const child = spawn(process.execPath, [MAIN, 'push', MONTH, '--json'], {
    env,
    stdio: [...stdio],
  });
  const ended = once(child, 'exit').then(([exitCode, signal]) => ({ exitCode, signal }));
  return { child, ended };
}

async function statesOfIntents(): Promise<string> {
  const { rows } = await database.pool.query<{ said: string | null }>(
    `select string_agg(count || ' ' || state, ', ') as said
     from (select state, count(*) from push_intents group by state order by state) counted`,
  );
  return `intents: ${rows[0]?.said ?? 'none'}`;
}

function atStripe(): string {
  const events = double.control.meterEvents();
  return `${events.length} events of ${new Set(events.map((event) => event.customer)).size} customers at Stripe`;
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
    `insert into periods select tenant_id, $1::date, $1::timestamp at time zone 'UTC', $2::timestamp at time zone 'UTC',
         'UTC', 'closed' from tenants where mode = 'live'`,
    [`${MONTH}-01`, NEXT_MONTH],
  );
  await database.pool.query(
    `insert into closes (tenant_id, period_start, manifest, manifest_hash, entries, currency, charge_exact,
         carried_in, billable_micro, carried_out, charge_total, closed_at, mode)
       select tenant_id, $1::date, '{}', 'none', 0, 'USD', 12345000000, 0, 12345, 0, 1, now(), 'live'
       from tenants where mode = 'live'`,
    [`${MONTH}-01`],
  );
  for (let n = 1; n <= tenants; n += 1) double.control.addCustomer({ id: `cus_t${n}` });
}
