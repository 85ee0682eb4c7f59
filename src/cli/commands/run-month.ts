import { resolve } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { lastMonth } from '../../clock.ts';
import type { CoverageBounds } from '../../month/month-answer.ts';
import { monthRequest } from '../../month/month-answer.ts';
import { runMonth } from '../../month/run-month.ts';
import { ATTRIBUTION_TAGS } from '../../reports/tag-coverage-answer.ts';
import { readRequest } from '../../request.ts';
import { addActor } from '../terminal/actor.ts';
import { readMonthOrLast } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { remedyText } from '../terminal/commands-to-type.ts';
import { timeOf } from '../terminal/figures.ts';
import { missingText } from '../terminal/missing.ts';
import { openStripeParts } from '../terminal/stripe-parts.ts';

export function addRunMonth(program: Command): void {
  const command = program
    .command('run-month')
    .argument(
      '<month>',
      'the month in which the periods begin, YYYY-MM; "last" is the one before this',
      readMonthOrLast,
    )
    .description('the whole monthly job, resumable: call it again until it exits with 0')
    .option('--out <folder>', 'where the statements go', 'statements')
    .option(
      '--issuer <name>',
      'who issues them, on HTML and PDF, instead of the issuer that is set',
    )
    .option(
      '--coverage-min <bounds>',
      'close nothing unless so much of the cost names its tenant, user, …: tenant=95,feature=80',
      readBounds,
    );
  perform<{ out: string; issuer?: string; coverageMin?: CoverageBounds }>(
    addActor(command),
    async (session, { args: [month = ''], options }) => {
      const parts = {
        ...(await openStripeParts(session)),
        phrase: remedyText,
        onProgress: (done: number, all: number) => session.out.progress('pushing', done, all),
      };
      const { out, issuer = null, coverageMin } = options;
      const bounds = coverageMin === undefined ? {} : { coverage_min: coverageMin };
      const begins = month === 'last' ? lastMonth(session.clock) : month;
      const given = { month: begins, folder: resolve(out), issuer, ...bounds };
      const request = readRequest(monthRequest, given);
      const answer = await runMonth(parts, request);
      if (!answer.done) session.foundWrong();
      const text = session.out.table(answer.steps, [
        { title: 'STEP', value: (row) => row.step },
        { title: 'STATE', value: (row) => row.state },
        { title: 'AT', value: (row) => timeOf(row.at) },
        { title: '', value: (row) => row.detail, below: true },
      ]);
      const lacks =
        answer.missing.length === 0 ? '' : `\n\n${missingText(answer.missing, session.out)}`;
      session.out.answer(answer, `${text}${lacks}`);
    },
  );
}

/** Percents by tags, such as `tenant=95,feature=80`. */
function readBounds(text: string): CoverageBounds {
  const bounds = text.split(',').map((part) => {
    const [, name, percent] = /^\s*(\w+)=(\d{1,3})\s*$/.exec(part) ?? [];
    const tag = ATTRIBUTION_TAGS.find((one) => one === name);
    if (tag !== undefined && Number(percent) <= 100) return [tag, Number(percent)] as const;
    throw new InvalidArgumentError(
      `"${part}" is no bound: write tag=percent, such as tenant=95, of ${ATTRIBUTION_TAGS.join(', ')}.`,
    );
  });
  return Object.fromEntries(bounds);
}
