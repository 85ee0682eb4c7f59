import { expect, onTestFinished, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { readAlerts, readOpenAlerts } from '../../../src/push/alert-store.ts';
import { resolveAlert } from '../../../src/stripe/alerts/resolve-alert.ts';
import { reconcileMonth, reconcileUnasked } from '../../../src/stripe/reconcile-month.ts';
import { unparkIntent } from '../../../src/stripe/unpark-intent.ts';
import { receiveFromEventBridge } from '../../../src/stripe/webhooks/webhook.ts';
import { textRows } from '../../support/database.ts';
import { ofMonth } from '../../support/stripe.ts';
import type { BillingScene } from '../billing-scene.ts';
import { customerOf, MONTH, openBillingScene, runWholeMonth } from '../billing-scene.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A month that is billed and done, by a ledger that no event of Stripe's reaches. */
async function doneMonth(): Promise<BillingScene> {
  const scene = await openBillingScene({ withWebhooks: false });
  onTestFinished(scene.close);
  await scene.double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await runWholeMonth(scene.parts, MONTH);
  await scene.double.control.advanceClock(3 * HOUR_MS);
  expect((await runWholeMonth(scene.parts, MONTH)).done).toBe(true);
  expect(await differencesOf(scene)).toEqual(['none']);
  return scene;
}

const differencesOf = async ({ parts }: BillingScene) =>
  (await reconcileMonth(parts, ofMonth(MONTH)))
    .filter(({ tenant_id }) => tenant_id === 'acme')
    .map(({ difference }) => difference);

async function invoiceOf({ parts }: BillingScene): Promise<string> {
  const { data } = await parts.stripe.invoices.list({ customer: customerOf('acme') });
  return data.find(({ total }) => total > 0)?.id ?? '';
}

async function resolveAll(scene: BillingScene): Promise<void> {
  for (const { alertId } of await readOpenAlerts(scene.database, MONTH)) {
    const alert_id = String(alertId);
    await resolveAlert(scene.parts, { alert_id, reason: 'agreed with them', actor: 'ann' });
  }
}

test('an invoice that is credited is found by whoever reconciles, and the month is done once a person has said why', async () => {
  const scene = await doneMonth();
  const { parts } = scene;
  await parts.stripe.creditNotes.create({ invoice: await invoiceOf(scene), amount: 100 });

  const [row] = (await reconcileMonth(parts, ofMonth(MONTH))).filter((each) => !each.explained);
  expect(row).toMatchObject({ tenant_id: 'acme', difference: 'invoice_wrong' });
  expect(row?.detail).toContain('1.00 USD of it was credited');
  const unasked = await reconcileUnasked(parts, ofMonth(MONTH));
  expect(unasked[0]).toMatchObject({ tenant_id: 'acme', difference: 'invoice_wrong' });
  const answer = await runWholeMonth(parts, MONTH);
  expect(answer.done).toBe(false);
  const naming = [
    ...answer.steps.map(({ detail }) => detail),
    ...answer.missing.map(({ detail }) => detail),
  ];
  expect(naming.filter((said) => said.includes('was credited'))).toHaveLength(1);

  await resolveAll(scene);
  expect(await differencesOf(scene)).toEqual(['none']);
  expect((await runWholeMonth(parts, MONTH)).done).toBe(true);
});

test('what a final invoice bills is not told anew, though the count has lost it', async () => {
  const scene = await doneMonth();
  const { parts, database, meter, double } = scene;
  const [intent] = await textRows(database, 'select identifier from push_intents');
  const identifier = intent?.['identifier'] ?? '';
  const cancel = { identifier };
  const of = { event_name: meter.eventName, type: 'cancel', cancel } as const;
  await parts.stripe.billing.meterEventAdjustments.create(of);
  await double.control.advanceClock(25 * HOUR_MS);
  await expect(unparkIntent(parts, { identifier })).rejects.toThrow('a final invoice bills');
});

test('an invoice that is voided after the month was done is found by a run of a later day, and comes to its end', async () => {
  const scene = await doneMonth();
  const { parts, double } = scene;
  await parts.stripe.invoices.voidInvoice(await invoiceOf(scene));
  await double.control.advanceClock(DAY_MS);
  expect((await runWholeMonth(parts, MONTH)).done).toBe(false);
  expect((await readAlerts(scene.database)).map(({ kind }) => kind)).toEqual(['invoice_void']);
  await resolveAll(scene);
  for (const days of [0, 10, 30]) {
    await double.control.advanceClock(days * DAY_MS);
    const { done, steps, missing } = await runWholeMonth(parts, MONTH);
    expect({ done, steps: steps.filter(({ state }) => state !== 'done'), missing }).toEqual({
      done: true,
      steps: [],
      missing: [],
    });
  }
});

test('what is counted no more and stands on no invoice is told anew by a person, and then nobody is asked to bill it', async () => {
  const scene = await openBillingScene({ withWebhooks: false });
  onTestFinished(scene.close);
  const { parts, double, meter, database } = scene;
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await runWholeMonth(parts, MONTH);
  const [intent] = await textRows(database, 'select identifier from push_intents');
  const identifier = intent?.['identifier'] ?? '';
  await parts.stripe.billing.meterEventAdjustments.create({
    event_name: meter.eventName,
    type: 'cancel',
    cancel: { identifier },
  });
  await double.control.advanceClock(25 * HOUR_MS);
  const named = await runWholeMonth(parts, MONTH);
  const saying = named.steps.filter(({ detail }) => detail.includes('tenant "acme"'));
  expect(saying).toHaveLength(1);
  expect(named.missing).toEqual([]);

  expect(await unparkIntent(parts, { identifier })).toMatchObject({ state: 'missing' });
  await runWholeMonth(parts, MONTH);
  await double.control.advanceClock(3 * HOUR_MS);
  const { done, steps, missing } = await runWholeMonth(parts, MONTH);
  expect({ done, steps: steps.filter(({ state }) => state !== 'done'), missing }).toMatchObject({
    done: true,
  });
  expect(await readOpenAlerts(database, MONTH)).toEqual([]);
  const [second] = await textRows(
    database,
    'select identifier from push_intents order by sequence desc limit 1',
  );
  await expect(
    unparkIntent(parts, { identifier: second?.['identifier'] ?? '' }),
  ).resolves.toMatchObject({ state: 'confirmed' });
});

test('an event of a credit note leads to its invoice, thin or with a snapshot, and one that is gone ends', async () => {
  const scene = await doneMonth();
  const { parts } = scene;
  const note = await parts.stripe.creditNotes.create({
    invoice: await invoiceOf(scene),
    amount: 100,
  });
  const thin = (id: string, related: string) =>
    JSON.stringify({
      id,
      object: 'v2.core.event',
      type: 'v1.credit_note.created',
      livemode: false,
      created: '2026-11-02T00:00:00Z',
      related_object: { id: related, type: 'credit_note', url: `/v1/credit_notes/${related}` },
    });
  const gone = await receiveFromEventBridge(parts, thin('evt_gone', 'cn_gone'));
  expect(gone.outcome).toMatch(/^gone: .*cn_gone/);
  const said = await receiveFromEventBridge(parts, thin('evt_thin', note.id));
  expect(said.outcome).toContain('1.00 USD of it was credited');
  const [snapshot] = (await parts.stripe.events.list({ type: 'credit_note.created' })).data;
  const again = await receiveFromEventBridge(parts, JSON.stringify(snapshot));
  expect(again.outcome).toContain('1.00 USD of it was credited');
  expect((await readAlerts(scene.database)).map(({ kind }) => kind)).toEqual(['invoice_credited']);
});
