import { expect, it } from 'vitest';
import { type LastTry, openPushStop } from '../../src/push/push-stop.ts';

const SILENCE: LastTry = { detail: 'timed out', isSilent: true };
const FAULT: LastTry = { detail: 'StripeAPIError 503', isSilent: false };

const of = (tenantId: string) => ({ tenantId, periodStart: '2026-10-01' });

/** A stop to which so many different tenants in a row came without an answer. */
function after(tenants: number, last: LastTry = SILENCE) {
  const stop = openPushStop(8);
  for (let index = 0; index < tenants; index += 1) stop.unanswered(of(`t${index}`), last);
  return stop;
}

it('eight tenants in a row without an answer end the push, and one fewer does not', () => {
  expect([after(7).reason(), after(7).outage()]).toEqual([null, null]);
  const { reason, outage } = after(8);
  expect(reason()).toEqual({
    fault:
      'stopped for every tenant: Stripe does not answer, and 8 tenants in a row were tried; the last was "t7": timed out',
    remedy: [
      'run ',
      { operation: 'push', month: '2026-10' },
      ' again once Stripe is back; what was sent stays sent until that run decides it, so that nothing is lost or told twice',
    ],
  });
  expect(outage()).toBe(reason());
});

it('faults that are answered end the push after one tenant more, since a bad second meets all that are in work', () => {
  expect(after(8, FAULT).reason()).toBeNull();
  expect(after(9, FAULT).outage()?.fault).toBe(
    'stopped for every tenant: Stripe answers only that it cannot, and 9 tenants in a row were tried; the last was "t8": StripeAPIError 503',
  );
});

it('faults and silence count together', () => {
  const stop = after(7, FAULT);
  stop.unanswered(of('t7'), SILENCE);
  expect(stop.outage()?.fault).toContain('Stripe does not answer, and 8 tenants in a row');
});

it('one tenant that is never answered ends nothing, however many periods it has', () => {
  const stop = after(7);
  for (let times = 0; times < 20; times += 1) stop.unanswered(of('t3'), SILENCE);
  expect(stop.reason()).toBeNull();
});

it('an answer in between begins the row anew, and none takes back a stop', () => {
  const stop = after(7);
  stop.answered();
  for (let index = 10; index < 17; index += 1) stop.unanswered(of(`t${index}`), SILENCE);
  expect(stop.reason()).toBeNull();
  stop.unanswered(of('t17'), SILENCE);
  stop.answered();
  expect(stop.outage()?.fault).toContain('"t17"');
});

it('what is refused for everybody is no outage', () => {
  const stop = openPushStop(8);
  const refused = { fault: 'stopped for every tenant: no such key', remedy: null };
  stop.refuse(refused);
  expect([stop.reason(), stop.outage()]).toEqual([refused, null]);
});
