import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { tellStatus } from '../../../src/month/status/tell-status.ts';
import { readAlerts } from '../../../src/push/alert-store.ts';
import { setUpSubscriptions } from '../../../src/stripe/customers/subscription.ts';
import { reconcileMonth } from '../../../src/stripe/reconcile-month.ts';
import { ofMonth } from '../../support/stripe.ts';
import type { BillingScene } from '../billing-scene.ts';
import { customerOf, MONTH, openBillingScene, runSteps, runWholeMonth } from '../billing-scene.ts';

const RESUMES_AT = '2026-11-20T00:00:00.000Z';
const SAID = `its invoices will not be collected until ${RESUMES_AT}`;

let scene: BillingScene;
let subscription: string;
beforeAll(async () => {
  scene = await openBillingScene({ tenants: [{ tenantId: 'acme' }, { tenantId: 'bolt' }] });
  const { data } = await scene.parts.stripe.subscriptions.list({ customer: customerOf('acme') });
  subscription = data[0]?.id ?? '';
});
afterAll(() => scene.close());

const invoicesOf = async (tenant: string) =>
  (await scene.parts.stripe.invoices.list({ customer: customerOf(tenant) })).data;
const alerts = async () =>
  (await readAlerts(scene.database)).map(({ kind, tenantId, periodStart, resolvedBy }) => [
    kind,
    tenantId,
    periodStart,
    resolvedBy,
  ]);

test('a pause of collection is told of by an event, and by whoever sets Stripe up', async () => {
  await scene.parts.stripe.subscriptions.update(subscription, {
    pause_collection: { behavior: 'keep_as_draft', resumes_at: parseInstant(RESUMES_AT) / 1000 },
  });
  await scene.double.control.settle();

  expect(await alerts()).toEqual([['collection_paused', 'acme', null, null]]);
  const [acme, bolt] = await setUpSubscriptions(scene.parts, scene.meter);
  expect(acme).toMatchObject({ tenant_id: 'acme', state: 'would_bill_wrongly' });
  expect(acme?.detail).toContain(SAID);
  expect(acme?.remedy).toEqual([`resume the collection of ${subscription} in Stripe`]);
  expect(bolt).toMatchObject({ tenant_id: 'bolt', state: 'fits' });
});

test('the month keeps the draft of whose collection is paused, names it, and bills the others', async () => {
  await scene.double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const { done, steps, missing } = await runWholeMonth(scene.parts, MONTH);

  expect(done).toBe(false);
  const said = [...steps.map(({ detail }) => detail), JSON.stringify(missing)].join('\n');
  expect(said.split(SAID)).toHaveLength(2);
  expect(said).toContain('run the month again, which lets its drafts go');
  await scene.double.control.advanceClock(80 * 3_600_000);
  expect(await invoicesOf('acme')).toMatchObject([{ status: 'draft', auto_advance: false }]);
  expect(await invoicesOf('bolt')).toMatchObject([{ status: 'open' }]);
  expect(await reconcileMonth(scene.parts, ofMonth(MONTH))).toMatchObject([
    { tenant_id: 'acme', difference: 'invoice_wrong', explained: false },
    { tenant_id: 'bolt', difference: 'none' },
    {},
  ]);
  const status = await tellStatus(
    { ...scene.parts, queue: 'no queue', destinationFault: null },
    { month: MONTH },
  );
  expect(JSON.stringify(status)).toContain(SAID);
});

test('when collection goes on, the next run lets the draft go and the alerts end', async () => {
  await scene.double.control.setClock(parseInstant('2026-11-20T00:00:01Z'));
  await runSteps(scene.parts, MONTH);
  await scene.double.control.advanceClock(2 * 3_600_000);

  expect(await scene.differences()).toEqual([]);
  expect(await alerts()).toEqual([
    ['collection_paused', 'acme', null, 'spanledger'],
    ['collection_paused', 'acme', '2026-10-01', 'spanledger'],
  ]);
  const steps = await runSteps(scene.parts, MONTH);
  expect(steps.filter(({ state }) => state !== 'done')).toEqual([]);
});

test.each([
  ['void', 'void'],
  ['mark_uncollectible', 'uncollectible'],
] as const)('an invoice of a subscription paused to %s is %s at once', async (behavior, status) => {
  await scene.parts.stripe.subscriptions.update(subscription, { pause_collection: { behavior } });
  const meter = { event_name: scene.meter.eventName, payload: { value: '5000000' } };
  const payload = { ...meter.payload, stripe_customer_id: customerOf('acme') };
  await scene.parts.stripe.billing.meterEvents.create({ ...meter, payload });
  const month = behavior === 'void' ? '12' : '01';
  const year = behavior === 'void' ? '2026' : '2027';
  await scene.double.control.setClock(parseInstant(`${year}-${month}-01T00:30:00Z`));
  expect((await invoicesOf('acme'))[0]).toMatchObject({ status });
  const [acme] = await setUpSubscriptions(scene.parts, scene.meter);
  expect(acme?.detail).toContain('its invoices will not be collected until a person resumes it');
});
