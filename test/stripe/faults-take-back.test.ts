import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkPushes } from '../../src/audit/laws/laws-store.ts';
import { openScope } from '../../src/audit/laws/scope-store.ts';
import { parseInstant } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { pushMonth } from '../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../src/stripe/reconcile-month.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';
import { checkSummaries } from '../../src/stripe/summary-law.ts';
import { textRows } from '../support/database.ts';
import { ofMonth } from '../support/stripe.ts';
import type { BillingScene } from './billing-scene.ts';
import { ACME, MONTH, openBillingScene, startDouble } from './billing-scene.ts';
import { Crash, crashing } from './crash-point.ts';
import type { FaultCase } from './fault-cases.ts';
import { crashCases, describeCase, stripeCases, wantedOf } from './fault-cases.ts';

/**
 * The push that takes a period back from the meter and bills it by an invoice item dies, or is let down by Stripe, at one
 * place. The number here is a sample; SPANLEDGER_FAULT_CASES=all plays every one.
 */
const WANTED = process.env['SPANLEDGER_FAULT_CASES'] ?? '6';
const count = WANTED === 'all' ? Number.POSITIVE_INFINITY : Number(WANTED);
const HOUR_MS = 3_600_000;
const LONG = 3 * HOUR_MS;
const MOST_RERUNS = 6;

let scene: BillingScene;
let awaits = 0;
let requests = 0;
beforeAll(async () => {
  scene = await openScene();
  const { parts, double } = scene;
  const before = double.control.requests().length;
  const counted = crashing(parts, double, null);
  await push(counted.parts);
  awaits = counted.awaits();
  requests = double.control.requests().length - before;
});
afterAll(async () => {
  await scene.close();
  await scene.double.close();
});

const push = (parts: StripeParts) => pushMonth(parts, ofMonth(MONTH, { tenant_id: 'acme' }));

/** October, told a week ago to the meter of a customer without a subscription. */
async function openScene(after?: BillingScene): Promise<BillingScene> {
  const again = after === undefined ? {} : { after };
  const double = after?.double ?? (await startDouble());
  const options = { tenants: [ACME], withSubscriptions: false, withWebhooks: false };
  const opened = await openBillingScene({ ...options, ...again, double });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await closePeriods(opened.parts, { month: MONTH, tenant_id: null });
  await push(opened.parts);
  await reconcileMonth(opened.parts, ofMonth(MONTH));
  await double.control.advanceClock(8 * 24 * HOUR_MS);
  return opened;
}

async function play({ crash, fault, rerunAfterHours }: FaultCase): Promise<readonly string[]> {
  scene = await openScene(scene);
  const { parts, double } = scene;
  if (fault !== null) double.control.injectFault(fault);
  await push(crashing(parts, double, crash).parts).catch(unlessCrashed);
  double.control.clearFaults();
  await double.control.advanceClock(rerunAfterHours * HOUR_MS);
  for (let run = 0; run < MOST_RERUNS; run += 1) {
    const [acme] = await push(parts);
    if (acme?.state === 'confirmed' && (await items()).length > 0) break;
    await double.control.advanceClock(25 * HOUR_MS);
  }
  return wrongs();
}

/** A death, and a Stripe that answers nothing, end the first run; the next one goes on. */
function unlessCrashed(error: unknown): void {
  if (error instanceof Crash || (error instanceof Error && error.name === 'Refusal')) return;
  if (error instanceof Error && 'kind' in error) return;
  throw error;
}

async function items(): Promise<readonly number[]> {
  const listed = await scene.parts.stripe.invoiceItems.list({ customer: 'cus_acme', limit: 100 });
  return listed.data.map(({ amount }) => amount);
}

/** What is billed by items and left on the meter, where it is not the statement and nothing. */
async function wrongs(): Promise<readonly string[]> {
  const [period] = await textRows(
    scene.database,
    "select charge_total::text from closes where tenant_id = 'acme'",
  );
  const billed = await items();
  const metered = scene.double.control
    .meterEvents()
    .reduce((sum, { value }) => sum + Number(value), 0);
  const scope = await openScope(scene.database, 'full');
  const laws = [await checkPushes(scene.database, scope), await checkSummaries(scene.parts)];
  return [
    ...(String(billed) === period?.['charge_total']
      ? []
      : [`items ${billed} for ${period?.['charge_total']}`]),
    ...(metered === 0 ? [] : [`${metered} on the meter`]),
    ...laws.flatMap(({ law, violations }) => violations.map((says) => `law ${law}: ${says}`)),
  ];
}

async function playAll(cases: readonly FaultCase[]): Promise<readonly string[]> {
  const failures: string[] = [];
  const wanted = wantedOf(cases, { count, from: null });
  for (const [index, given] of wanted.entries()) {
    if (index % 100 === 99) console.log(`${index} of ${wanted.length}, ${failures.length} failed`);
    const wrong = await play(given);
    if (wrong.length > 0) failures.push(`${describeCase(given)}: ${wrong.join('; ')}`);
  }
  console.log(`${wanted.length} of ${cases.length} combinations played, ${failures.length} failed`);
  return failures;
}

test('whatever await a push dies at that takes a period back, an item bills it once in the end', {
  timeout: LONG,
}, async () => {
  expect(awaits).toBeGreaterThan(30);
  expect(await playAll(crashCases(awaits))).toEqual([]);
});

test('whatever request Stripe fails at while a period is taken back, an item bills it once in the end', {
  timeout: LONG,
}, async () => {
  expect(requests).toBeGreaterThan(5);
  expect(await playAll(stripeCases(requests))).toEqual([]);
});
