import { expect, onTestFinished, test } from 'vitest';
import { remedyText } from '../../../src/cli/terminal/commands-to-type.ts';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { closeTenant } from '../../../src/ledger/closes/close-tenant.ts';
import { Refusal } from '../../../src/refusal.ts';
import { pushMonth } from '../../../src/stripe/push-month.ts';
import { settleMonth } from '../../../src/stripe/settle-month.ts';
import { receiveEvents } from '../../support/ledger.ts';
import { ofMonth } from '../../support/stripe.ts';
import type { BillingScene } from '../billing-scene.ts';
import { MONTH, openBillingScene, usage } from '../billing-scene.ts';

const BACK = '2026-10-20';

/** A customer who left on the 20th and was back on the 25th: two periods begin in October, of 6.24 and of 2.36. */
async function leftAndBack(of: { readonly isFirstTold: boolean }): Promise<BillingScene> {
  const scene = await openBillingScene({ withWebhooks: false });
  onTestFinished(scene.close);
  const { parts, double, database } = scene;
  await double.control.setClock(parseInstant('2026-10-21T00:00:00Z'));
  await closeTenant(parts, { tenant_id: 'acme', at: parseInstant(`${BACK}T00:00:00Z`) });
  if (of.isFirstTold) await pushMonth(parts, ofMonth(MONTH));
  await double.control.setClock(parseInstant('2026-10-25T12:00:05Z'));
  const call = usage('acme', { tokens: 500_000, index: 77, at: '2026-10-25T12:00:00Z' });
  await receiveEvents(database, [call], '2026-10-25T12:00:05Z');
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await closePeriods(parts, { month: MONTH, tenant_id: null });
  return scene;
}

const settle = ({ parts }: BillingScene, amount: string, period_start?: string) =>
  settleMonth(parts, {
    ...{ tenant_id: 'acme', month: MONTH, amount, reason: 'invoice R-17', actor: 'ann' },
    ...(period_start === undefined ? {} : { period_start }),
  });

test('of two periods that begin in a month the one that is not told is settled, and the other stays told', async () => {
  const scene = await leftAndBack({ isFirstTold: true });

  expect(await settle(scene, '2.36')).toMatchObject({ period_start: BACK, due: '0' });

  const rows = await pushMonth(scene.parts, ofMonth(MONTH));
  expect(rows.map(({ state }) => state)).toEqual(['confirmed', 'confirmed', 'shadow']);
  expect(scene.double.control.meterEvents().map(({ value }) => value)).toEqual(['6239715']);
});

test('of two periods that are not told the one that was billed is named', async () => {
  const scene = await leftAndBack({ isFirstTold: false });

  const refusal = await settle(scene, '2.36').then(
    () => null,
    (error: unknown) => error,
  );
  if (!(refusal instanceof Refusal)) throw new Error('it is refused');
  expect(refusal.message).toContain(
    '2 periods of tenant "acme" begin in 2026-10: one from 2026-10-01 with 6.239715 USD untold, one from 2026-10-20 with 2.357136 USD untold',
  );
  const command = 'spanledger stripe settled acme 2026-10 --amount … --reason … --period-start';
  expect(remedyText(refusal.remedy)).toBe(
    `say which of them was billed: "${command} 2026-10-01" or "${command} 2026-10-20"`,
  );
  expect(await settle(scene, '2.36', BACK)).toMatchObject({ period_start: BACK, due: '0' });
  expect(await settle(scene, '6.24')).toMatchObject({ period_start: '2026-10-01', due: '0' });
  await expect(settle(scene, '1.00', '2026-10-02')).rejects.toThrow('is closed');
});
