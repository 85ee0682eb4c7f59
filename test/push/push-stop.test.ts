import { expect, it } from 'vitest';
import { openPushStop } from '../../src/push/push-stop.ts';

const of = (tenantId: string) => ({ tenantId, periodStart: '2026-10-01' });

/** A stop to which so many different tenants in a row came without an answer. */
function after(tenants: number) {
  const stop = openPushStop(8);
  for (let index = 0; index < tenants; index += 1) stop.unanswered(of(`t${index}`), 'timed out');
  return stop;
}

it('eight tenants in a row without an answer end the push, and one fewer does not', () => {
  expect([after(7).reason(), after(7).silence()]).toEqual([null, null]);
  const { reason, silence } = after(8);
  expect(reason()).toEqual({
    fault:
      'stopped for every tenant: Stripe does not answer, and 8 tenants in a row were tried; the last was "t7": timed out',
    remedy: [
      'run ',
      { operation: 'push', month: '2026-10' },
      ' again once Stripe answers; what was sent stays sent until that run decides it, so that nothing is lost or told twice',
    ],
  });
  expect(silence()).toBe(reason());
});

it('one tenant that is never answered ends nothing, however many periods it has', () => {
  const stop = after(7);
  for (let times = 0; times < 20; times += 1) stop.unanswered(of('t3'), 'timed out');
  expect(stop.reason()).toBeNull();
});

it('an answer in between begins the row anew, and none takes back a stop', () => {
  const stop = after(7);
  stop.answered();
  for (let index = 10; index < 17; index += 1) stop.unanswered(of(`t${index}`), 'timed out');
  expect(stop.reason()).toBeNull();
  stop.unanswered(of('t17'), 'timed out');
  stop.answered();
  expect(stop.silence()?.fault).toContain('"t17"');
});

it('what is refused for everybody is no silence', () => {
  const stop = openPushStop(8);
  const refused = { fault: 'stopped for every tenant: no such key', remedy: null };
  stop.refuse(refused);
  expect([stop.reason(), stop.silence()]).toEqual([refused, null]);
});
