import type { Command } from 'commander';
import { readRequest } from '../../request.ts';
import type { ReconcileAnswer, ReconcileRequest } from '../../stripe/reconcile-answer.ts';
import { reconcileRequest } from '../../stripe/reconcile-answer.ts';
import { reconcileMonth, reconcileUnasked } from '../../stripe/reconcile-month.ts';
import { addActor } from '../terminal/actor.ts';
import { readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { withRemedy } from '../terminal/commands-to-type.ts';
import { amountOfMicro } from '../terminal/figures.ts';
import type { Session } from '../terminal/session.ts';
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
      const request = readRequest(reconcileRequest, { month, tenant_id: tenant });
      const answer = await reconcile(session, request);
      if (answer.some((row) => !row.explained)) session.foundWrong();
      const text = session.out.table(answer, [
        { title: 'TENANT', value: (row) => row.tenant_id },
        { title: 'PERIOD', value: (row) => row.period_start },
        { title: 'BILLABLE', value: (row) => amountOfMicro(row.ledger), figure: true },
        { title: 'PUSHED', value: (row) => amountOfMicro(row.confirmed), figure: true },
        { title: 'STRIPE', value: (row) => stripeOf(row.stripe), figure: true },
        { title: '', value: (row) => row.currency },
        { title: 'DIFFERENCE', value: (row) => words(row.difference) },
        { title: '', value: (row) => withRemedy(row.detail ?? '', row.remedy), below: true },
      ]);
      session.out.answer(answer, text);
    },
  );
}

/** Stripe was not asked of a period that it is not told of. */
function stripeOf(micro: string | null): string {
  return micro === null ? '' : amountOfMicro(micro);
}

/** Stripe is asked where a key is configured. */
async function reconcile(session: Session, request: ReconcileRequest): Promise<ReconcileAnswer> {
  const { config, out } = session;
  if (config.STRIPE_API_KEY === undefined) return reconcileUnasked(session.parts(), request);
  const onProgress = (done: number, all: number) => out.progress('reconciling', done, all);
  return reconcileMonth({ ...(await openStripeParts(session)), onProgress }, request);
}
