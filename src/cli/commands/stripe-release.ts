import type { Command } from 'commander';
import { readRequest } from '../../request.ts';
import { releaseInvoices } from '../../stripe/invoices/invoice.ts';
import { releaseRequest } from '../../stripe/invoices/release-answer.ts';
import { addActor } from '../terminal/actor.ts';
import { readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { openStripeParts } from '../terminal/stripe-parts.ts';

/** States that need a person or another run. */
const UNFINISHED: ReadonlySet<string> = new Set(['held', 'paused', 'refused', 'gone']);

export function addRelease(group: Command): void {
  const command = group
    .command('release')
    .argument('<month>', 'the month in which the periods begin, YYYY-MM', readMonth)
    .description('let go the held invoices whose usage is proven to be in Stripe');
  perform(addActor(command), async (session, { args: [month = ''] }) => {
    const request = readRequest(releaseRequest, { month });
    const invoices = await releaseInvoices(await openStripeParts(session), request);
    if (invoices.some(({ state }) => UNFINISHED.has(state))) session.foundWrong();
    const table = session.out.table(invoices, [
      { title: 'TENANT', value: (row) => row.tenant_id },
      { title: 'PERIOD', value: (row) => row.period_start },
      { title: 'INVOICE', value: (row) => row.invoice },
      { title: 'STATE', value: (row) => row.state },
      { title: '', value: (row) => row.detail ?? '', below: true },
    ]);
    session.out.answer(invoices, invoices.length === 0 ? 'no invoice is held' : table);
  });
}
