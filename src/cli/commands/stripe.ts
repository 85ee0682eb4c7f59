import type { Command } from 'commander';
import { Option } from 'commander';
import { formatInstant } from '../../clock.ts';
import { SUPPORTED_CURRENCIES } from '../../money.ts';
import type { KeptAlert } from '../../push/alert-store.ts';
import { readAlerts, readOpenAlerts, resolveAlert } from '../../push/alert-store.ts';
import { refuseOtherMode } from '../../stripe/customers/check-mode.ts';
import { linkCustomers } from '../../stripe/customers/link-customers.ts';
import { setUpSubscriptions } from '../../stripe/customers/subscription.ts';
import { releaseInvoices } from '../../stripe/invoices/invoice.ts';
import type { StripeMeter } from '../../stripe/meters/meter-store.ts';
import { saveMeter } from '../../stripe/meters/meter-store.ts';
import { setUpMeter } from '../../stripe/meters/set-up-meter.ts';
import type { PushOptions, PushResult } from '../../stripe/push.ts';
import { pushMonth } from '../../stripe/push.ts';
import { reconcileMonth } from '../../stripe/reconcile.ts';
import { unparkIntent } from '../../stripe/unpark.ts';
import { addActorOnceBy } from '../terminal/actor.ts';
import { readId, readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { table } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';

export function addStripe(program: Command): void {
  const group = program.command('stripe').description("Stripe's side of billing");
  addSetup(group);
  addRelease(group);
  addUnpark(group);
  addAlerts(group);
  addResolve(group);
}

interface SetupFlags {
  readonly currency: string;
  readonly customers?: boolean;
  readonly subscriptions?: boolean;
  readonly tenant?: string;
}

function addSetup(group: Command): void {
  const command = group
    .command('setup')
    .description('make or find the meter, product and price of a currency')
    .addOption(
      new Option('--currency <code>', 'the currency').choices(SUPPORTED_CURRENCIES).default('USD'),
    )
    .option('--customers', 'link live tenants to customers by their metadata spanledger_tenant')
    .option('--subscriptions', 'make the subscription of each live tenant, or check the one it has')
    .option('--tenant <tenant>', 'with --subscriptions: only this one');
  perform<SetupFlags>(command, async (session, { options }) => {
    const parts = await stripeParts(session);
    await refuseOtherMode(parts);
    const meter = await setUpMeter(parts.stripe, options.currency);
    const { livemode } = parts;
    await saveMeter(parts.database, meter, { livemode, at: session.clock() });
    const customers = options.customers === true ? await linkCustomers(parts) : undefined;
    const subscriptions =
      options.subscriptions === true
        ? await setUpSubscriptions({ ...parts, tenantId: options.tenant ?? null }, meter)
        : undefined;
    const unfit = [
      ...(customers ?? []).filter((row) => ['differs', 'ambiguous'].includes(row.state)),
      ...(subscriptions ?? []).filter((row) => !['made', 'fits'].includes(row.state)),
    ];
    if (unfit.length > 0) session.foundWrong();
    const document = { ...meterDocument(meter, livemode), customers, subscriptions };
    const lines = [
      `${meter.eventName}: meter ${meter.meterId}, price ${meter.priceId} (${livemode ? 'live' : 'test'} mode)`,
      ...(customers ?? []).map(
        (row) => `${row.tenant_id}: customer ${row.stripe_customer ?? 'none'}, ${words(row.state)}`,
      ),
      ...(subscriptions ?? []).map(
        (row) =>
          `${row.tenant_id}: ${row.subscription ?? 'no subscription'}, ${words(row.state)}: ${row.detail}`,
      ),
    ];
    session.out.answer(document, lines.join('\n'));
  });
}

function meterDocument(meter: StripeMeter, livemode: boolean) {
  const { currency, eventName, meterId, productId, priceId } = meter;
  return {
    currency,
    livemode,
    event_name: eventName,
    meter: meterId,
    product: productId,
    price: priceId,
  };
}

function addRelease(group: Command): void {
  const command = group
    .command('release')
    .argument('<month>', 'the month in which the periods begin, YYYY-MM', readMonth)
    .description('let go the held invoices whose usage is proven to be in Stripe');
  perform(command, async (session, { args: [month = ''] }) => {
    const results = await releaseInvoices(await stripeParts(session), month);
    if (results.some((result) => result.state === 'held')) session.foundWrong();
    const text = table(results, [
      { title: 'TENANT', value: (row) => row.tenant_id },
      { title: 'PERIOD', value: (row) => row.period_start },
      { title: 'INVOICE', value: (row) => row.invoice },
      { title: 'STATE', value: (row) => row.state },
    ]);
    session.out.answer(results, text);
  });
}

function addUnpark(group: Command): void {
  const command = group
    .command('unpark')
    .argument('<identifier>', 'a parked intent; audit.pushes lists them')
    .description("decide a parked push by Stripe's summary: it was counted, or is told anew");
  perform(command, async (session, { args: [identifier = ''] }) => {
    const unparked = await unparkIntent(await stripeParts(session), identifier);
    session.out.answer({ identifier, ...unparked }, unparked.detail);
  });
}

function addAlerts(group: Command): void {
  const command = group
    .command('alerts')
    .description('what pushes, webhooks and invoices found that a person must look at')
    .option('--all', 'those that were resolved, too');
  perform<{ all?: boolean }>(command, async (session, { options }) => {
    const database = session.database();
    const isAll = options.all === true;
    const alerts = isAll ? await readAlerts(database) : await readOpenAlerts(database, null);
    const text = table(alerts, [
      { title: 'ID', value: (row) => String(row.alertId), figure: true },
      { title: 'ALERT', value: (row) => words(row.kind) },
      { title: 'OF', value: (row) => row.subject },
      { title: 'TENANT', value: (row) => row.tenantId ?? '' },
      { title: 'PERIOD', value: (row) => row.periodStart ?? '' },
      ...(isAll ? [{ title: 'RESOLVED', value: resolutionOf }] : []),
      { title: '', value: (row) => row.detail },
    ]);
    const none = isAll ? 'no alerts' : 'no open alerts';
    session.out.answer(alerts.map(alertDocument), alerts.length === 0 ? none : text);
  });
}

function resolutionOf({ resolution, resolvedBy }: KeptAlert): string {
  return resolution === null ? '' : `${resolution} (${resolvedBy})`;
}

function alertDocument(alert: KeptAlert) {
  return {
    alert_id: String(alert.alertId),
    raised_at: formatInstant(alert.raisedAt),
    kind: alert.kind,
    subject: alert.subject,
    tenant_id: alert.tenantId,
    period_start: alert.periodStart,
    detail: alert.detail,
    resolved_at: alert.resolvedAt === null ? null : formatInstant(alert.resolvedAt),
    resolution: alert.resolution,
    resolved_by: alert.resolvedBy,
  };
}

function addResolve(group: Command): void {
  const command = group
    .command('resolve')
    .argument('<id>', 'an alert, as "stripe alerts" shows it', readId)
    .description('say what was done about an alert, so that its month can come to its end')
    .requiredOption('--reason <text>', 'what was done, such as the credit note that was made');
  perform<{ reason: string; actor: string }>(
    addActorOnceBy(command),
    async (session, { args: [id = ''], options }) => {
      const resolved = await resolveAlert(session.database(), {
        alertId: readId(id),
        resolution: options.reason,
        by: options.actor,
        at: session.clock(),
      });
      const { kind, subject } = resolved;
      session.out.answer(alertDocument(resolved), `resolved: ${words(kind)} of ${subject}`);
    },
  );
}

/** States of a push that need a person or another run. */
const UNFINISHED: ReadonlySet<PushResult['state']> = new Set([
  'refused',
  'sent',
  'ambiguous',
  'parked',
  'busy',
  'skipped',
]);

function isUnfinished(result: PushResult): boolean {
  return UNFINISHED.has(result.state);
}

export function addPush(program: Command): void {
  const command = program
    .command('push')
    .argument('<month>', 'the month in which the periods begin, YYYY-MM', readMonth)
    .description('tell Stripe what each closed period of a live tenant came to, once')
    .option('--tenant <tenant>', 'only this one')
    .option('--dry-run', 'show what would be sent, and send and write nothing');
  perform<{ tenant?: string; dryRun?: boolean }>(
    command,
    async (session, { args: [month = ''], options }) => {
      const results = await pushMonth(
        {
          ...(await stripeParts(session)),
          tenantId: options.tenant ?? null,
          isDryRun: options.dryRun === true,
          onProgress: (done, all) => session.out.progress('pushing', done, all),
        },
        month,
      );
      if (results.some(isUnfinished)) session.foundWrong();
      const text = table(results, [
        { title: 'TENANT', value: (row) => row.tenant_id },
        { title: 'PERIOD', value: (row) => row.period_start },
        { title: 'STATE', value: (row) => words(row.state) },
        { title: 'PUSHED (MICRO)', value: (row) => row.pushed, figure: true },
        { title: '', value: (row) => row.detail ?? '' },
      ]);
      session.out.answer(results, text);
    },
  );
}

export function addReconcile(program: Command): void {
  const command = program
    .command('reconcile')
    .argument('<month>', 'the month in which the periods begin, YYYY-MM', readMonth)
    .description('ledger, confirmed and Stripe side by side; exit 1 on a difference unexplained')
    .option('--tenant <tenant>', 'only this one');
  perform<{ tenant?: string }>(command, async (session, { args: [month = ''], options }) => {
    const rows = await reconcileMonth(
      {
        ...(await stripeParts(session)),
        tenantId: options.tenant ?? null,
        onProgress: (done, all) => session.out.progress('reconciling', done, all),
      },
      month,
    );
    if (rows.some((row) => !row.explained)) session.foundWrong();
    const text = table(rows, [
      { title: 'TENANT', value: (row) => row.tenant_id },
      { title: 'PERIOD', value: (row) => row.period_start },
      { title: 'LEDGER', value: (row) => row.ledger, figure: true },
      { title: 'CONFIRMED', value: (row) => row.confirmed, figure: true },
      { title: 'STRIPE', value: (row) => row.stripe ?? '', figure: true },
      { title: 'DIFFERENCE', value: (row) => words(row.difference) },
      { title: '', value: (row) => row.remedy ?? '' },
    ]);
    session.out.answer(rows, text);
  });
}

/** What the Stripe side works with. */
export async function stripeParts(session: Session): Promise<PushOptions> {
  const { client, livemode } = await session.stripe();
  return {
    database: session.database(),
    stripe: client,
    livemode,
    clock: session.clock,
    log: session.log,
  };
}

function words(state: string): string {
  return state.replaceAll('_', ' ');
}
