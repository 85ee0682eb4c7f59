import { expect, onTestFinished, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { closeTenant } from '../../../src/ledger/closes/close-tenant.ts';
import { pushMonth } from '../../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../../src/stripe/reconcile-month.ts';
import { textRows } from '../../support/database.ts';
import { receiveEvents } from '../../support/ledger.ts';
import { ofMonth } from '../../support/stripe.ts';
import type { BillingScene, SceneOptions } from '../billing-scene.ts';
import { MONTH, openBillingScene, runWholeMonth, usage } from '../billing-scene.ts';

/** A summary is asked by whole minutes, and a customer leaves at any instant. */

async function leftAt(at: string, options: SceneOptions = {}): Promise<BillingScene> {
  const scene = await openBillingScene(options);
  onTestFinished(scene.close);
  await scene.double.control.setClock(parseInstant(at) + 60_000);
  await closeTenant(scene.parts, { tenant_id: 'acme', at: parseInstant(at) });
  return scene;
}

const intents = async ({ database }: BillingScene) =>
  (
    await textRows(
      database,
      'select period_start, destination, state from audit.pushes order by period_start, identifier',
    )
  ).map((row) => `${row['period_start']} ${row['destination']} ${row['state']}`);

test('what is told of a customer who left within a minute is seen on the meter, and the month is whole', async () => {
  const scene = await leftAt('2026-10-20T10:23:45Z');
  const { control } = scene.double;
  await control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await runWholeMonth(scene.parts, MONTH);
  await control.setClock(parseInstant('2026-11-02T01:00:00Z'));

  expect(await runWholeMonth(scene.parts, MONTH)).toMatchObject({ done: true, missing: [] });

  expect(await intents(scene)).toEqual(['2026-10-01 meter confirmed']);
  expect(await scene.differences()).toEqual([]);
});

test.each([
  ['2026-10-20T10:23:45Z', '2026-10-25T12:00:00Z', 'meter'],
  ['2026-10-20T10:24:00.5Z', '2026-10-25T12:00:00Z', 'meter'],
  // Nothing but the last second of the month is left, and both periods end in one minute.
  ['2026-10-31T23:59:59Z', '2026-10-31T23:59:59.5Z', 'invoice_item'],
])(
  'whoever left at %s and comes back at %s is told once for each period',
  async (left, back, second) => {
    const scene = await leftAt(left, { withWebhooks: false });
    const { control } = scene.double;
    await pushMonth(scene.parts, ofMonth(MONTH));
    const more = usage('acme', { tokens: 2_000_000, index: 77, at: back });
    const next = parseInstant('2026-11-01T00:30:00Z');
    await control.setClock(next);
    await receiveEvents(scene.database, [more], '2026-11-01T00:20:00Z');
    await closePeriods(scene.parts, ofMonth(MONTH));
    await pushMonth(scene.parts, ofMonth(MONTH));
    await control.advanceClock(2 * 3_600_000);

    const all = await reconcileMonth(scene.parts, ofMonth(MONTH));

    const compared = all.filter(({ tenant_id }) => tenant_id === 'acme');

    const day = left.slice(0, 10);
    expect(await intents(scene)).toEqual([
      '2026-10-01 meter confirmed',
      `${day} ${second} confirmed`,
    ]);
    expect(compared.map(({ difference }) => difference)).toEqual(['none', 'none']);
  },
);
