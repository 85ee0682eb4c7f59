import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHttpServer } from '../../src/api/http-server.ts';
import { remedyText } from '../../src/cli/terminal/commands-to-type.ts';
import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { openLog } from '../../src/log.ts';
import type { MonthAnswer, StepAnswer } from '../../src/month/month-answer.ts';
import { runMonth } from '../../src/month/run-month.ts';
import { eventTimestampOf } from '../../src/push/push-target.ts';
import { readTargets } from '../../src/push/target-store.ts';
import { readAccount } from '../../src/stripe/account.ts';
import { setUpSubscriptions } from '../../src/stripe/customers/subscription.ts';
import type { StripeMeter } from '../../src/stripe/meters/meter-store.ts';
import { saveMeter } from '../../src/stripe/meters/meter-store.ts';
import { setUpMeter } from '../../src/stripe/meters/set-up-meter.ts';
import { openStripe } from '../../src/stripe/stripe-client.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';
import { type StripeDouble, startStripeDouble } from '../../src/stripe-double/stripe-double.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

/** A month of a few tenants, their subscriptions at the double, and its webhooks on their way to us. */
export interface BillingScene {
  readonly database: TestDatabase;
  readonly double: StripeDouble;
  readonly parts: StripeParts;
  readonly meter: StripeMeter;
  /** What stands between the statements and the final invoices; empty when they are equal. */
  differences(month?: string): Promise<readonly string[]>;
  /** Ends the endpoint, so that the scene after this one can have its own. */
  stopWebhooks(): Promise<void>;
  drop(): Promise<void>;
  close(): Promise<void>;
}

export interface SceneTenant {
  readonly tenantId: string;
  /** Tokens of each call in October; by default three calls. */
  readonly calls?: readonly number[];
  readonly timeZone?: string;
  readonly anchorDay?: number;
  readonly mode?: 'live' | 'shadow';
}

export interface SceneOptions {
  readonly tenants?: readonly SceneTenant[];
  /** A scene that is over: its database is emptied of what came after the usage, and used again. */
  readonly after?: BillingScene;
  readonly double?: StripeDouble;
  readonly withSubscriptions?: boolean;
  readonly withWebhooks?: boolean;
  readonly setUpAt?: string;
}

export const MONTH = '2026-10';
const SET_UP_AT = '2026-10-01T00:00:01Z';
const WEBHOOK_SECRET = 'whsec_scene';

export const ACME: SceneTenant = { tenantId: 'acme' };

export async function openBillingScene(options: SceneOptions = {}): Promise<BillingScene> {
  const { tenants = [ACME], withSubscriptions = true, withWebhooks = true } = options;
  const opened =
    options.after === undefined ? await createDatabase() : await emptied(options.after);
  const { database } = opened;
  const double = options.double ?? (await startDouble());
  double.control.reset();
  await double.control.setClock(parseInstant(options.setUpAt ?? SET_UP_AT));
  if (options.after === undefined) await fill(database, tenants);
  for (const { tenantId } of tenants) double.control.addCustomer({ id: customerOf(tenantId) });
  const stripe = openStripe({ apiKey: double.apiKey, apiBase: double.url });
  const log = openLog('silent');
  const parts = { database, stripe, livemode: false, clock: double.control.now, log };
  const meter = await setUpMeter(stripe, 'USD');
  const account = await readAccount(stripe);
  await saveMeter(database, meter, { livemode: false, account, at: parts.clock() });
  if (withSubscriptions) await setUpSubscriptions(parts, meter);
  const server = withWebhooks
    ? await startHttpServer({
        parts,
        webhook: { parts, secret: WEBHOOK_SECRET },
        host: '127.0.0.1',
        port: 0,
      })
    : null;
  if (server !== null) {
    const url = `${server.url}/stripe/webhook`;
    double.control.addWebhookEndpoint({ url, secret: WEBHOOK_SECRET });
  }
  return {
    database,
    double,
    parts,
    meter,
    differences: (month = MONTH) => differencesOf(parts, month),
    async stopWebhooks() {
      await server?.close();
    },
    drop: opened.drop,
    async close() {
      await server?.close();
      if (options.double === undefined) await double.close();
      await opened.drop();
    },
  };
}

export function startDouble(): Promise<StripeDouble> {
  return startStripeDouble({ frozen: true, latencyMs: 0, now: parseInstant(SET_UP_AT) });
}

export function customerOf(tenantId: string): string {
  return `cus_${tenantId}`;
}

/** Price book, tenants and their October. */
async function fill(database: Database, tenants: readonly SceneTenant[]): Promise<void> {
  await importBooks(database, 'standard', 'cost');
  for (const { tenantId, calls = [1_234_567, 89_011, 3], mode = 'live', ...rest } of tenants) {
    const { timeZone, anchorDay } = rest;
    await makeTenant(database, tenantId, {
      mode,
      ...(timeZone === undefined ? {} : { timeZone }),
      ...(anchorDay === undefined ? {} : { anchorDay }),
      stripeCustomer: customerOf(tenantId),
    });
    const events = calls.map((tokens, index) => usage(tenantId, { tokens, index }));
    if (events.length > 0) await receiveEvents(database, events);
  }
}

export function usage(
  tenantId: string,
  of: { readonly tokens: number; readonly index: number; readonly at?: string },
) {
  return nativeEvent({
    event_id: `${tenantId}-${of.index}`,
    tenant_id: tenantId,
    occurred_at: of.at ?? '2026-10-15T12:00:00Z',
    usage: { input_tokens: of.tokens, output_tokens: Math.floor(of.tokens / 7) },
  });
}

/** Takes back all that the month's run did. Copying a database for each case would cost far more. */
async function emptied({ database, drop }: BillingScene) {
  // The triggers that keep the ledger from being edited stand aside for this one transaction of several statements.
  await database.pool.query(`set local session_replication_role = replica;
    delete from month_run_steps; delete from push_alerts; delete from stripe_events;
    delete from stripe_invoices; delete from stripe_customers; delete from push_intents;
    delete from stripe_reads;
    delete from closes; update periods set state = 'open', mode = null;
    delete from changes where of_table in ('push_alerts', 'stripe_customers', 'push_intents', 'closes')
      or of_table = 'periods' and kept ->> 'state' <> 'open';
    delete from change_queue; insert into change_queue select change_id from changes;
    delete from entries where recorded_at > '2026-10-25';
    delete from receipts where batch_id in (select batch_id from batches where recorded_at > '2026-10-25');
    delete from batches where recorded_at > '2026-10-25';
    delete from usage_rollups; delete from run_usage; delete from ledger_rollups; delete from exchange_rollups;
    delete from ledger_exchange_rollups; delete from seals; delete from verifications;
    delete from fold_queue; insert into fold_queue select batch_id from batches;
    delete from seal_queue; insert into seal_queue select batch_id from batches`);
  return { database, drop };
}

const FOLDER = mkdtempSync(join(tmpdir(), 'spanledger-month-'));
process.once('exit', () => rmSync(FOLDER, { recursive: true, force: true }));

/**
 * Runs the month as a scheduler does, but for the schema, which no scene changes, and answers how its steps
 * ended.
 */
export async function runSteps(parts: StripeParts, month: string): Promise<readonly StepAnswer[]> {
  return (await runWholeMonth(parts, month)).steps;
}

export function runWholeMonth(parts: StripeParts, month: string): Promise<MonthAnswer> {
  const request = { month, folder: FOLDER, issuer: 'Spanledger' };
  return runMonth({ ...parts, phrase: remedyText, withoutSchema: true }, request);
}

/** Final invoices against the closed periods of a month, to the unit and to the cent, as Stripe has them. */
export async function differencesOf(parts: StripeParts, month: string): Promise<readonly string[]> {
  const { database, stripe } = parts;
  const targets = (await readTargets(database, month)).filter(({ mode }) => mode === 'live');
  const differences = targets.length === 0 ? [`nothing was closed in ${month}`] : [];
  for (const target of targets) {
    const { tenantId, billableMicro, chargeTotal } = target;
    const dated = eventTimestampOf(target);
    const customer = customerOf(tenantId);
    const invoices = (await stripe.invoices.list({ customer, limit: 100 })).data.filter(isFinal);
    const lines = invoices
      .flatMap((invoice) => invoice.lines.data)
      .filter(({ parent }) => parent?.type !== 'invoice_item_details')
      .filter(({ period }) => period.start <= dated && dated < period.end)
      .filter((line) => String(line.quantity_decimal) !== '0');
    const items = (await stripe.invoiceItems.list({ customer, limit: 100 })).data
      .filter(({ metadata }) => metadata?.['period_key'] === `${tenantId}/${target.periodStart}`)
      .filter(({ invoice }) => invoices.some(({ id }) => id === invoice));
    const quantities = [
      ...lines.map(({ quantity }) => BigInt(quantity ?? 0)),
      ...items.map(({ metadata }) => BigInt(metadata?.['spanledger_micro'] ?? 0)),
    ];
    const quantity = quantities.reduce((sum, each) => sum + each, 0n);
    const amount = [...lines, ...items].reduce((sum, each) => sum + BigInt(each.amount), 0n);
    const isBilled = quantities.length === (billableMicro === 0n ? 0 : 1);
    if (!isBilled || quantity !== billableMicro || amount !== chargeTotal) {
      differences.push(
        `${tenantId} ${month}: ${lines.length} lines and ${items.length} items, ${quantity} of ${billableMicro} micro, ${amount} of ${chargeTotal} cents`,
      );
    }
  }
  return differences;
}

function isFinal({ status }: { readonly status: string | null }): boolean {
  return status === 'open' || status === 'paid';
}
