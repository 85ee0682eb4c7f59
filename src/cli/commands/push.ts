import type { Command } from 'commander';
import { nameMissing } from '../../month/completeness/name-missing.ts';
import type { PushAnswer, PushedPeriod } from '../../push/push-answer.ts';
import { pushRequest } from '../../push/push-answer.ts';
import { readRequest } from '../../request.ts';
import { pushMonth } from '../../stripe/push-month.ts';
import { addActor } from '../terminal/actor.ts';
import { readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { withRemedy } from '../terminal/commands-to-type.ts';
import { amountOfMicro } from '../terminal/figures.ts';
import { sayMissing } from '../terminal/missing.ts';
import { openStripeParts } from '../terminal/stripe-parts.ts';
import type { DrawTable } from '../terminal/table.ts';
import { words } from '../terminal/words.ts';
import { addPushList } from './push-list.ts';

/** States that need a person or another run. */
export const UNFINISHED: ReadonlySet<PushedPeriod['state']> = new Set([
  'refused',
  'sent',
  'ambiguous',
  'parked',
  'busy',
  'skipped',
]);

export function addPush(program: Command): void {
  const group = program
    .command('push')
    .description('tell Stripe what closed periods came to, and list what it was told');
  addSend(group);
  addPushList(group);
}

/** `push YYYY-MM` is this one. */
function addSend(group: Command): void {
  const command = group
    .command('month', { isDefault: true })
    .argument('<month>', 'the month in which the periods begin, YYYY-MM', readMonth)
    .description('tell Stripe what each closed period of a live tenant came to, once')
    .option('--tenant <tenant>', 'only this one')
    .option('--dry-run', 'show what would be sent, and send and write nothing');
  perform<{ tenant?: string; dryRun?: boolean }>(
    addActor(command),
    async (session, { args: [month = ''], options: { tenant = null, dryRun = false } }) => {
      const onProgress = (done: number, all: number) => session.out.progress('pushing', done, all);
      const parts = { ...(await openStripeParts(session)), onProgress };
      const given = { month, tenant_id: tenant, dry_run: dryRun };
      const answer = await pushMonth(parts, readRequest(pushRequest, given));
      if (answer.some(({ state }) => UNFINISHED.has(state))) session.foundWrong();
      const text = renderPushes(answer, session.out.table);
      const request = { month, tenant_id: tenant };
      const missing = (await nameMissing(parts, request)).filter(({ kind }) => kind !== 'untold');
      sayMissing(session, answer, { text, missing });
    },
  );
}

export function renderPushes(answer: PushAnswer, table: DrawTable): string {
  return table(answer, [
    { title: 'TENANT', value: (row) => row.tenant_id },
    { title: 'PERIOD', value: (row) => row.period_start },
    { title: 'STATE', value: (row) => words(row.state) },
    { title: 'PUSHED', value: (row) => amountOfMicro(row.pushed), figure: true },
    { title: '', value: (row) => row.currency },
    { title: '', value: (row) => withRemedy(row.detail ?? '', row.remedy), below: true },
  ]);
}
