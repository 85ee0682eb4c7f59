import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import type { PushedPeriod } from '../../src/push/push-answer.ts';
import { pushMonth } from '../../src/stripe/push-month.ts';
import { checkSummaries } from '../../src/stripe/summary-law.ts';
import type { FaultSpec } from '../../src/stripe-double/fault.ts';
import { startCli } from '../support/cli.ts';
import { reopen, textRows } from '../support/database.ts';
import { makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import type { PushScene } from '../support/stripe.ts';
import {
  countedBy,
  DUE_MICRO,
  HOUR_MS,
  METER_EVENTS,
  ofMonth,
  openPushScene,
  sendsOf,
} from '../support/stripe.ts';
import { setIntentsBack, tamper } from '../support/tamper.ts';
import { brokenLaws } from '../support/worker.ts';

const push = (scene: PushScene) => pushMonth(scene.options, ofMonth(scene.month));
const onPush = (fault: Omit<FaultSpec, 'match'>): FaultSpec => ({
  ...fault,
  match: { method: 'POST', path: METER_EVENTS },
});

/** The live tenants' states, in the order of their names. */
const states = (results: readonly PushedPeriod[]) =>
  results.filter((result) => result.tenant_id !== 'unattributed').map((result) => result.state);

const intents = (scene: PushScene) =>
  textRows(
    scene.database,
    'select tenant_id, state, attempts, value_micro, last_answer from push_intents order by tenant_id',
  );

/** Laws 5 and 6: pushed is what was closed, and Stripe's summary says the same. */
async function expectLawsToHold(scene: PushScene): Promise<void> {
  expect(await brokenLaws(scene.database)).toEqual([]);
  expect((await checkSummaries(scene.options)).violations).toEqual([]);
}

describe('a push', () => {
  it('tells nothing of a close that is not what its entries give, and goes on with the others', async () => {
    const scene = await openPushScene(['acme', 'bolt']);
    await tamper(
      scene.database,
      `update closes set billable_micro = billable_micro + 100000000,
         carried_out = carried_out - 100000000000000 where tenant_id = 'acme'`,
    );

    const [acme, bolt] = (await push(scene)).filter((row) => row.tenant_id !== 'unattributed');

    expect(acme).toMatchObject({
      state: 'refused',
      detail: expect.stringMatching(/billable_micro is \d+, and its entries give \d+; .*told/),
    });
    expect(bolt?.state).toBe('confirmed');
    expect(sendsOf(scene.double)).toBe(1);
  });

  it('tells Stripe of each live tenant once, and nothing when it runs again', async () => {
    const scene = await openPushScene(['acme', 'bolt']);
    expect(states(await push(scene))).toEqual(['confirmed', 'confirmed']);
    const sent = sendsOf(scene.double);

    expect(states(await push(scene))).toEqual(['confirmed', 'confirmed']);
    await scene.advance(48 * HOUR_MS);
    expect(states(await push(scene))).toEqual(['confirmed', 'confirmed']);

    expect(sendsOf(scene.double)).toBe(sent);
    expect(countedBy(scene.double)).toEqual([`cus_acme ${DUE_MICRO}`, `cus_bolt ${DUE_MICRO}`]);
    await expectLawsToHold(scene);
  });

  it('sends the exact body of the intent, dated inside the period, its key the identifier', async () => {
    const scene = await openPushScene();
    await push(scene);
    const request = scene.double.control.requests().find(({ path }) => path === METER_EVENTS);
    expect(request?.idempotencyKey).toBe('spl-testbook-acme-2026-10-01-usd-1');
    const [event] = scene.double.control.meterEvents();
    expect(event).toMatchObject({
      eventName: 'spanledger_usage_usd',
      identifier: 'spl-testbook-acme-2026-10-01-usd-1',
      customer: 'cus_acme',
      value: DUE_MICRO,
      timestamp: Date.parse('2026-10-31T23:59:59Z') / 1000,
    });
  });

  it('never tells of a shadow tenant, and refuses a live one without a customer by its remedy', async () => {
    const scene = await openPushScene(['acme', { shadow: 'dark' }]);
    await makeTenant(scene.database, 'nobody', { mode: 'live' });
    const usage = { input_tokens: 1_000_000, output_tokens: 0 };
    await receiveEvents(scene.database, [nativeEvent({ tenant_id: 'nobody', usage })]);
    await closePeriods(
      { database: scene.database, clock: scene.options.clock },
      {
        month: '2026-10',
        tenant_id: 'nobody',
      },
    );

    const results = await push(scene);

    expect(states(results)).toEqual(['confirmed', 'shadow', 'refused']);
    expect(results[2]?.detail).toContain('tenant "nobody" has no Stripe customer');
    expect(countedBy(scene.double)).toEqual([`cus_acme ${DUE_MICRO}`]);
  });

  it('refuses without a meter, and says how to make it', async () => {
    const scene = await openPushScene();
    await scene.database.pool.query('delete from stripe_meters');
    const [result] = await push(scene);
    expect(result).toMatchObject({ state: 'refused' });
    expect(result?.detail).toBe('no meter for USD in test mode');
    const setup = { operation: 'stripe setup', currency: 'USD', subscriptions: false };
    expect(result?.remedy).toContainEqual({ ...setup, tenant_id: null });
    expect(sendsOf(scene.double)).toBe(0);
  });

  it('has nothing to say of a period that came to nothing', async () => {
    const scene = await openPushScene([]);
    await makeTenant(scene.database, 'idle', { mode: 'live', stripeCustomer: 'cus_idle' });
    await closePeriods(
      { database: scene.database, clock: scene.options.clock },
      { month: '2026-10', tenant_id: 'idle' },
    );
    expect(states(await push(scene))).toEqual(['nothing_due']);
    expect(await intents(scene)).toEqual([]);
  });
});

describe('an answer that is lost or late', () => {
  // Each fault has a tenant of its own in one scene: copying a database for each would cost far more.
  const closing: (() => Promise<void>)[] = [];
  const tenants = Array.from({ length: 8 }, (_, index) => `t${index}`);
  let shared: PushScene;
  beforeAll(async () => {
    shared = await openPushScene(tenants, {}, (close) => closing.push(close));
  });
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
  });

  it.each([
    // The SDK itself tries once more after a reset, so each needs two.
    ['a connection reset before anything was done', { kind: 'reset_before_apply', times: 2 }],
    ['a connection reset after it was done', { kind: 'apply_then_reset', times: 2 }],
    ['half an answer', { kind: 'cut_body' }],
    ['429 of the rate limiter', { kind: 'rate_limit', reason: 'global-rate' }],
    ['429 of a lock', { kind: 'lock_timeout' }],
    ['500', { kind: 'error', status: 500 }],
    ['503 in HTML', { kind: 'html_503' }],
    ['409 of another call in flight', { kind: 'error', status: 409 }],
  ] as const)('%s is tried again, and billed once', async (_, fault) => {
    const told = countedBy(shared.double).length;
    const tenantId = `t${told}`;
    const before = sendsOf(shared.double);
    shared.double.control.injectFault(onPush(fault));

    const results = await pushMonth(shared.options, ofMonth('2026-10', { tenant_id: tenantId }));

    expect(states(results)).toEqual(['confirmed']);
    expect(countedBy(shared.double)[told]).toBe(`cus_${tenantId} ${DUE_MICRO}`);
    expect(countedBy(shared.double)).toHaveLength(told + 1);
    expect(sendsOf(shared.double) - before).toBeGreaterThan(1);
  });

  it('after all of these the laws hold', () => expectLawsToHold(shared));

  it('400 "already exists" is delivery, when the first answer died with its process', async () => {
    const scene = await openPushScene();
    await push(scene);
    // What a crash between the answer and its record leaves behind.
    await setIntentsBack(
      scene.database,
      "update push_intents set state = 'sent', confirmed_at = null",
    );
    // Stripe forgets idempotency keys after a day or less; the identifier is remembered apart.
    scene.double.control.injectFault(
      onPush({
        kind: 'error',
        status: 400,
        message: 'An event already exists with identifier spl-testbook-acme-2026-10-01-usd-1.',
      }),
    );
    expect(states(await push(scene))).toEqual(['confirmed']);
    expect(await intents(scene)).toMatchObject([{ last_answer: 'already there (400)' }]);
    expect(countedBy(scene.double)).toHaveLength(1);
  });

  it('400 "already exists" of another identifier is no delivery', async () => {
    const scene = await openPushScene();
    const message = 'An event already exists with identifier spl-testbook-other-2026-10-01-usd-1.';
    scene.double.control.injectFault(onPush({ kind: 'error', status: 400, message }));
    expect(states(await push(scene))).toEqual(['parked']);
  });

  it('a process killed between request and record bills once', async () => {
    // given a push whose request Stripe holds while its process, which has the real time, is killed
    const scene = await openPushScene(['acme'], { now: systemClock() });
    scene.double.control.injectFault(onPush({ kind: 'hold' }));
    const child = startCli(['push', scene.month], scene.environment);
    await vi.waitFor(() => expect(scene.double.control.held()).toBe(1), { timeout: 60_000 });
    expect(await intents(scene)).toMatchObject([{ state: 'sent', attempts: '1' }]);
    child.kill('SIGKILL');
    await child.finished;

    // when Stripe does what it was asked, with nobody there to hear the answer
    scene.double.control.releaseHeld();
    await vi.waitFor(() => expect(countedBy(scene.double)).toHaveLength(1), { timeout: 10_000 });

    // then the next push finds it there
    const results = await pushMonth({ ...scene.options, clock: systemClock }, ofMonth(scene.month));
    expect(states(results)).toEqual(['confirmed']);
    expect(await intents(scene)).toMatchObject([{ state: 'confirmed', attempts: '2' }]);
    expect(countedBy(scene.double)).toEqual([`cus_acme ${DUE_MICRO}`]);
    await expectLawsToHold(scene);
  });

  it('two pushers at once bill once', async () => {
    const tenants = Array.from({ length: 12 }, (_, index) => `t${String(index).padStart(2, '0')}`);
    const scene = await openPushScene(tenants, { latencyMs: 20 });
    const other = {
      ...scene,
      options: { ...scene.options, database: reopen(scene.database.url, 20) },
    };

    const both = await Promise.all([push(scene), push(other)]);

    for (const state of both.flatMap(states)) expect(['confirmed', 'busy']).toContain(state);
    expect(countedBy(scene.double)).toEqual(tenants.map((tenant) => `cus_${tenant} ${DUE_MICRO}`));
    expect(sendsOf(scene.double)).toBe(12);
    expect(states(await push(scene))).toEqual(tenants.map(() => 'confirmed'));
    await expectLawsToHold(scene);
  });
});

describe('what cannot succeed', () => {
  it('a key that may not read customers halts the run before anything is sent', async () => {
    const tenants = Array.from({ length: 30 }, (_, index) => `t${String(index).padStart(2, '0')}`);
    const scene = await openPushScene(tenants);
    const match = { method: 'GET', path: '/v1/customers/*' };
    const message = 'The provided key does not have the required permissions.';
    scene.double.control.injectFault({ kind: 'error', status: 403, message, times: 100, match });

    const results = await push(scene);

    expect(new Set(states(results))).toEqual(new Set(['skipped']));
    expect(results[0]?.detail).toContain('Stripe does not let this key ask about');
    const asked = scene.double.control.requests().filter(({ path }) => path.startsWith('/v1/cust'));
    // Eight were under way; none was begun after the first answer.
    expect(asked.length).toBeLessThanOrEqual(8);
    expect(sendsOf(scene.double)).toBe(0);
  });

  it('a key that Stripe refuses halts the run: no further tenant is tried', async () => {
    const tenants = Array.from({ length: 30 }, (_, index) => `t${String(index).padStart(2, '0')}`);
    const scene = await openPushScene(tenants);
    scene.double.control.injectFault(
      onPush({ kind: 'error', status: 401, message: 'Invalid API Key provided', times: 100 }),
    );

    const results = await push(scene);

    // Eight are in work at once, so at most eight requests were out when the first was refused.
    expect(sendsOf(scene.double)).toBeLessThanOrEqual(8);
    expect(new Set(states(results))).toEqual(new Set(['sent', 'skipped']));
    const skipped = results.find((result) => result.state === 'skipped');
    expect(skipped?.detail).toContain('stopped for every tenant');
    // The key is mended within the day: everybody is billed, once.
    scene.double.control.clearFaults();
    expect(states(await push(scene))).toEqual(tenants.map(() => 'confirmed'));
    expect(countedBy(scene.double)).toHaveLength(30);
    await expectLawsToHold(scene);
  });

  it('a request that Stripe refuses for good is parked and not sent again; others go on', async () => {
    const scene = await openPushScene(['acme', 'bolt']);
    scene.double.control.injectFault(
      onPush({ kind: 'error', status: 400, message: 'The value is not acceptable' }),
    );
    expect([...states(await push(scene))].sort()).toEqual(['confirmed', 'parked']);
    const sent = sendsOf(scene.double);
    expect([...states(await push(scene))].sort()).toEqual(['confirmed', 'parked']);
    expect(sendsOf(scene.double)).toBe(sent);
    expect(countedBy(scene.double)).toHaveLength(1);
  });
});

describe('23 hours after the first request', () => {
  /** An intent that was sent once and has no answer; `applied` tells whether Stripe counted it. */
  async function unanswered(applied: boolean): Promise<PushScene> {
    const scene = await openPushScene();
    if (applied) {
      await push(scene);
      await setIntentsBack(
        scene.database,
        "update push_intents set state = 'sent', confirmed_at = null",
      );
    } else {
      scene.double.control.injectFault(onPush({ kind: 'error', status: 401 }));
      await push(scene);
    }
    expect(await intents(scene)).toMatchObject([{ state: 'sent', attempts: '1' }]);
    return scene;
  }

  it('one millisecond before, it is sent again', async () => {
    const scene = await unanswered(false);
    await scene.advance(23 * HOUR_MS - 1);
    expect(states(await push(scene))).toEqual(['confirmed']);
    expect(countedBy(scene.double)).toHaveLength(1);
  });

  it("it is not sent again; Stripe's summary shows it, so it is confirmed", async () => {
    const scene = await unanswered(true);
    const sent = sendsOf(scene.double);
    await scene.advance(23 * HOUR_MS);
    expect(states(await push(scene))).toEqual(['confirmed']);
    expect(sendsOf(scene.double)).toBe(sent);
    await expectLawsToHold(scene);
  });

  it('it is not sent again while the summary lacks it for less than a day', async () => {
    const scene = await unanswered(false);
    const sent = sendsOf(scene.double);
    await scene.advance(23 * HOUR_MS);
    expect(states(await push(scene))).toEqual(['ambiguous']);
    await scene.advance(24 * HOUR_MS - 1);
    expect(states(await push(scene))).toEqual(['ambiguous']);
    expect(sendsOf(scene.double)).toBe(sent);
    expect(countedBy(scene.double)).toEqual([]);
  });

  it('absent from the summary for a whole day it never came: its value goes out anew, once', async () => {
    const scene = await unanswered(false);
    await scene.advance(23 * HOUR_MS);
    await push(scene);
    await scene.advance(24 * HOUR_MS);
    await push(scene);
    expect(states(await push(scene))).toEqual(['confirmed']);
    const rows = await textRows(
      scene.database,
      'select identifier, state from push_intents order by sequence',
    );
    expect(rows).toEqual([
      { identifier: 'spl-testbook-acme-2026-10-01-usd-1', state: 'missing' },
      { identifier: 'spl-testbook-acme-2026-10-01-usd-2', state: 'confirmed' },
    ]);
    expect(countedBy(scene.double)).toEqual([`cus_acme ${DUE_MICRO}`]);
    await expectLawsToHold(scene);
  });

  it('the summary only lagged: a later run confirms', async () => {
    const scene = await unanswered(true);
    scene.double.control.setSummaryLag(30 * HOUR_MS);
    await scene.advance(23 * HOUR_MS);
    expect(states(await push(scene))).toEqual(['ambiguous']);
    await scene.advance(8 * HOUR_MS);
    expect(states(await push(scene))).toEqual(['confirmed']);
    expect(countedBy(scene.double)).toHaveLength(1);
  });

  it('an answer of 500 that Stripe replays for ever is settled by the summary', async () => {
    // The work was done, and every retry with the same key gets the stored 500.
    const scene = await openPushScene();
    scene.double.control.injectFault(onPush({ kind: 'stored_500', applied: true }));
    await push(scene);
    await scene.advance(23 * HOUR_MS);
    expect(states(await push(scene))).toEqual(['confirmed']);
    expect(countedBy(scene.double)).toHaveLength(1);
    await expectLawsToHold(scene);
  });
});
