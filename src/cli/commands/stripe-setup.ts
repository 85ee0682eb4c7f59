import type { Command } from 'commander';
import { readRequest } from '../../request.ts';
import type { SetUpAnswer } from '../../stripe/set-up-answer.ts';
import { setUpRequest } from '../../stripe/set-up-answer.ts';
import { setUpStripe } from '../../stripe/set-up-stripe.ts';
import { addActor } from '../terminal/actor.ts';
import { readCurrency } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { withRemedy } from '../terminal/commands-to-type.ts';
import { openStripeParts } from '../terminal/stripe-parts.ts';
import { words } from '../terminal/words.ts';

interface SetUpFlags {
  readonly currency: string;
  readonly customers?: boolean;
  readonly subscriptions?: boolean;
  readonly tenant?: string;
}

export function addSetUp(group: Command): void {
  const command = group
    .command('setup')
    .description('make or find the meter, product and price of a currency')
    .option('--currency <code>', 'the currency', readCurrency, 'USD')
    .option('--customers', 'link live tenants to customers by their metadata spanledger_tenant')
    .option('--subscriptions', 'make the subscription of each live tenant, or check the one it has')
    .option('--tenant <tenant>', 'with --subscriptions: only this one');
  perform<SetUpFlags>(addActor(command), async (session, { options }) => {
    const { currency, customers = false, subscriptions = false, tenant = null } = options;
    const given = { currency, customers, subscriptions, tenant_id: tenant };
    const request = readRequest(setUpRequest, given);
    const answer = await setUpStripe(await openStripeParts(session), request);
    if (isAnyUnfit(answer)) session.foundWrong();
    session.out.answer(answer, render);
  });
}

function isAnyUnfit({ customers, subscriptions }: SetUpAnswer): boolean {
  return (
    (customers ?? []).some(({ state }) => ['differs', 'ambiguous'].includes(state)) ||
    (subscriptions ?? []).some(({ state }) => !['made', 'fits'].includes(state))
  );
}

function render(answer: SetUpAnswer): string {
  const { event_name: eventName, meter, price, livemode, customers, subscriptions } = answer;
  const lines = [
    `${eventName}: meter ${meter}, price ${price} (${livemode ? 'live' : 'test'} mode)`,
    ...(customers ?? []).map(
      (row) => `${row.tenant_id}: customer ${row.stripe_customer ?? 'none'}, ${words(row.state)}`,
    ),
    ...(subscriptions ?? []).map(
      (row) =>
        `${row.tenant_id}: ${row.subscription ?? 'no subscription'}, ${words(row.state)}: ${withRemedy(row.detail, row.remedy)}`,
    ),
  ];
  return lines.join('\n');
}
