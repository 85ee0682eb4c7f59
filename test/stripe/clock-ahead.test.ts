import { expect, it } from 'vitest';
import { pushMonth } from '../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../src/stripe/reconcile-month.ts';
import {
  countedBy,
  DUE_MICRO,
  HOUR_MS,
  METER_EVENTS,
  ofMonth,
  openPushScene,
  PUSHED_AT,
  sendsOf,
} from '../support/stripe.ts';

it('a push by a clock that runs ahead of Stripe waits, says so, and is told once when Stripe gets there', async () => {
  const scene = await openPushScene();
  const { double, options } = scene;
  await double.control.setClock(PUSHED_AT - 90 * 60_000);
  const ahead = { ...options, clock: () => double.control.now() + 90 * 60_000 };

  const [early] = await pushMonth(ahead, ofMonth(scene.month));
  expect(early?.state).toBe('sent');
  expect(early?.detail).toContain("the clock of this machine is ahead of Stripe's");
  expect(double.control.meterEvents()).toEqual([]);
  const [flying] = await reconcileMonth(ahead, ofMonth(scene.month));
  expect(flying).toMatchObject({ difference: 'in_flight' });

  // A week later nothing explains it any more, and the push is the command that gets out.
  await scene.advance(7 * 24 * HOUR_MS);
  const [row] = await reconcileMonth(ahead, ofMonth(scene.month));
  expect(row).toMatchObject({ difference: 'unanswered', explained: false });
  expect((await pushMonth(ahead, ofMonth(scene.month)))[0]?.state).toBe('ambiguous');
  await scene.advance(24 * HOUR_MS);
  expect((await pushMonth(ahead, ofMonth(scene.month)))[0]?.state).toBe('confirmed');
  expect(countedBy(double)).toEqual([`cus_acme ${DUE_MICRO}`]);
});

it('what a clock ahead of Stripe could not tell is told by the next push once it is set right', async () => {
  const scene = await openPushScene();
  const { double, options } = scene;
  await double.control.setClock(PUSHED_AT - 90 * 60_000);
  const ahead = { ...options, clock: () => double.control.now() + 90 * 60_000 };
  await pushMonth(ahead, ofMonth(scene.month));
  // Half an hour in, by Stripe's clock the month has ended 30 minutes ago, and by ours too.
  await double.control.setClock(PUSHED_AT);
  expect((await pushMonth(options, ofMonth(scene.month)))[0]?.state).toBe('confirmed');
  expect(countedBy(double)).toEqual([`cus_acme ${DUE_MICRO}`]);
});

it('what was sent by a clock that ran ahead is never sent again, however the clock is set', async () => {
  const scene = await openPushScene();
  const { double, options } = scene;
  double.control.injectFault({
    kind: 'apply_then_reset',
    times: 9,
    match: { path: METER_EVENTS },
  });
  double.control.setSummaryLag(20 * HOUR_MS);
  const ahead = { ...options, clock: () => double.control.now() + 24 * HOUR_MS };
  await pushMonth(ahead, ofMonth(scene.month));
  double.control.clearFaults();
  const sends = sendsOf(double);
  // Stripe forgets the identifier after 24 hours, when by the clock that was set back it is a moment old.
  for (const hours of [1, 24, 6]) {
    await scene.advance(hours * HOUR_MS);
    await pushMonth(options, ofMonth(scene.month));
  }
  expect(sendsOf(double)).toBe(sends);
  double.control.setSummaryLag(0);
  expect((await pushMonth(options, ofMonth(scene.month)))[0]?.state).toBe('confirmed');
  expect(countedBy(double)).toEqual([`cus_acme ${DUE_MICRO}`]);
});
