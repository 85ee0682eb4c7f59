import { expect, onTestFinished, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { readAlerts } from '../../../src/push/alert-store.ts';
import { releaseInvoices } from '../../../src/stripe/invoices/invoice.ts';
import { readInvoices } from '../../../src/stripe/invoices/invoice-store.ts';
import { setUpStripe } from '../../../src/stripe/set-up-stripe.ts';
import { receiveFromEventBridge } from '../../../src/stripe/webhooks/webhook.ts';
import type { SceneOptions } from '../billing-scene.ts';
import { ACME, customerOf, MONTH, openBillingScene, runSteps } from '../billing-scene.ts';

async function scene(options: SceneOptions = {}) {
  const opened = await openBillingScene({ withWebhooks: false, ...options });
  onTestFinished(opened.close);
  return opened;
}

/** Without data: the object is named and must be fetched. */
const thin = (id: string, type: string, related: string) =>
  JSON.stringify({
    id,
    object: 'v2.core.event',
    type,
    livemode: false,
    created: '2026-11-01T00:00:00Z',
    related_object: { id: related, type: 'invoice', url: `/v1/invoices/${related}` },
  });

test('a thin event of an invoice holds it as a snapshot does', async () => {
  const { double, parts } = await scene();
  await double.control.setClock(parseInstant('2026-11-01T00:10:00Z'));
  const [draft] = (await parts.stripe.invoices.list({ customer: customerOf('acme') })).data;

  const body = thin('evt_thin', 'v1.invoice.created', draft?.id ?? '');
  expect(await receiveFromEventBridge(parts, body)).toMatchObject({
    outcome: 'held until the push is proven',
  });

  expect(await readInvoices(parts.database, { month: MONTH, tenantId: null })).toMatchObject([
    { tenantId: 'acme', state: 'held' },
  ]);
});

test('an event about what is gone is answered, recorded and not asked for again', async () => {
  const { parts } = await scene();
  for (const type of ['v1.invoice.created', 'v1.invoice.finalized']) {
    const body = thin(`evt_${type}`, type, 'in_gone');
    expect((await receiveFromEventBridge(parts, body)).outcome).toMatch(/^gone: .*in_gone/);
    expect((await receiveFromEventBridge(parts, body)).outcome).toBe('handled before');
  }
  expect(await readAlerts(parts.database)).toEqual([]);
});

test('a draft that cannot be changed is an alert, and no endless failure of the endpoint', async () => {
  const { double, parts } = await scene();
  await double.control.setClock(parseInstant('2026-11-01T00:10:00Z'));
  const [draft] = (await parts.stripe.invoices.list({ customer: customerOf('acme') })).data;
  double.control.injectFault({
    kind: 'error',
    status: 400,
    message: 'This customer has been deleted.',
    match: { method: 'POST', path: `/v1/invoices/${draft?.id}` },
  });
  const body = thin('evt_held', 'v1.invoice.created', draft?.id ?? '');
  expect((await receiveFromEventBridge(parts, body)).outcome).toContain('not handled: ');
  expect(await readAlerts(parts.database)).toMatchObject([
    { kind: 'event_not_handled', subject: 'evt_held', resolvedAt: null },
  ]);
});

test('an invoice that is gone or refused is named, and every other one is released', async () => {
  const { double, parts } = await scene({
    tenants: [ACME, { tenantId: 'bolt' }, { tenantId: 'cold' }],
  });
  await double.control.setClock(parseInstant('2026-11-01T00:10:00Z'));
  await runSteps(parts, MONTH);
  // given two that were held before, and one of them gone
  await parts.database.pool.query("update stripe_invoices set state = 'held'");
  await parts.database.pool.query(
    "update stripe_invoices set invoice_id = 'in_gone' where tenant_id = 'acme'",
  );
  const bolt = (await readInvoices(parts.database, { month: MONTH, tenantId: 'bolt' }))[0];
  double.control.injectFault({
    kind: 'error',
    status: 400,
    message: 'You cannot change this invoice.',
    match: { method: 'POST', path: `/v1/invoices/${bolt?.invoiceId}` },
  });

  const released = await releaseInvoices(parts, { month: MONTH });

  expect(released.map(({ tenant_id, state }) => [tenant_id, state])).toEqual([
    ['acme', 'gone'],
    ['bolt', 'refused'],
    ['cold', 'released'],
  ]);
  expect(released[1]?.detail).toContain('You cannot change this invoice');

  // and one about which Stripe does not answer stays held, and says so
  await parts.database.pool.query(
    "update stripe_invoices set state = 'held' where tenant_id in ('bolt', 'cold')",
  );
  const match = { method: 'GET', path: `/v1/invoices/${bolt?.invoiceId}` };
  double.control.injectFault({ kind: 'html_503', times: 4, match });
  const again = await releaseInvoices(parts, { month: MONTH });
  expect(again.map(({ state }) => state)).toEqual(['gone', 'held', 'released']);
  expect(again[1]?.detail).toContain('Stripe did not answer about invoice');
});

test('what Stripe refuses of one tenant names it, and hides nothing of what setup made', async () => {
  const { double, parts } = await scene({
    tenants: [ACME, { tenantId: 'bolt' }],
    withSubscriptions: false,
  });
  double.control.injectFault({
    kind: 'error',
    status: 400,
    message: 'You cannot combine currencies on a single customer.',
    match: { method: 'POST', path: '/v1/subscriptions' },
    times: 1,
  });
  const made = await setUpStripe(parts, {
    currency: 'USD',
    customers: false,
    subscriptions: true,
    tenant_id: null,
  });
  expect(made.meter).toMatch(/^mtr_/);
  expect(made.subscriptions?.map(({ state }) => state).sort()).toEqual(['made', 'refused']);
  const refused = made.subscriptions?.find(({ state }) => state === 'refused');
  expect(refused?.detail).toContain(`tenant "${refused?.tenant_id}"`);
  expect(refused?.detail).toContain('You cannot combine currencies');
});

test('a report in a shape that nobody knows is an alert', async () => {
  const { parts } = await scene();
  // The client is asked for the report, and Stripe has changed what a report is.
  parts.stripe.v2.core.events.retrieve = (async () => ({
    id: 'evt_new',
    object: 'v2.core.event',
    type: 'v1.billing.meter.error_report_triggered',
    data: { findings: [] },
  })) as never;
  const body = thin('evt_new', 'v1.billing.meter.error_report_triggered', 'mtr_1');
  expect((await receiveFromEventBridge(parts, body)).outcome).toContain('another shape');
  expect(await readAlerts(parts.database)).toMatchObject([{ kind: 'event_not_handled' }]);
});
