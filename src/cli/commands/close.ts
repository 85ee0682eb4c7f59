import type { Command } from 'commander';
import type { CloseAnswer } from '../../ledger/closes/close-answer.ts';
import { closeRequest } from '../../ledger/closes/close-answer.ts';
import { closePeriods } from '../../ledger/closes/close-periods.ts';
import type { MissingThing } from '../../month/completeness/missing-answer.ts';
import { missingRequest } from '../../month/completeness/missing-answer.ts';
import { nameMissing } from '../../month/completeness/name-missing.ts';
import { readRequest } from '../../request.ts';
import { addActor } from '../terminal/actor.ts';
import { readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { moneyText } from '../terminal/figures.ts';
import { sayMissing } from '../terminal/missing.ts';
import type { DrawTable } from '../terminal/table.ts';
import { words } from '../terminal/words.ts';

export function addClose(program: Command): void {
  const command = program
    .command('close')
    .argument('<month>', 'the month in which the period begins, YYYY-MM', readMonth)
    .description('close the period of each tenant whose period has ended')
    .option('--tenant <tenant>', 'only this one')
    .option('--dry-run', 'show what would be closed, and close nothing');
  perform<{ tenant?: string; dryRun?: boolean }>(
    addActor(command),
    async (session, { args: [month = ''], options }) => {
      const { tenant, dryRun = false } = options;
      const given = { month, tenant_id: tenant ?? null };
      const asked = readRequest(closeRequest, dryRun ? { ...given, dry_run: true } : given);
      const onProgress = (done: number, all: number) => session.out.progress('closing', done, all);
      const answers = await closePeriods({ ...session.parts(), onProgress }, asked);
      if (answers.some((answer) => answer.state === 'refused')) session.foundWrong();
      if (tenant !== undefined && answers.some((answer) => answer.state === 'not_ended')) {
        session.foundWrong();
      }
      const said = dryRun ? 'nothing was closed (--dry-run)\n' : '';
      const text = `${said}${renderPeriods(answers, session.out.table)}`;
      const request = readRequest(missingRequest, given);
      const missing = (await nameMissing(session.parts(), request)).filter(isUnsaid(answers));
      sayMissing(session, answers, { text, missing });
    },
  );
}

export function renderPeriods(answers: CloseAnswer, table: DrawTable): string {
  return table(answers, [
    { title: 'TENANT', value: (row) => row.tenant_id },
    { title: 'PERIOD', value: (row) => row.period_start },
    { title: 'STATE', value: (row) => words(row.state) },
    { title: 'CHARGE', value: (row) => moneyText(row.charge_total ?? ''), figure: true },
    { title: '', value: (row) => row.currency ?? '' },
    { title: 'MANIFEST', value: (row) => row.manifest_hash?.slice(0, 12) ?? '', spare: true },
    { title: '', value: (row) => row.detail ?? '', below: true },
  ]);
}

/** Of what a period was refused for, its own row speaks; and what is closed now is told next. */
function isUnsaid(answers: CloseAnswer): (thing: MissingThing) => boolean {
  const refused = new Set(
    answers
      .filter(({ state }) => state === 'refused')
      .map(({ tenant_id, period_start }) => `${tenant_id} ${period_start}`),
  );
  return ({ kind, tenant_id, period_start }) =>
    kind !== 'untold' &&
    !(['unrated', 'unmeasured'].includes(kind) && refused.has(`${tenant_id} ${period_start}`));
}
