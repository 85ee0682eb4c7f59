import type { Command } from 'commander';
import { Option } from 'commander';
import { SUPPORTED_CURRENCIES } from '../money.ts';
import type { PushResult } from '../stripe/push.ts';
import { pushMonth } from '../stripe/push.ts';
import { saveMeter } from '../stripe/push-store.ts';
import { reconcileMonth } from '../stripe/reconcile.ts';
import { setUpMeter } from '../stripe/setup.ts';
import { readMonth } from './arguments.ts';
import { perform } from './command.ts';
import { table } from './output.ts';

export function addStripe(program: Command): void {
  const group = program.command('stripe').description("Stripe's side of billing");
  const command = group
    .command('setup')
    .description('make or find the meter, product and price of a currency')
    .addOption(
      new Option('--currency <code>', 'the currency').choices(SUPPORTED_CURRENCIES).default('USD'),
    );
  perform<{ currency: string }>(command, async (session, { options }) => {
    const { client, livemode } = session.stripe();
    const meter = await setUpMeter(client, options.currency);
    await saveMeter(session.database(), meter, { livemode, at: session.clock() });
    const { currency, eventName, meterId, productId, priceId } = meter;
    const answer = {
      currency,
      livemode,
      event_name: eventName,
      meter: meterId,
      product: productId,
      price: priceId,
    };
    session.out.answer(
      answer,
      `${eventName}: meter ${meterId}, price ${priceId} (${livemode ? 'live' : 'test'} mode)`,
    );
  });
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

export function addPush(program: Command): void {
  const command = program
    .command('push')
    .argument('<month>', 'the month in which the periods begin, YYYY-MM', readMonth)
    .description('tell Stripe what each closed period of a live tenant came to, once (R18)');
  perform(command, async (session, { args: [month = ''] }) => {
    const { client, livemode } = session.stripe();
    const results = await pushMonth(
      {
        database: session.database(),
        stripe: client,
        livemode,
        clock: session.clock,
        log: session.log,
        onProgress: (done, all) => session.out.progress('pushing', done, all),
      },
      month,
    );
    if (results.some((result) => UNFINISHED.has(result.state))) session.foundWrong();
    const text = table(results, [
      { title: 'TENANT', value: (row) => row.tenant_id },
      { title: 'PERIOD', value: (row) => row.period_start },
      { title: 'STATE', value: (row) => row.state.replace('_', ' ') },
      { title: 'PUSHED (MICRO)', value: (row) => row.pushed, figure: true },
      { title: '', value: (row) => row.detail ?? '' },
    ]);
    session.out.answer(results, text);
  });
}

export function addReconcile(program: Command): void {
  const command = program
    .command('reconcile')
    .argument('<month>', 'the month in which the periods begin, YYYY-MM', readMonth)
    .description('ledger, confirmed and Stripe side by side; exit 1 on a difference unexplained');
  perform(command, async (session, { args: [month = ''] }) => {
    const { client, livemode } = session.stripe();
    const database = session.database();
    const rows = await reconcileMonth(
      { database, stripe: client, livemode, clock: session.clock },
      month,
    );
    if (rows.some((row) => !row.explained)) session.foundWrong();
    const text = table(rows, [
      { title: 'TENANT', value: (row) => row.tenant_id },
      { title: 'PERIOD', value: (row) => row.period_start },
      { title: 'LEDGER', value: (row) => row.ledger, figure: true },
      { title: 'CONFIRMED', value: (row) => row.confirmed, figure: true },
      { title: 'STRIPE', value: (row) => row.stripe ?? '', figure: true },
      { title: 'DIFFERENCE', value: (row) => row.difference.replace('_', ' ') },
    ]);
    session.out.answer(rows, text);
  });
}
