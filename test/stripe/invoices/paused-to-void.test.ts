import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { nameMissing } from '../../../src/month/completeness/name-missing.ts';
import type { BillingScene } from '../billing-scene.ts';
import { customerOf, MONTH, openBillingScene, runWholeMonth } from '../billing-scene.ts';

/** Invoices that are void or uncollectible as soon as they are made leave no draft that would name the pause (R24). */

const PAUSED = ['acme', 'bolt'] as const;
const BEHAVIORS = { acme: 'void', bolt: 'mark_uncollectible' } as const;

let scene: BillingScene;
beforeAll(async () => {
  scene = await openBillingScene({
    tenants: [...PAUSED, 'coop'].map((tenantId) => ({ tenantId })),
  });
});
afterAll(() => scene.close());

const subscriptionOf = async (tenant: string) =>
  (await scene.parts.stripe.subscriptions.list({ customer: customerOf(tenant) })).data[0]?.id ?? '';

test('the month names a pause under which its invoices are void or uncollectible at once', async () => {
  for (const tenant of PAUSED) {
    const pause_collection = { behavior: BEHAVIORS[tenant] };
    await scene.parts.stripe.subscriptions.update(await subscriptionOf(tenant), {
      pause_collection,
    });
  }
  await scene.double.control.settle();
  await scene.double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const { done, missing } = await runWholeMonth(scene.parts, MONTH);

  expect(done).toBe(false);
  const named = missing.filter(({ detail }) => detail.includes('collection_paused'));
  expect(named.map(({ tenant_id }) => tenant_id).toSorted()).toEqual(['acme', 'bolt']);
  expect(named.map(({ detail }) => detail).join()).toMatch(
    /are void as soon as they are made.*are marked uncollectible as soon as they are made/,
  );
});

test('a pause that begins after its invoice was final is none of the month', async () => {
  await scene.double.control.advanceClock(80 * 3_600_000);
  await scene.parts.stripe.subscriptions.update(await subscriptionOf('coop'), {
    pause_collection: { behavior: 'void' },
  });
  await scene.double.control.settle();
  const ofMonth = (month: string | null) => nameMissing(scene.parts, { month, tenant_id: 'coop' });
  expect(await ofMonth(MONTH)).toEqual([]);
  expect(await ofMonth(null)).toMatchObject([{ kind: 'alert', tenant_id: 'coop' }]);
});
