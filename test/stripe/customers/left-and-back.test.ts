import { expect, onTestFinished, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closeTenant } from '../../../src/ledger/closes/close-tenant.ts';
import { readAlerts, readOpenAlerts } from '../../../src/push/alert-store.ts';
import { setUpSubscriptions } from '../../../src/stripe/customers/subscription.ts';
import { textRows } from '../../support/database.ts';
import { receiveEvents } from '../../support/ledger.ts';
import type { BillingScene } from '../billing-scene.ts';
import { openBillingScene, runWholeMonth, usage } from '../billing-scene.ts';

/** What a customer does, in the order of time: it leaves at an instant, or is back with a call. */
type Journey = readonly (
  | { readonly leaves: string; readonly closedAt: string }
  | { readonly calls: string; readonly tokens: number }
)[];

const LEAVES = { leaves: '2026-10-20T10:00:00Z', closedAt: '2026-10-21T00:00:00Z' } as const;

const JOURNEYS: Readonly<Record<string, Journey>> = {
  'in the same month': [LEAVES, { calls: '2026-10-25T12:00:00Z', tokens: 2_000_000 }],
  'in the next month': [LEAVES, { calls: '2026-11-05T12:00:00Z', tokens: 2_000_000 }],
  'two months later': [LEAVES, { calls: '2026-12-05T12:00:00Z', tokens: 2_000_000 }],
  'after the end of a month': [
    { leaves: '2026-11-01T00:00:00Z', closedAt: '2026-11-01T00:20:00Z' },
    { calls: '2026-11-05T12:00:00Z', tokens: 2_000_000 },
  ],
  'twice in one month': [
    LEAVES,
    { calls: '2026-10-22T12:00:00Z', tokens: 2_000_000 },
    { leaves: '2026-10-24T10:00:00Z', closedAt: '2026-10-24T11:00:00Z' },
    { calls: '2026-10-27T12:00:00Z', tokens: 1_500_001 },
  ],
  'twice, in two months': [
    LEAVES,
    { calls: '2026-10-25T12:00:00Z', tokens: 2_000_000 },
    { leaves: '2026-11-10T10:00:00Z', closedAt: '2026-11-10T11:00:00Z' },
    { calls: '2026-11-12T12:00:00Z', tokens: 1_500_001 },
  ],
};

/** How long after a month's end it is run; Stripe makes a draft final after an hour, unless it is held. */
const RUNS = {
  'runs in time': { hours: 0.5, withWebhooks: true },
  'runs late': { hours: 3.5, withWebhooks: true },
  'runs late, and hears of no invoice': { hours: 3.5, withWebhooks: false },
} as const;

const HOUR_MS = 3_600_000;
const MONTHS = ['2026-10', '2026-11', '2026-12'] as const;
const MONTH_ENDS: Readonly<Record<(typeof MONTHS)[number], string>> = {
  '2026-10': '2026-11-01T00:00:00Z',
  '2026-11': '2026-12-01T00:00:00Z',
  '2026-12': '2027-01-01T00:00:00Z',
};

const CASES = Object.entries(JOURNEYS).flatMap(([when, journey]) =>
  Object.entries(RUNS).map(([how, run]) => ({ when, journey, how, run })),
);

function lastMonthOf(journey: Journey): string {
  const calls = journey.flatMap((step) => ('calls' in step ? [step.calls] : []));
  return String(calls.at(-1)).slice(0, 7);
}

async function live({ parts, double, database }: BillingScene, step: Journey[number]) {
  if ('leaves' in step) {
    await double.control.setClock(parseInstant(step.closedAt));
    await closeTenant(parts, { tenant_id: 'acme', at: parseInstant(step.leaves) });
    return;
  }
  await double.control.setClock(parseInstant(step.calls) + 5_000);
  const { tokens } = step;
  await receiveEvents(
    database,
    [usage('acme', { tokens, index: tokens, at: step.calls })],
    new Date(parts.clock()).toISOString(),
  );
}

/** What final invoices bill, in micro units: what the meter counted, and what items say. */
async function billedMicro({ parts: { stripe } }: BillingScene): Promise<bigint> {
  const of = { customer: 'cus_acme', limit: 100 };
  const final = (await stripe.invoices.list(of)).data.filter(
    ({ status }) => status === 'open' || status === 'paid',
  );
  const lines = final
    .flatMap((invoice) => invoice.lines.data)
    .filter(({ parent }) => parent?.type !== 'invoice_item_details')
    .map(({ quantity }) => BigInt(quantity ?? 0));
  const items = (await stripe.invoiceItems.list(of)).data
    .filter(({ invoice }) => final.some(({ id }) => id === invoice))
    .map(({ metadata }) => BigInt(metadata?.['spanledger_micro'] ?? 0));
  return [...lines, ...items].reduce((sum, each) => sum + each, 0n);
}

async function dueMicro({ database }: BillingScene): Promise<bigint> {
  const [row] = await textRows(
    database,
    "select sum(billable_micro) as due from closes where tenant_id = 'acme' and mode = 'live'",
  );
  return BigInt(String(row?.['due']));
}

test.each(CASES)(
  'who leaves and comes back $when is billed exactly once where the month $how, and nothing is left to do',
  async ({ journey, run }) => {
    const scene = await openBillingScene({ withWebhooks: run.withWebhooks });
    onTestFinished(scene.close);
    const { parts, double, database } = scene;
    const steps = [...journey];
    for (const month of MONTHS.filter((each) => each <= lastMonthOf(journey))) {
      const end = parseInstant(MONTH_ENDS[month]);
      const isBefore = (step: Journey[number]) =>
        parseInstant('leaves' in step ? step.closedAt : step.calls) <= end + 0.5 * HOUR_MS;
      while (steps[0] !== undefined && isBefore(steps[0])) {
        const [step] = steps.splice(0, 1);
        if (step !== undefined) await live(scene, step);
      }
      for (const hours of [run.hours, run.hours + 6]) {
        await double.control.setClock(end + hours * HOUR_MS);
        await runWholeMonth(parts, month);
      }
      // A month is run once more after nine days, when what no invoice bills would be named.
      const calls = steps.filter(
        (step) => 'calls' in step && parseInstant(step.calls) < end + 9 * 24 * HOUR_MS,
      );
      for (const step of calls) {
        await live(scene, step);
        steps.splice(steps.indexOf(step), 1);
      }
      for (const days of [9, 9.5]) {
        await double.control.setClock(end + days * 24 * HOUR_MS);
        const { done, missing } = await runWholeMonth(parts, month);
        if (days === 9.5) expect({ done, missing }, month).toEqual({ done: true, missing: [] });
      }
    }

    expect(await billedMicro(scene)).toBe(await dueMicro(scene));
    expect(await readOpenAlerts(database, null)).toEqual([]);
    const alerts = await readAlerts(database);
    expect(alerts.map(({ kind }) => kind)).not.toContain('invoice_without_period');
  },
);

test('who comes back is given a subscription before its first call, where it is named', async () => {
  const scene = await openBillingScene({ withWebhooks: false });
  onTestFinished(scene.close);
  const { parts, meter, double } = scene;
  await live(scene, LEAVES);
  const [before] = (await parts.stripe.subscriptions.list({ customer: 'cus_acme' })).data;
  await parts.stripe.subscriptions.cancel(before?.id ?? '');
  expect(await setUpSubscriptions(parts, meter)).toEqual([]);

  await double.control.setClock(parseInstant('2026-11-05T00:00:00Z'));
  const made = await setUpSubscriptions(parts, meter, 'acme');

  expect(made).toMatchObject([{ tenant_id: 'acme', state: 'made' }]);
  expect(await setUpSubscriptions(parts, meter, 'acme')).toMatchObject([{ state: 'fits' }]);
});
