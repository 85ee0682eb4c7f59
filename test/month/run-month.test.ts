import { hash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { remedyText } from '../../src/cli/terminal/commands-to-type.ts';
import { parseInstant, systemClock } from '../../src/clock.ts';
import { runMonth } from '../../src/month/run-month.ts';
import type { Alert } from '../../src/push/alert.ts';
import { raiseAlert, readAlerts, readOpenAlerts } from '../../src/push/alert-store.ts';
import { renderStatement } from '../../src/statements/render-statement.ts';
import { showStatement } from '../../src/statements/show-statement.ts';
import { resolveAlert } from '../../src/stripe/alerts/resolve-alert.ts';
import { setUpSubscriptions } from '../../src/stripe/customers/subscription.ts';
import { holdInvoice } from '../../src/stripe/invoices/invoice.ts';
import { readInvoices } from '../../src/stripe/invoices/invoice-store.ts';
import type { SceneOptions } from '../stripe/billing-scene.ts';
import {
  ACME,
  MONTH,
  openBillingScene,
  runSteps,
  runWholeMonth,
  usage,
} from '../stripe/billing-scene.ts';
import { cli } from '../support/cli.ts';
import { count, freshDatabase, textRows } from '../support/database.ts';
import { makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { openPushScene } from '../support/stripe.ts';

async function scene(options: SceneOptions = {}) {
  const opened = await openBillingScene(options);
  onTestFinished(opened.close);
  return opened;
}

const states = (results: Awaited<ReturnType<typeof runSteps>>) =>
  Object.fromEntries(results.map((result) => [result.step, result.state]));

const stepOf = (results: Awaited<ReturnType<typeof runSteps>>, name: string) =>
  results.find(({ step }) => step === name);
const detailOf = (results: Awaited<ReturnType<typeof runSteps>>, name: string) =>
  stepOf(results, name)?.detail ?? '';

const ALL_DONE = {
  check: 'done',
  seal: 'done',
  close: 'done',
  push: 'done',
  confirm: 'done',
  release: 'done',
  verify: 'done',
  statements: 'done',
};

test('a month is run by one command, and the final invoice equals the statement', async () => {
  const { double, parts, database, differences } = await scene({
    tenants: [ACME, { tenantId: 'globex', calls: [1] }, { tenantId: 'idle', calls: [] }],
  });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const held = await readInvoices(database, { month: MONTH, tenantId: null });
  expect(held.map((invoice) => [invoice.tenantId, invoice.state])).toEqual([
    ['acme', 'held'],
    ['globex', 'held'],
    ['idle', 'held'],
  ]);

  const results = await runSteps(parts, MONTH);

  expect(results.filter((result) => result.state !== 'done')).toEqual([]);
  expect(states(results)).toEqual(ALL_DONE);
  await double.control.setClock(parseInstant('2026-11-01T03:00:00Z'));
  expect(await differences()).toEqual([]);
  const final = await readInvoices(database, { month: MONTH, tenantId: null });
  expect(final.map((invoice) => invoice.state)).toEqual(['finalized', 'finalized', 'finalized']);
  expect(await count(database, 'push_alerts')).toBe(0);
  // The customer finds the invoice from the statement, by the page that Stripe gave it when it became final.
  const request = { tenant_id: 'acme', month: MONTH, preview: false };
  const statement = await showStatement(parts, request);
  const [{ invoiceId }] = final as [(typeof final)[number]];
  const url = `https://invoice.stripe.com/i/double/${invoiceId}`;
  expect(statement).toMatchObject({ invoices: [{ id: invoiceId, state: 'final', url }] });
  const html = await renderStatement(statement, { format: 'html', issuer: null });
  expect(html).toContain(`href="${url}"`);
});

test('running it again does nothing and says the same', async () => {
  const { double, parts } = await scene();
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const first = await runSteps(parts, MONTH);
  expect(first.find((result) => result.step === 'verify')?.detail).toContain(
    '1 invoice is not final yet',
  );
  await double.control.advanceClock(2 * 3_600_000);
  const requests = double.control.requests().length;

  const second = await runSteps(parts, MONTH);

  // What was so at the time of the first run is not said again, and nothing is left to seal.
  expect(detailOf(second, 'verify')).toMatch(/^\d+ laws checked$/);
  expect(detailOf(first, 'seal')).toContain('1 batch with 3 entries sealed; ');
  // What was decided since then was sealed by the first run's last step.
  expect(detailOf(second, 'seal')).toMatch(
    /^0 batches with 0 entries sealed; the last is seal \d+/,
  );
  expect(states(second)).toEqual(states(first));
  const others = (results: typeof first) =>
    results
      .filter(({ step }) => step !== 'verify' && step !== 'seal')
      .map(({ at, ...said }) => said);
  expect(others(second)).toEqual(others(first));
  // Some steps are performed at every run; what is passed over keeps the instant of its deed.
  const passedOver = (results: typeof first) =>
    results.filter(({ step }) => step === 'confirm' || step === 'release').map(({ at }) => at);
  expect(passedOver(second)).toEqual(passedOver(first));
  // The webhook has compared the final invoice, so that nothing is left to ask.
  expect(double.control.requests().length).toBe(requests);
});

test('without any webhook the drafts are found, let go once they are proven, and compared when final', async () => {
  const { double, parts, database, differences } = await scene({ withWebhooks: false });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));

  expect(states(await runSteps(parts, MONTH))).toEqual(ALL_DONE);
  const [draft] = await readInvoices(database, { month: MONTH, tenantId: null });
  expect(draft?.state).toBe('released');
  await double.control.advanceClock(2 * 3_600_000);
  expect(states(await runSteps(parts, MONTH))).toEqual(ALL_DONE);

  const [final] = await readInvoices(database, { month: MONTH, tenantId: null });
  expect(final?.state).toBe('finalized');
  expect(await differences()).toEqual([]);
});

test('without any webhook an invoice that was final before the push is found, and an item bills the period', async () => {
  const { double, parts, database, differences } = await scene({ withWebhooks: false });
  await double.control.setClock(parseInstant('2026-11-01T03:00:00Z'));

  expect(states(await runSteps(parts, MONTH))).toEqual(ALL_DONE);
  await double.control.advanceClock(3 * 3_600_000);

  expect(states(await runSteps(parts, MONTH))).toEqual(ALL_DONE);
  expect(await differences()).toEqual([]);
  expect(await readOpenAlerts(database, MONTH)).toEqual([]);
});

test('what cannot be mended at Stripe ends the month once a person has said what was done about it', async () => {
  const { double, parts, database } = await scene({ withWebhooks: false });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const [draft] = (await parts.stripe.invoices.list({ customer: 'cus_acme' })).data;
  await holdInvoice(parts, draft?.id ?? '');
  await parts.stripe.invoices.finalizeInvoice(draft?.id ?? '');
  const results = await runSteps(parts, MONTH);
  expect(states(results)).toMatchObject({ push: 'done', verify: 'wrong' });
  expect(results.find((result) => result.step === 'verify')?.detail).toMatch(
    /invoice_differs in_\w+: it bills 0 micro and 0\.00 USD, the statement says \d+ micro/,
  );
  const [alert] = await readOpenAlerts(database, MONTH);
  const alertId = String(alert?.alertId);
  const given = { alert_id: alertId, reason: 'billed by invoice item ii_1', actor: 'ann' };

  const silent = resolveAlert(parts, { ...given, reason: ' ' });
  await expect(silent).rejects.toThrow(`resolving alert ${alertId} needs a reason`);
  await resolveAlert(parts, given);

  expect(states(await runSteps(parts, MONTH))).toEqual(ALL_DONE);
  await expect(resolveAlert(parts, given)).rejects.toThrow(`there is no open alert ${alertId}`);
  expect(await readAlerts(database)).toMatchObject([
    { resolution: 'billed by invoice item ii_1', resolvedBy: 'ann' },
  ]);
  // The same finding again says nothing new; another one opens it again.
  const found = { ...alert, detail: alert?.detail ?? '' } as Alert;
  await raiseAlert(database, found, parts.clock());
  expect(await readOpenAlerts(database, MONTH)).toEqual([]);
  await raiseAlert(database, { ...found, detail: 'it bills still less' }, parts.clock());
  expect(await readOpenAlerts(database, MONTH)).toMatchObject([
    { alertId: BigInt(alertId), detail: 'it bills still less', resolution: null },
  ]);
});

test('the command lists open alerts, and resolves one by its number', async () => {
  const database = await freshDatabase();
  const detail = 'customer cus_acme was deleted in Stripe';
  const alert = {
    kind: 'customer_deleted',
    subject: 'cus_acme',
    periodStart: null,
    detail,
  } as const;
  await raiseAlert(database, { ...alert, tenantId: 'acme' }, parseInstant('2026-11-01T03:00:00Z'));
  const environment = { DATABASE_URL: database.url };

  const listed = await cli(['stripe', 'alerts'], environment);
  const resolve = ['stripe', 'resolve', '1', '--reason', 'linked cus_2', '--actor', 'ann'];
  const resolved = await cli(resolve, environment);
  const left = await cli(['stripe', 'alerts', '--json'], environment);

  expect(listed.stdout).toBe(
    [
      'ID  ALERT             OF        TENANT  PERIOD',
      ' 1  customer deleted  cus_acme  acme',
      `  ${detail}; link another one with "spanledger`,
      '  tenant set acme --stripe-customer CUSTOMER", or set the tenant to shadow; then',
      '  "spanledger stripe resolve 1 --reason …"\n',
    ].join('\n'),
  );
  expect(resolved.stdout).toBe('resolved: customer deleted of cus_acme\n');
  expect(JSON.parse(left.stdout)).toEqual([]);
});

test('an invoice that is found to differ after the month was done turns the next run wrong', async () => {
  const { double, parts, meter } = await scene();
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  expect(states(await runSteps(parts, MONTH))).toEqual(ALL_DONE);
  await parts.stripe.billing.meterEvents.create({
    event_name: meter.eventName,
    timestamp: parseInstant('2026-10-20T00:00:00Z') / 1000,
    payload: { stripe_customer_id: 'cus_acme', value: '10000' },
  });
  await double.control.advanceClock(2 * 3_600_000);

  const again = await runSteps(parts, MONTH);

  expect(states(again)).toEqual({ ...ALL_DONE, verify: 'wrong' });
});

test('a summary that lags keeps the invoice held until a later run sees it', async () => {
  const { double, parts, database, differences } = await scene();
  double.control.setSummaryLag(30 * 60_000);
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));

  const first = await runSteps(parts, MONTH);

  expect(states(first)).toMatchObject({
    push: 'done',
    confirm: 'unfinished',
    release: 'unfinished',
  });
  await double.control.setClock(parseInstant('2026-11-03T00:00:00Z'));
  const drafts = await readInvoices(database, { month: MONTH, tenantId: null });
  expect(drafts.map((invoice) => invoice.state)).toEqual(['held']);

  expect(states(await runSteps(parts, MONTH))).toEqual(ALL_DONE);
  await double.control.advanceClock(2 * 3_600_000);
  expect(await differences()).toEqual([]);
});

test('a period that has not ended leaves the month unfinished, and the next run closes it', async () => {
  const { double, parts, differences } = await scene({
    tenants: [ACME, { tenantId: 'pacific', timeZone: 'America/Los_Angeles' }],
  });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));

  expect(states(await runSteps(parts, MONTH))).toMatchObject({
    close: 'unfinished',
    push: 'done',
  });
  await double.control.setClock(parseInstant('2026-11-01T12:00:00Z'));
  expect(states(await runSteps(parts, MONTH))).toEqual(ALL_DONE);
  await double.control.setClock(parseInstant('2026-11-02T12:00:00Z'));
  expect(await differences()).toEqual([]);
});

test('a period of a later anchor day is no fault of a month that is over, and the run on the day of its end bills it', async () => {
  const { double, parts, database, differences } = await scene({
    tenants: [ACME, { tenantId: 'mid', anchorDay: 15 }],
  });
  await double.control.setClock(parseInstant('2026-11-03T13:00:00Z'));

  const early = await runWholeMonth(parts, MONTH);
  expect(early).toMatchObject({ done: true, missing: [] });
  expect(early.steps.find(({ step }) => step === 'close')?.detail).toBe(
    '2 of 3 periods closed; not ended yet: tenant "mid" ends at 2026-11-15T00:00:00.000Z',
  );

  await double.control.setClock(parseInstant('2026-11-15T01:00:00Z'));
  expect(states(await runSteps(parts, MONTH))).toEqual(ALL_DONE);
  const { rows } = await database.pool.query(
    "select period_start::text, state from periods where tenant_id = 'mid' and state = 'closed'",
  );
  expect(rows).toEqual([{ period_start: '2026-10-15', state: 'closed' }]);
  await double.control.setClock(parseInstant('2026-11-16T12:00:00Z'));
  expect(await differences()).toEqual([]);
});

test('a period that appears after the month was done is closed, told, compared and stated by the next run', async () => {
  const { double, parts, database, meter } = await scene();
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const first = await runWholeMonth(parts, MONTH);
  expect(first.done).toBe(true);
  double.control.addCustomer({ id: 'cus_late' });
  const late = {
    mode: 'live',
    stripeCustomer: 'cus_late',
    created: '2026-10-01T00:00:00Z',
  } as const;
  await makeTenant(database, 'late', late);
  await setUpSubscriptions(parts, meter);
  const tokens = { input_tokens: 1_000_000, output_tokens: 0 };
  const call = nativeEvent({ event_id: 'l1', tenant_id: 'late', usage: tokens });
  await receiveEvents(database, [call], '2026-11-01T00:35:00Z');
  await double.control.setClock(parseInstant('2026-11-01T00:40:00Z'));

  const again = await runWholeMonth(parts, MONTH);

  const told = await textRows(
    database,
    "select state, told, charge_total from audit.periods where tenant_id = 'late' and period_start = '2026-10-01'",
  );
  // 1,000,000 x 3.00 a million = 3.00
  expect(told).toEqual([{ state: 'closed', told: 'told', charge_total: '3' }]);
  expect(detailOf(again.steps, 'confirm')).not.toBe(detailOf(first.steps, 'confirm'));
  expect(Date.parse(stepOf(again.steps, 'confirm')?.at ?? '')).toBeGreaterThanOrEqual(
    parseInstant('2026-11-01T00:40:00Z'),
  );
});

test('every run obeys its own options, also one that finds the month done', async () => {
  const { double, parts } = await scene();
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  expect(await runWholeMonth(parts, MONTH)).toMatchObject({ done: true });
  const folder = await mkdtemp(join(tmpdir(), 'spanledger-options-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const given = { ...parts, phrase: remedyText };

  const elsewhere = await runMonth(given, { month: MONTH, folder, issuer: 'Acme Metering' });
  expect(elsewhere.done).toBe(true);
  const [html = ''] = (await readdir(folder, { recursive: true })).filter((name) =>
    name.endsWith('.html'),
  );
  expect(await readFile(join(folder, html), 'utf8')).toContain('Acme Metering');

  const bounds = { coverage_min: { user: 100 } };
  const held = await runMonth(given, { month: MONTH, folder, issuer: 'Acme Metering', ...bounds });
  expect(held.done).toBe(false);
  expect(stepOf(held.steps, 'coverage')?.state).not.toBe('done');
});

test('a live tenant without a customer is named, and does not keep the others from being billed', async () => {
  const { double, parts, database } = await scene({ tenants: [ACME, { tenantId: 'globex' }] });
  await database.pool.query("update tenants set stripe_customer = null where tenant_id = 'globex'");
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));

  const results = await runSteps(parts, MONTH);

  const check = results.find((result) => result.step === 'check');
  expect(check).toMatchObject({ state: 'wrong' });
  expect(check?.detail).toContain('"globex" has no Stripe customer');
  expect(
    await textRows(database, 'select tenant_id, state from audit.pushes order by tenant_id'),
  ).toEqual([{ tenant_id: 'acme', state: 'confirmed' }]);
});

test('what is wrong with an earlier period of a tenant is said, though this one is not told either', async () => {
  const { double, parts, database, meter } = await scene({ withWebhooks: false });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await runSteps(parts, MONTH);
  await parts.stripe.billing.meterEvents.create({
    event_name: meter.eventName,
    timestamp: parseInstant('2026-10-31T00:00:00Z') / 1000,
    payload: { stripe_customer_id: 'cus_acme', value: '10000' },
  });
  const later = usage('acme', { tokens: 5_000, index: 9, at: '2026-11-15T12:00:00Z' });
  await receiveEvents(database, [later], '2026-11-15T12:01:00Z');
  await database.pool.query('update tenants set stripe_customer = null');
  await double.control.setClock(parseInstant('2026-12-01T00:30:00Z'));

  const results = await runSteps(parts, '2026-11');

  expect(detailOf(results, 'check')).toContain('"acme" has no Stripe customer');
  expect(detailOf(results, 'push')).toMatch(
    /^0 of \d periods told to Stripe; 1 cannot be told, as the check says$/,
  );
  expect(detailOf(results, 'verify')).toContain('law 6: tenant "acme" period 2026-10-01: Stripe');
});

test('the command writes every form of a statement, with the same bytes when it runs again', async () => {
  const pushed = await openPushScene(['acme'], { now: systemClock() });
  const folder = await mkdtemp(join(tmpdir(), 'spanledger-statements-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const run = ['run-month', pushed.month, '--out', folder, '--json'];
  const written = async () => {
    const names = (await readdir(folder)).sort();
    const bytes = await Promise.all(names.map((name) => readFile(join(folder, name))));
    return names.map((name, index) => [name, hash('sha256', bytes[index] ?? '')]);
  };

  const first = await cli(run, pushed.environment);
  const before = await written();
  await pushed.database.pool.query('delete from month_run_steps');
  const again = await cli(run, pushed.environment);

  expect([first.exitCode, again.exitCode]).toEqual([0, 0]);
  const file = `acme-${pushed.month}-01`;
  expect(before.map(([name]) => name).filter((name) => name?.startsWith('acme'))).toEqual(
    ['csv', 'html', 'json', 'pdf', 'txt'].map((form) => `${file}.${form}`),
  );
  expect(await written()).toEqual(before);
});
