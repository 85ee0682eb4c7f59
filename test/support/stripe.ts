import { onTestFinished } from 'vitest';
import type { Clock, InstantMs } from '../../src/clock.ts';
import { utcDay } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { openLog } from '../../src/log.ts';
import type { PushRequest } from '../../src/push/push-answer.ts';
import { saveMeter } from '../../src/stripe/meters/meter-store.ts';
import { setUpMeter } from '../../src/stripe/meters/set-up-meter.ts';
import { openStripe } from '../../src/stripe/stripe-client.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';
import type { StripeDouble, StripeDoubleOptions } from '../../src/stripe-double/stripe-double.ts';
import { startStripeDouble } from '../../src/stripe-double/stripe-double.ts';
import type { TestDatabase } from './database.ts';
import { createDatabase } from './database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from './ledger.ts';

export const HOUR_MS = 60 * 60 * 1000;

/** An hour after October ended in UTC. */
export const PUSHED_AT = Date.parse('2026-11-01T01:00:00Z');

/** Opens a double that stands still at an hour into November, unless the test moves it. */
export async function openDouble(
  options: StripeDoubleOptions = {},
  whenDone: WhenDone = onTestFinished,
): Promise<StripeDouble> {
  const double = await startStripeDouble({
    now: PUSHED_AT,
    frozen: true,
    latencyMs: 0,
    ...options,
  });
  whenDone(() => double.close());
  return double;
}

/** Takes what closes a part: at the end of the test, unless a file says otherwise. */
export type WhenDone = (close: () => Promise<void>) => void;

/** October closed for these tenants, each live with a customer, and a Stripe that is set up. */
export interface PushScene {
  readonly database: TestDatabase;
  readonly double: StripeDouble;
  /** YYYY-MM: the month before the double's clock, which is closed. */
  readonly month: string;
  /** What `pushMonth` and `reconcileMonth` take; its clock is the double's. */
  readonly options: StripeParts;
  /** Moves the clock of both sides. */
  advance(milliseconds: number): Promise<void>;
  /** What a child process needs to work on the same scene. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What every tenant of a scene uses: 1,000,000 x 3 + 100,000 x 12 = 4,200,000 microdollars. */
export const DUE_MICRO = '4200000';

export async function openPushScene(
  customers: readonly (string | { readonly shadow: string })[] = ['acme'],
  doubleOptions: StripeDoubleOptions = {},
  whenDone: WhenDone = onTestFinished,
): Promise<PushScene> {
  const { database, drop } = await createDatabase({ connections: 20 });
  whenDone(drop);
  await importBooks(database, 'standard', 'cost');
  const double = await openDouble(doubleOptions, whenDone);
  for (const customer of customers) {
    const tenantId = tenantOf(customer);
    const stripeCustomer = `cus_${tenantId}`;
    double.control.addCustomer({ id: stripeCustomer });
    const mode = typeof customer === 'string' ? 'live' : 'shadow';
    await makeTenant(database, tenantId, { mode, stripeCustomer });
  }
  const tenants = customers.map(tenantOf);
  const usage = { input_tokens: 1_000_000, output_tokens: 100_000 };
  const clock: Clock = () => double.control.now();
  const month = monthBefore(clock());
  const events = tenants.map((tenantId) =>
    nativeEvent({
      event_id: `e-${tenantId}`,
      tenant_id: tenantId,
      occurred_at: `${month}-15T12:00:00Z`,
      usage,
    }),
  );
  await receiveEvents(database, events, `${month}-20T12:00:00Z`);
  await closePeriods({ database, clock }, { month, tenant_id: null });
  const stripe = openStripe({ apiKey: double.apiKey, apiBase: double.url });
  const meter = await setUpMeter(stripe, 'USD');
  await saveMeter(database, meter, { livemode: false, account: null, at: clock() });
  return {
    database,
    double,
    month,
    options: { database, stripe, livemode: false, clock, log: openLog('silent') },
    advance: (milliseconds) => double.control.advanceClock(milliseconds),
    environment: {
      DATABASE_URL: database.url,
      STRIPE_API_BASE: double.url,
      STRIPE_API_KEY: double.apiKey,
      SPANLEDGER_LOG_LEVEL: 'silent',
    },
  };
}

function tenantOf(customer: string | { readonly shadow: string }): string {
  return typeof customer === 'string' ? customer : customer.shadow;
}

function monthBefore(now: InstantMs): string {
  const [year = 0, month = 0] = utcDay(now).split('-').map(Number);
  return month === 1 ? `${year - 1}-12` : `${year}-${String(month - 1).padStart(2, '0')}`;
}

export const METER_EVENTS = '/v1/billing/meter_events';

/** Returns how many meter events were asked for, counted or not. */
export function sendsOf(double: StripeDouble): number {
  return double.control.requests().filter((request) => request.path === METER_EVENTS).length;
}

/** Returns what Stripe counts: customer and value of each meter event. */
export function countedBy(double: StripeDouble): readonly string[] {
  return double.control
    .meterEvents()
    .map((event) => `${event.customer} ${event.value}`)
    .sort();
}

/** The request that pushes or reconciles a month for every tenant. */
export function ofMonth(month: string, but: Partial<PushRequest> = {}): PushRequest {
  return { month, tenant_id: null, dry_run: false, ...but };
}
