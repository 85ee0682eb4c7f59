import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { createKey } from '../../src/keys/create-key.ts';
import { openLog } from '../../src/log.ts';
import { readAccount } from '../../src/stripe/account.ts';
import { setUpSubscriptions } from '../../src/stripe/customers/subscription.ts';
import { saveMeter } from '../../src/stripe/meters/meter-store.ts';
import { setUpMeter } from '../../src/stripe/meters/set-up-meter.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';
import type { StripeDouble } from '../../src/stripe-double/stripe-double.ts';
import { startStripeDouble } from '../../src/stripe-double/stripe-double.ts';
import { addEndpoint } from '../../src/webhooks/manage-endpoints.ts';
import { putBudget } from '../support/budgets.ts';
import { createDatabase, resetTables } from '../support/database.ts';
import { importBooks, makeTenant } from '../support/ledger.ts';
import { BOXED, BOXED_LIMIT, TENANTS } from './accepted.ts';
import { joinedStripe } from './held-stripe.ts';
import { ServerProcesses } from './server-processes.ts';

/** Postgres, Stripe's double and what is set up in them, for one seed after another. */
export interface SimulationBench {
  readonly double: StripeDouble;
  /** Undisturbed: what nobody of the simulation stands behind. */
  readonly parts: StripeParts;
  readonly processes: ServerProcesses;
  /** The key of a producer. */
  readonly key: () => string;
  /** Makes everything as it is before the first act. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

export const WEBHOOK_SECRET = 'whsec_simulation';
export const SERVE = 'http://serve.simulation';
/** The first month that is billed. */
export const FIRST_MONTH = '2026-10';
const SET_UP_AT = '2026-10-01T00:00:01Z';
const BEGINS_AT = '2026-10-30T20:00:00Z';
/** All processes of the simulation together have no more. */
const CONNECTIONS = 40;

export async function openBench(): Promise<SimulationBench> {
  const { database: own, drop } = await createDatabase({ connections: 1 });
  const open = (connections: number) =>
    openDatabase({ url: own.url, connections, onConnectionLost: () => {} });
  const database = open(CONNECTIONS);
  // One that nobody needed for some seconds would be opened anew, and a session begins by reading the schema.
  database.pool.options.idleTimeoutMillis = 0;
  const observer = open(1);
  const double = await startStripeDouble({
    frozen: true,
    latencyMs: 0,
    now: parseInstant(SET_UP_AT),
  });
  const processes = new ServerProcesses(observer);
  const letAllGo = () => processes.letAllGo();
  process.once('exit', letAllGo);
  const stripe = joinedStripe(double);
  const log = openLog('silent');
  const parts = { database, stripe, livemode: false, clock: double.control.now, log };
  let key = '';
  return {
    double,
    parts,
    processes,
    key: () => key,
    async renew() {
      await emptyTables(observer);
      key = await setUp(parts, double);
    },
    async close() {
      process.off('exit', letAllGo);
      await Promise.all([closeDatabase(database), closeDatabase(observer)]);
      await double.close();
      await drop();
    },
  };
}

/**
 * Every table is as a new one: where its rows lie on the disk, and so in which order they come where no order is asked
 * for, is then the same for a seed, whatever was played before it.
 */
async function emptyTables(database: Database): Promise<void> {
  const { rows } = await database.pool.query<{ names: string | null }>(
    `select string_agg(name, ', ') as names from pristine.own_tables() name
     where pg_relation_size(name::regclass) > 0`,
  );
  const names = rows[0]?.names ?? null;
  const asReplica = 'set local session_replication_role = replica';
  if (names !== null) await database.pool.query(`${asReplica}; truncate ${names} cascade`);
  if (!(await resetTables({ keeper: database }))) throw new Error('the schema was changed');
}

/** Books, tenants, a budget, what Stripe needs; answers with the key of a producer. */
async function setUp(parts: StripeParts, { control }: StripeDouble): Promise<string> {
  const { database, stripe, clock } = parts;
  control.reset();
  await importBooks(database, 'standard', 'cost');
  for (const { tenantId, mode, timeZone } of TENANTS) {
    control.addCustomer({ id: `cus_${tenantId}` });
    await makeTenant(database, tenantId, { mode, timeZone, stripeCustomer: `cus_${tenantId}` });
  }
  const meter = await setUpMeter(stripe, 'USD');
  const account = await readAccount(stripe);
  await saveMeter(database, meter, { livemode: false, account, at: clock() });
  await setUpSubscriptions(parts, meter);
  const hears = { url: 'http://127.0.0.1:1/', events: null, actor: 'simulation' };
  await addEndpoint({ ...parts, allowsPrivateWebhooks: true }, hears);
  await putBudget(database, { tenant_id: BOXED, per: 'once', amount: BOXED_LIMIT }, SET_UP_AT);
  const unscoped = { tenant_id: null, source: null, tenant_ids: null, rate: null };
  const unending = { expires_at: null, expires_in_days: null, actor: 'simulation' };
  const { key } = await createKey(parts, { role: 'ingest', name: null, ...unscoped, ...unending });
  await control.setClock(parseInstant(BEGINS_AT));
  control.addWebhookEndpoint({ url: `${SERVE}/stripe/webhook`, secret: WEBHOOK_SECRET });
  return key;
}
