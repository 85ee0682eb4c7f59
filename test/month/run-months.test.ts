import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { remedyText } from '../../src/cli/terminal/commands-to-type.ts';
import { monthAfter, parseInstant, systemClock } from '../../src/clock.ts';
import type { MonthsAnswer } from '../../src/month/month-answer.ts';
import { beginStep, readSteps } from '../../src/month/month-run-store.ts';
import { whileRunIsAlone } from '../../src/month/run-lock-store.ts';
import { planMonths, runMonths } from '../../src/month/run-months.ts';
import { settleMonth } from '../../src/stripe/settle-month.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';
import type { BillingScene } from '../stripe/billing-scene.ts';
import { customerOf, openBillingScene, usage } from '../stripe/billing-scene.ts';
import { cli } from '../support/cli.ts';
import { makeTenant, receiveEvents } from '../support/ledger.ts';
import { openPushScene } from '../support/stripe.ts';

const ANCHOR_DAYS = [1, 15, 28, 30, 31];
const METER_EVENTS = { method: 'POST', path: '/v1/billing/meter_events' };

/** Two months, whose second is short, long, or of the next year. */
const SCHEDULES = [
  { month: '2027-01', next: '2027-02', lastDay: '2027-02-28', after: '2027-03' },
  { month: '2026-11', next: '2026-12', lastDay: '2026-12-31', after: '2027-01' },
];

/** Each uses something in its period that begins in the month; nobody bills the last one by a subscription. */
async function openLateAnchors({ month, next }: (typeof SCHEDULES)[number]): Promise<BillingScene> {
  const tenants = ANCHOR_DAYS.map((anchorDay) => ({ tenantId: `day${anchorDay}`, anchorDay }));
  const bare = { tenantId: 'bare31', anchorDay: 31 };
  const all = [...tenants, bare].map((tenant) => ({ ...tenant, calls: [] }));
  const scene = await openBillingScene({ tenants: all, setUpAt: `${month}-01T00:00:01Z` });
  onTestFinished(scene.close);
  const { subscriptions } = scene.parts.stripe;
  const { data } = await subscriptions.list({ customer: customerOf(bare.tenantId) });
  for (const { id } of data) await subscriptions.cancel(id);
  const calls = all.map(({ tenantId, anchorDay }, index) => {
    const at = `${anchorDay === 1 ? month : next}-05T12:00:00Z`;
    return usage(tenantId, { tokens: 1_000_000 + anchorDay, index, at });
  });
  await receiveEvents(scene.database, calls, `${next}-05T12:01:00Z`);
  return scene;
}

function runLast(parts: StripeParts): Promise<MonthsAnswer> {
  const request = { month: 'last', folder: null, issuer: null } as const;
  return runMonths({ ...parts, phrase: remedyText, withoutSchema: true }, request);
}

const namesOf = ({ month, earlier }: MonthsAnswer) => [...earlier.map((each) => each.month), month];

test.each(SCHEDULES)(
  'what Stripe did not take on $lastDay, on which late periods end, is billed by the runs of the month after',
  async (schedule) => {
    const { month, next, lastDay, after } = schedule;
    const { double, parts, differences } = await openLateAnchors(schedule);
    const runAt = async (at: string) => {
      await double.control.setClock(parseInstant(at));
      return runLast(parts);
    };
    expect(namesOf(await runAt(`${next}-07T13:00:00Z`))).toEqual([month]);
    await runAt(`${next}-15T13:00:00Z`);
    double.control.injectFault({ kind: 'error', status: 503, match: METER_EVENTS, times: 10_000 });
    expect(await runAt(`${lastDay}T19:00:00Z`)).toMatchObject({ month, done: false });
    double.control.clearFaults();

    const first = await runAt(`${after}-01T13:00:00Z`);
    expect(namesOf(first)).toEqual([month, next]);
    // Of the later month, whoever has a later anchor day is no fault on its first day.
    expect(first.steps.find(({ step }) => step === 'close')).toMatchObject({
      state: 'done',
      detail: expect.stringContaining('not ended yet: tenant "bare31"'),
    });
    // What could not be sent for a day is told anew a day after it is seen to be absent.
    for (const day of ['02', '04', '06']) await runAt(`${after}-${day}T13:00:00Z`);
    // A week after it was told, what no subscription bills is taken back, and billed by an item.
    await runAt(`${after}-09T13:00:00Z`);
    await runAt(`${after}-09T19:00:00Z`);
    const last = await runAt(`${after}-10T13:00:00Z`);

    expect(await differences(month)).toEqual([]);
    expect(namesOf(last)).toEqual([next]);
    expect(last).toMatchObject({ missing: [] });
  },
);

test('a month that cannot be gone on with keeps the one after it from nothing, and a dry run shows both', async () => {
  const [schedule] = SCHEDULES as [(typeof SCHEDULES)[number]];
  const { double, parts, database } = await openLateAnchors(schedule);
  await double.control.setClock(parseInstant('2027-02-07T13:00:00Z'));
  await runLast(parts);
  await double.control.setClock(parseInstant('2027-03-02T13:00:00Z'));

  const request = { month: 'last', folder: null, issuer: null } as const;
  const plan = await planMonths({ ...parts, phrase: remedyText }, request);
  expect(plan).toMatchObject({ month: '2027-02', earlier: [{ month: '2027-01' }] });
  expect(await readSteps(database, '2027-02')).toEqual([]);
  const beside = () => runLast(parts);
  await expect(whileRunIsAlone(database, '2027-01', beside)).rejects.toThrow(
    '2027-01 is being run already',
  );
  const steps = await readSteps(database, '2027-02');
  expect(steps.map(({ state }) => state)).not.toContain('running');
  expect(steps).toHaveLength(7);
});

test('late usage of somebody new is billed in a month that was whole, and the one after it is closed', async () => {
  const acme = { tenantId: 'acme', calls: [] };
  const scene = await openBillingScene({ tenants: [acme], setUpAt: '2027-01-01T00:00:01Z' });
  onTestFinished(scene.close);
  const { database, double, parts } = scene;
  await receiveEvents(database, [
    usage('acme', { tokens: 1, index: 1, at: '2027-01-05T12:00:00Z' }),
  ]);
  const runAt = async (at: string) => {
    await double.control.setClock(parseInstant(at));
    return runLast(parts);
  };
  await runAt('2027-02-03T13:00:00Z');
  expect(namesOf(await runAt('2027-03-03T13:00:00Z'))).toEqual(['2027-01', '2027-02']);
  expect(namesOf(await runAt('2027-03-03T19:00:00Z'))).toEqual(['2027-02']);
  double.control.addCustomer({ id: customerOf('globex') });
  await makeTenant(database, 'globex', { mode: 'live', stripeCustomer: customerOf('globex') });
  const late = usage('globex', { tokens: 1_000_000, index: 1, at: '2027-01-20T12:00:00Z' });
  await receiveEvents(database, [late], '2027-03-04T12:01:00Z');

  const billed = await runAt('2027-03-04T13:00:00Z');

  expect(namesOf(billed)).toEqual(['2027-01', '2027-02']);
  expect(billed).toMatchObject({ done: true, missing: [] });
  const closed = "select 1 from periods where tenant_id = 'globex' and state = 'closed'";
  expect((await database.pool.query(closed)).rows).toHaveLength(2);
});

test('what was taken back after a person had billed it leaves nothing of a month open', async () => {
  const acme = { tenantId: 'acme', calls: [] };
  const of = { tenants: [acme], withSubscriptions: false, setUpAt: '2027-01-01T00:00:01Z' };
  const scene = await openBillingScene(of);
  onTestFinished(scene.close);
  const { database, double, parts } = scene;
  const at = '2027-01-05T12:00:00Z';
  await receiveEvents(database, [usage('acme', { tokens: 1_000_000, index: 1, at })], at);
  const runAt = async (instant: string) => {
    await double.control.setClock(parseInstant(instant));
    return runLast(parts);
  };
  await runAt('2027-02-02T13:00:00Z');
  const who = { tenant_id: 'acme', month: '2027-01', actor: 'ann' };
  await settleMonth(parts, { ...who, amount: '4.71', reason: 'invoice 7' });
  await runAt('2027-02-03T13:00:00Z');
  await runAt('2027-02-05T13:00:00Z');

  const first = await runAt('2027-03-03T13:00:00Z');

  expect(namesOf(first)).toEqual(['2027-01', '2027-02']);
  expect(first).toMatchObject({ done: true });
  expect(namesOf(await runAt('2027-03-04T13:00:00Z'))).toEqual(['2027-02']);
});

test('the command goes on with a month that a run has begun, and names both; one without any period is left', async () => {
  const { database, month, environment } = await openPushScene(['acme'], { now: systemClock() });
  const folder = await mkdtemp(join(tmpdir(), 'spanledger-last-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const before = monthAfter(month, -1);
  await beginStep(database, { month: before, step: 'close' }, systemClock());
  const dry = async () => {
    const { stdout } = await cli(['run-month', 'last', '--dry-run', '--json'], environment);
    return JSON.parse(stdout);
  };
  expect(await dry()).toMatchObject({ month, earlier: [] });
  const at = `${before}-15T12:00:00Z`;
  await receiveEvents(database, [usage('globex', { tokens: 1_000, index: 1, at })], at);
  expect(await dry()).toMatchObject({ month, earlier: [{ month: before }] });

  const { stdout } = await cli(['run-month', 'last', '--out', folder], environment);

  const headings = stdout.split('\n').filter((line) => /^\d{4}-\d{2}$/.test(line));
  expect(headings).toEqual([before, month]);
  const closed = "select 1 from periods where tenant_id = 'globex' and state = 'closed'";
  expect((await database.pool.query(closed)).rows).toHaveLength(2);
});
