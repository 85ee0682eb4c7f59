import { expect, it } from 'vitest';
import { remedyText } from '../../src/cli/terminal/commands-to-type.ts';
import { runMonth } from '../../src/month/run-month.ts';
import { pushMonth } from '../../src/stripe/push-month.ts';
import type { FaultSpec } from '../../src/stripe-double/fault.ts';
import { textRows } from '../support/database.ts';
import type { PushScene } from '../support/stripe.ts';
import {
  countedBy,
  DUE_MICRO,
  HOUR_MS,
  METER_EVENTS,
  ofMonth,
  openPushScene,
} from '../support/stripe.ts';
import { brokenLaws } from '../support/worker.ts';

/** Stripe answers each request, and only that it cannot: a few tenants are tried and not all of them. */

const TENANTS = Array.from({ length: 30 }, (_, index) => `t${String(index).padStart(2, '0')}`);
/** Eight are in work at once, and nine come to nothing. */
const MOST_TRIED = 8 + 9;
const EVENTS = { method: 'POST', path: METER_EVENTS };
const ALWAYS = 1_000_000;

const IN_USE = { status: 409, code: 'idempotency_key_in_use' };

async function push({ options, month }: PushScene): Promise<ReadonlyMap<string, string>> {
  const rows = await pushMonth(options, ofMonth(month));
  return new Map(rows.map((row) => [row.tenant_id, row.state]));
}

const statesOf = (states: ReadonlyMap<string, string>) =>
  TENANTS.map((tenant) => states.get(tenant));

async function triedIn({ database }: PushScene): Promise<readonly string[]> {
  const rows = await textRows(
    database,
    'select tenant_id from push_intents where attempts > 0 order by 1',
  );
  return rows.map(({ tenant_id: tenant }) => tenant ?? '');
}

const ONCE_EACH = TENANTS.map((tenant) => `cus_${tenant} ${DUE_MICRO}`);

it.each<readonly [string, FaultSpec]>([
  ['409', { kind: 'error', ...IN_USE, message: 'Another request with this key is in flight.' }],
  ['500', { kind: 'error', status: 500 }],
  ['503', { kind: 'error', status: 503 }],
  ['429', { kind: 'rate_limit', reason: 'global-rate' }],
])(
  'events that are all answered with %s end the push, and the next run bills each tenant once',
  async (status, fault) => {
    const scene = await openPushScene(TENANTS);
    const { double, month } = scene;
    double.control.injectFault({ ...fault, match: EVENTS, times: ALWAYS });

    const before = double.control.requests().length;
    let askedByPush = 0;
    const onStep = (step: string) => {
      if (step === 'push') askedByPush = double.control.requests().length;
    };
    const { steps } = await runMonth(
      { ...scene.options, phrase: remedyText, onStep },
      { month, folder: null, issuer: 'Spanledger' },
    );

    const said = steps.find(({ step }) => step === 'push');
    expect(said?.detail).toMatch(
      new RegExp(
        `^0 of 31 periods told to Stripe; 30 periods wait: stopped for every tenant: Stripe answers only that it cannot, and 9 tenants in a row were tried; the last was "t..": .* ${status}: .*; run "spanledger push ${month}" again once Stripe is back; what was sent stays sent`,
      ),
    );
    expect(steps.slice(-3).map(({ detail }) => detail.split(';')[0])).toEqual(
      ['confirm', 'release', 'verify'].map(() => 'not begun, since Stripe did not answer'),
    );
    expect(double.control.requests().length).toBe(askedByPush);
    expect(askedByPush).toBeGreaterThan(before);
    const tried = await triedIn(scene);
    expect(tried.length).toBeGreaterThanOrEqual(9);
    expect(tried.length).toBeLessThanOrEqual(MOST_TRIED);

    double.control.clearFaults();
    expect(statesOf(await push(scene))).toEqual(TENANTS.map(() => 'confirmed'));
    expect(countedBy(double)).toEqual(ONCE_EACH);
    expect(await brokenLaws(scene.database)).toEqual([]);
  },
);

it('reads that are all answered with a fault end the push, and nothing is sent', async () => {
  const scene = await openPushScene(TENANTS);
  const { double } = scene;
  const match = { method: 'GET', path: '/v1/customers*' };
  double.control.injectFault({ kind: 'error', status: 500, match, times: ALWAYS });

  const rows = await pushMonth(scene.options, ofMonth(scene.month));

  const stopped = rows.filter(({ detail }) => detail?.startsWith('stopped for every tenant'));
  expect(stopped.length).toBeGreaterThanOrEqual(TENANTS.length - MOST_TRIED);
  expect(await triedIn(scene)).toEqual([]);

  double.control.clearFaults();
  expect(statesOf(await push(scene))).toEqual(TENANTS.map(() => 'confirmed'));
  expect(countedBy(double)).toEqual(ONCE_EACH);
});

it('what Stripe keeps of its bad hour under the keys of some tenants stops no other one, and each is billed once', async () => {
  const scene = await openPushScene(TENANTS);
  const { double } = scene;
  double.control.injectFault({ kind: 'stored_500', match: EVENTS, times: ALWAYS });
  await push(scene);
  const tried = await triedIn(scene);
  expect(tried.length).toBeLessThanOrEqual(MOST_TRIED);

  double.control.clearFaults();
  const states = await push(scene);
  expect(TENANTS.filter((tenant) => states.get(tenant) === 'sent')).toEqual(tried);
  expect(TENANTS.filter((tenant) => states.get(tenant) === 'confirmed')).toEqual(
    TENANTS.filter((tenant) => !tried.includes(tenant)),
  );

  // By now it may be sent no more, and what the count lacks for a day never came.
  await scene.advance(23 * HOUR_MS);
  await push(scene);
  await scene.advance(24 * HOUR_MS);
  expect(statesOf(await push(scene))).toEqual(TENANTS.map(() => 'confirmed'));
  expect(countedBy(double)).toEqual(ONCE_EACH);
  expect(await brokenLaws(scene.database)).toEqual([]);
});

it('one bad second, which is kept under the keys of those that were in work, stops nobody else', async () => {
  const scene = await openPushScene(TENANTS);
  scene.double.control.injectFault({ kind: 'stored_500', match: EVENTS, times: 8 });

  const states = statesOf(await push(scene));

  expect(states).toContain('sent');
  expect(new Set(states)).toEqual(new Set(['sent', 'confirmed']));
});
