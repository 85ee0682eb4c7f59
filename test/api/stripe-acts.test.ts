import { expect, it, onTestFinished } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { ACME, MONTH, openBillingScene } from '../stripe/billing-scene.ts';
import { freshApi } from '../support/api.ts';

async function openScene() {
  const scene = await openBillingScene({ tenants: [ACME] });
  onTestFinished(scene.close);
  const { parts, database, double } = scene;
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const api = await freshApi(database, { clock: parts.clock, keeper: null, stripe: parts });
  const admin = await api.key('admin', { name: 'finance' });
  const act = (path: string, json: object, id: string) =>
    api.ask(path, admin, { json, headers: { 'idempotency-key': id } });
  return { act };
}

it("what an operator does on Stripe's side is done by requests, too", async () => {
  const { act } = await openScene();
  const setup = await act('/v1/stripe/setup', { subscriptions: true }, 'setup');
  expect(setup.json).toMatchObject({ currency: 'USD', livemode: false });
  expect(setup.json.subscriptions).toMatchObject([{ tenant_id: 'acme', state: 'fits' }]);
  const unparked = await act('/v1/pushes/nobody-made-it/unpark', {}, 'unpark');
  expect([unparked.status, unparked.json.kind]).toEqual([404, 'not_found']);
  const path = '/v1/settlements/nobody-settled-it/reverse';
  const unsettled = await act(path, { reason: 'a slip' }, 'unsettle');
  expect([unsettled.status, unsettled.json.kind]).toEqual([404, 'not_found']);
});

it('a request writes no file of the server and reads none', async () => {
  const { act } = await openScene();
  for (const [path, json] of [
    ['/v1/seals/publish', { to: '/tmp/seals.jsonl' }],
    ['/v1/archives', { to: '/tmp/archive', month: MONTH }],
    ['/v1/archives/check', { place: '/etc' }],
  ] as const) {
    const { status, json: problem } = await act(path, json, path);
    expect([status, problem.kind], path).toEqual([400, 'bad_request']);
    expect(problem.remedy).toContain('s3://');
  }
});
