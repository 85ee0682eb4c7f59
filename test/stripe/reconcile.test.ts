import { describe, expect, it } from 'vitest';
import { remedyText } from '../../src/cli/terminal/commands-to-type.ts';
import { comparePeriod } from '../../src/push/compare-periods.ts';
import type { Intent } from '../../src/push/intent.ts';
import { confirmedSum } from '../../src/push/intent.ts';
import type { PushState } from '../../src/push/intent-state.ts';
import type { PushTarget } from '../../src/push/push-target.ts';
import { pushMonth } from '../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../src/stripe/reconcile-month.ts';
import { settleMonth } from '../../src/stripe/settle-month.ts';
import { checkSummaries } from '../../src/stripe/summary-law.ts';
import { unparkIntent } from '../../src/stripe/unpark-intent.ts';
import { unsettleMonth } from '../../src/stripe/unsettle-month.ts';
import { textRows } from '../support/database.ts';
import { DUE_MICRO, HOUR_MS, ofMonth, openPushScene, PUSHED_AT } from '../support/stripe.ts';
import { tamper } from '../support/tamper.ts';

const TARGET: PushTarget = {
  tenantId: 'acme',
  mode: 'live',
  customer: 'cus_acme',
  closedFor: 'cus_acme',
  periodStart: '2026-10-01',
  startsAt: Date.parse('2026-10-01T00:00:00Z'),
  endsAt: Date.parse('2026-11-01T00:00:00Z'),
  currency: 'USD',
  billableMicro: 100n,
};

function intent(state: PushState, valueMicro = 100n): Intent {
  return {
    tenantId: 'acme',
    periodStart: '2026-10-01',
    sequence: 1,
    identifier: 'spl-testbook-acme-2026-10-01-usd-1',
    destination: 'meter',
    channel: 'spanledger_usage_usd',
    customer: 'cus_acme',
    valueMicro,
    eventTimestamp: 0,
    state,
    attempts: 1,
    firstAttemptAt: PUSHED_AT,
    lastAnswer: null,
    livemode: false,
    account: null,
    absentSince: null,
    provenAt: null,
  };
}

describe('a row of the reconciliation', () => {
  it.each([
    { is: 'none', why: 'all three agree', states: ['confirmed'], summary: 100n, explained: true },
    { is: 'none', why: 'nothing was due', due: 0n, states: [], summary: 0n, explained: true },
    {
      is: 'none',
      why: 'nothing was due, nobody to ask',
      due: 0n,
      states: [],
      summary: null,
      explained: true,
    },
    {
      is: 'shadow',
      why: 'of a shadow tenant',
      mode: 'shadow',
      states: [],
      summary: null,
      explained: true,
    },
    { is: 'not_pushed', why: 'closed and never sent', states: [], summary: 0n, explained: false },
    { is: 'not_pushed', why: 'without a customer', states: [], summary: null, explained: false },
    { is: 'not_pushed', why: 'parked', states: ['parked'], summary: 0n, explained: false },
    { is: 'in_flight', why: 'sent, not yet seen', states: ['sent'], summary: 0n, explained: true },
    {
      is: 'unanswered',
      why: 'sent a week ago',
      states: ['sent'],
      summary: 0n,
      hours: 7 * 24,
      explained: false,
    },
    {
      is: 'unanswered',
      why: 'sent by a clock that was a week ahead',
      states: ['sent'],
      summary: 0n,
      hours: -7 * 24,
      explained: false,
    },
    { is: 'in_flight', why: 'ambiguous', states: ['ambiguous'], summary: 100n, explained: true },
    {
      is: 'lag',
      why: 'confirmed within the hour',
      states: ['confirmed'],
      summary: 0n,
      hours: 0.99,
      explained: true,
    },
    {
      is: 'missing',
      why: 'confirmed an hour ago',
      states: ['confirmed'],
      summary: 0n,
      hours: 1,
      explained: false,
    },
    {
      is: 'missing',
      why: 'there in part only',
      states: ['confirmed'],
      summary: 99n,
      hours: 2,
      explained: false,
    },
    {
      is: 'billed',
      why: 'on its final invoice, and lost by the meter since',
      states: ['confirmed'],
      summary: 0n,
      billed: 100n,
      hours: 24 * 30,
      explained: true,
    },
    {
      is: 'missing',
      why: 'on its final invoice in part, and lost by the meter since',
      states: ['confirmed'],
      summary: 0n,
      billed: 99n,
      hours: 24 * 30,
      explained: false,
    },
    {
      is: 'foreign_usage',
      why: 'more than was ever sent',
      states: ['confirmed'],
      summary: 101n,
      explained: false,
    },
    {
      is: 'foreign_usage',
      why: 'something where nothing was sent',
      states: [],
      summary: 1n,
      explained: false,
    },
  ] as const)('is $is: $why', (row) => {
    const { is, states, summary, explained } = row;
    const due = 'due' in row ? row.due : 100n;
    const mode = 'mode' in row ? row.mode : 'live';
    const hours = 'hours' in row ? row.hours : 0;
    const billed = 'billed' in row ? row.billed : null;
    const intents = states.map((state) => intent(state));
    const told = confirmedSum(intents);
    const compared = comparePeriod({
      target: { ...TARGET, mode, billableMicro: due },
      intents,
      counts: summary === null ? [] : [{ counted: summary, told, billed, lagMs: HOUR_MS }],
      now: PUSHED_AT + hours * HOUR_MS,
    });
    expect(compared).toMatchObject({ difference: is, isExplained: explained, closedMicro: due });
  });
});

describe('reconciling with Stripe', () => {
  it('puts ledger, confirmed and Stripe side by side for every tenant', async () => {
    const scene = await openPushScene(['acme', 'bolt', { shadow: 'dark' }]);
    await pushMonth(scene.options, ofMonth('2026-10'));
    const rows = await reconcileMonth(scene.options, ofMonth('2026-10'));
    const same = { ledger: DUE_MICRO, confirmed: DUE_MICRO, stripe: DUE_MICRO, difference: 'none' };
    expect(rows).toMatchObject([
      { tenant_id: 'acme', ...same },
      { tenant_id: 'bolt', ...same },
      { tenant_id: 'dark', ledger: DUE_MICRO, confirmed: '0', stripe: null, difference: 'shadow' },
      { tenant_id: 'unattributed', difference: 'shadow' },
    ]);
  });

  it('waits for a summary that lags, and reports one that stays away', async () => {
    const scene = await openPushScene(['acme'], { summaryLagMs: 10 * HOUR_MS });
    await pushMonth(scene.options, ofMonth('2026-10'));
    expect(await reconcileMonth(scene.options, ofMonth('2026-10'))).toMatchObject([
      { tenant_id: 'acme', stripe: '0', difference: 'lag', explained: true },
      {},
    ]);
    expect((await checkSummaries(scene.options)).violations).toEqual([]);
    await scene.advance(2 * HOUR_MS);
    const [told] = await textRows(scene.database, 'select identifier from push_intents');
    const unpark = { operation: 'stripe unpark', identifier: told?.['identifier'] };
    expect(await reconcileMonth(scene.options, ofMonth('2026-10'))).toMatchObject([
      { difference: 'missing', explained: false, remedy: expect.arrayContaining([unpark]) },
      {},
    ]);
    expect((await checkSummaries(scene.options)).violations).toEqual([
      expect.stringContaining('tenant "acme" period 2026-10-01'),
    ]);
  });

  it('says how to tell each of several values anew where Stripe counts none of them any more', async () => {
    const scene = await openPushScene();
    const month = ofMonth('2026-10');
    const who = { tenant_id: 'acme', month: '2026-10', actor: 'ann' };
    const settled = { ...who, amount: '1.00', reason: 'invoice 7' };
    const { identifier: record } = await settleMonth(scene.options, settled);
    await pushMonth(scene.options, month);
    const undone = { identifier: record, reason: 'it was never sent', actor: 'ann' };
    await unsettleMonth(scene.options, undone);
    await pushMonth(scene.options, month);
    expect((await reconcileMonth(scene.options, month))[0]).toMatchObject({ difference: 'none' });
    await scene.options.stripe.billing.meterEvents.create({
      event_name: 'spanledger_usage_usd',
      identifier: 'cancelled-by-hand',
      timestamp: Date.parse('2026-10-20T00:00:00Z') / 1000,
      payload: { stripe_customer_id: 'cus_acme', value: `-${DUE_MICRO}` },
    });
    await scene.advance(25 * HOUR_MS);

    const [acme] = await reconcileMonth(scene.options, month);

    const told = [2, 4].map((sequence) => `spl-testbook-acme-2026-10-01-usd-${sequence}`);
    for (const identifier of told) {
      expect(acme?.remedy).toContainEqual({ operation: 'stripe unpark', identifier });
    }
    for (const identifier of told) {
      expect(await unparkIntent(scene.options, { identifier })).toMatchObject({ state: 'missing' });
    }
    await pushMonth(scene.options, month);
    expect((await reconcileMonth(scene.options, month))[0]).toMatchObject({
      difference: 'none',
      stripe: DUE_MICRO,
    });
  });

  it('says how to tell anew what Stripe counted once and counts no more', async () => {
    const scene = await openPushScene();
    const month = ofMonth('2026-10');
    await pushMonth(scene.options, month);
    expect((await reconcileMonth(scene.options, month))[0]).toMatchObject({ difference: 'none' });
    await scene.options.stripe.billing.meterEvents.create({
      event_name: 'spanledger_usage_usd',
      identifier: 'cancelled-by-hand',
      timestamp: Date.parse('2026-10-20T00:00:00Z') / 1000,
      payload: { stripe_customer_id: 'cus_acme', value: `-${DUE_MICRO}` },
    });
    await scene.advance(25 * HOUR_MS);
    const identifier = 'spl-testbook-acme-2026-10-01-usd-1';

    const [acme] = await reconcileMonth(scene.options, month);

    const remedy = expect.arrayContaining([{ operation: 'stripe unpark', identifier }]);
    expect(acme).toMatchObject({ difference: 'missing', remedy });
    expect(await unparkIntent(scene.options, { identifier })).toMatchObject({ state: 'missing' });
    await pushMonth(scene.options, month);
    expect((await reconcileMonth(scene.options, month))[0]).toMatchObject({
      difference: 'none',
      stripe: DUE_MICRO,
    });
    expect((await checkSummaries(scene.options)).violations).toEqual([]);
  });

  it('asks for the record of who billed by hand what they cancelled, before it is told anew', async () => {
    const scene = await openPushScene();
    const month = ofMonth('2026-10');
    await pushMonth(scene.options, month);
    await reconcileMonth(scene.options, month);
    await scene.options.stripe.billing.meterEvents.create({
      event_name: 'spanledger_usage_usd',
      identifier: 'cancelled-by-hand',
      timestamp: Date.parse('2026-10-20T00:00:00Z') / 1000,
      payload: { stripe_customer_id: 'cus_acme', value: `-${DUE_MICRO}` },
    });
    await scene.advance(25 * HOUR_MS);
    const [acme] = await reconcileMonth(scene.options, month);

    expect(remedyText(acme?.remedy ?? [])).toMatch(
      /stripe unpark spl-testbook-acme-2026-10-01-usd-1", by the next "spanledger push 2026-10"; what you billed elsewhere is recorded with "spanledger stripe settled acme 2026-10 [^"]*" before that push$/,
    );

    const identifier = 'spl-testbook-acme-2026-10-01-usd-1';
    await unparkIntent(scene.options, { identifier });
    const billed = { amount: '4.20', reason: 'invoice R-17', actor: 'ann' };
    await settleMonth(scene.options, { tenant_id: 'acme', month: '2026-10', ...billed });
    await pushMonth(scene.options, month);
    expect((await reconcileMonth(scene.options, month))[0]).toMatchObject({
      difference: 'none',
      stripe: '0',
      settled: DUE_MICRO,
    });
  });

  it('finds what somebody else reports to our meter', async () => {
    const scene = await openPushScene();
    await pushMonth(scene.options, ofMonth('2026-10'));
    await scene.options.stripe.billing.meterEvents.create({
      event_name: 'spanledger_usage_usd',
      identifier: 'by-hand',
      timestamp: Date.parse('2026-10-20T00:00:00Z') / 1000,
      payload: { stripe_customer_id: 'cus_acme', value: '7' },
    });
    expect(await reconcileMonth(scene.options, ofMonth('2026-10'))).toMatchObject([
      {
        tenant_id: 'acme',
        stripe: '4200007',
        difference: 'foreign_usage',
        explained: false,
        remedy: ['find what else reports usage to this meter; only Spanledger may'],
      },
      {},
    ]);
    expect((await checkSummaries(scene.options)).violations).toHaveLength(1);
  });

  it('law 6 names the tenant whose confirmed push was changed by hand', async () => {
    const scene = await openPushScene(['acme', 'bolt']);
    await pushMonth(scene.options, ofMonth('2026-10'));
    expect((await checkSummaries(scene.options)).violations).toEqual([]);
    await tamper(
      scene.options.database,
      "update push_intents set value_micro = value_micro + 1 where tenant_id = 'bolt'",
    );
    expect((await checkSummaries(scene.options)).violations).toEqual([
      expect.stringContaining('tenant "bolt" period 2026-10-01'),
    ]);
  });

  it("shows a fraction that somebody else reports as that tenant's difference, and the others all the same", async () => {
    const scene = await openPushScene(['acme', 'bolt']);
    await pushMonth(scene.options, ofMonth('2026-10'));
    await scene.options.stripe.billing.meterEvents.create({
      event_name: 'spanledger_usage_usd',
      timestamp: Date.parse('2026-10-20T00:00:00Z') / 1000,
      payload: { stripe_customer_id: 'cus_acme', value: '0.5' },
    });
    expect(await reconcileMonth(scene.options, ofMonth('2026-10'))).toMatchObject([
      { tenant_id: 'acme', stripe: '4200000.5', difference: 'foreign_usage', explained: false },
      { tenant_id: 'bolt', stripe: DUE_MICRO, difference: 'none' },
      {},
    ]);
  });

  it('refuses a month in which nothing is closed', async () => {
    const scene = await openPushScene();
    await expect(reconcileMonth(scene.options, ofMonth('2026-12'))).rejects.toMatchObject({
      kind: 'too_early',
    });
  });
});
