import type { Command } from 'commander';
import { readRequest } from '../../request.ts';
import { reconcileRequest } from '../../stripe/reconcile-answer.ts';
import { reconcileMonth } from '../../stripe/reconcile-month.ts';
import { addActor } from '../terminal/actor.ts';
import { readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { table } from '../terminal/output.ts';
import { openStripeParts } from '../terminal/stripe-parts.ts';
import { words } from '../terminal/words.ts';

export function addReconcile(program: Command): void {
  const command = program
    .command('reconcile')
    .argument('<month>', 'the month in which the periods begin, YYYY-MM', readMonth)
    .description('ledger, confirmed and Stripe side by side; exit 1 on a difference unexplained')
    .option('--tenant <tenant>', 'only this one');
  perform<{ tenant?: string }>(
    addActor(command),
    async (session, { args: [month = ''], options: { tenant = null } }) => {
      const onProgress = (done: number, all: number) =>
        session.out.progress('reconciling', done, all);
      const parts = { ...(await openStripeParts(session)), onProgress };
      const request = readRequest(reconcileRequest, { month, tenant_id: tenant });
      const answer = await reconcileMonth(parts, request);
      if (answer.some((row) => !row.explained)) session.foundWrong();
      const text = table(answer, [
        { title: 'TENANT', value: (row) => row.tenant_id },
        { title: 'PERIOD', value: (row) => row.period_start },
        { title: 'LEDGER', value: (row) => row.ledger, figure: true },
        { title: 'CONFIRMED', value: (row) => row.confirmed, figure: true },
        { title: 'STRIPE', value: (row) => row.stripe ?? '', figure: true },
        { title: 'DIFFERENCE', value: (row) => words(row.difference) },
        { title: '', value: (row) => row.remedy ?? '' },
      ]);
      session.out.answer(answer, text);
    },
  );
}
