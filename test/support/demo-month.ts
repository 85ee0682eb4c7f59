import { parseInstant } from '../../src/clock.ts';
import { setUpDemo } from '../../src/demo/set-up-demo.ts';
import { openTrace } from '../../src/demo/trace.ts';
import { makeTraffic } from '../../src/demo/traffic.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { openLog } from '../../src/log.ts';
import { lastEndedMonth } from '../../src/month/last-ended-month.ts';
import { openStripe } from '../../src/stripe/stripe-client.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';
import type { StripeDouble } from '../../src/stripe-double/stripe-double.ts';
import type { TestDatabase } from './database.ts';
import { receive } from './ledger.ts';

/** The instant at which the demo month is looked at: October is over, and some of November is there. */
export const DEMO_NOW = parseInstant('2026-11-04T10:00:00Z');

const EVENTS_A_BATCH = 150;

/**
 * The month of `spanledger demo` without its queue, whose batches are never the same twice: two ledgers that are filled by
 * it hold the same, to the byte.
 */
export async function fillDemoMonth(
  database: TestDatabase,
  { double, calls }: { readonly double: StripeDouble; readonly calls: number },
): Promise<StripeParts> {
  const clock = () => DEMO_NOW;
  const stripe = openStripe({ apiKey: double.apiKey, apiBase: double.url });
  const parts = { database, clock, log: openLog('silent'), stripe, livemode: false };
  const month = lastEndedMonth(parts);
  const trace = await openTrace({ trace: null, calls, seed: 42, folder: '', keep: false });
  await setUpDemo({ ...parts, double, say: () => {} }, month);
  const traffic = makeTraffic(trace.random, trace.requests, month);
  const soFar = { startsAt: month.endsAt - DAY_MS, endsAt: DEMO_NOW + DAY_MS };
  const open = makeTraffic(trace.random, trace.requests.slice(0, calls / 4), {
    ...soFar,
    firstCall: 10_000_000,
  });
  const events = [...traffic.events, ...open.events];
  for (let start = 0; start < events.length; start += EVENTS_A_BATCH) {
    const body = JSON.stringify({ events: events.slice(start, start + EVENTS_A_BATCH) });
    await receive(database, [body], '2026-11-04T09:00:00Z');
  }
  await receive(database, traffic.malformed, '2026-11-04T09:00:00Z');
  await foldAll(database, clock);
  return parts;
}

const DAY_MS = 24 * 60 * 60 * 1000;
