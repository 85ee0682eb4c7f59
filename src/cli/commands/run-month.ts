import { resolve } from 'node:path';
import type { Command } from 'commander';
import { runMonth } from '../../month/run-month.ts';
import { DEFAULT_ISSUER } from '../../statements/statement-view.ts';
import { readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { remedyText } from '../terminal/commands-to-type.ts';
import { missingText } from '../terminal/missing.ts';
import { table } from '../terminal/output.ts';
import { openStripeParts } from '../terminal/stripe-parts.ts';

export function addRunMonth(program: Command): void {
  const command = program
    .command('run-month')
    .argument('<month>', 'the month in which the periods begin, YYYY-MM', readMonth)
    .description('the whole monthly job, resumable: call it again until it exits with 0')
    .option('--out <folder>', 'where the statements go', 'statements')
    .option('--issuer <name>', 'who issues them, on HTML and PDF', DEFAULT_ISSUER);
  perform<{ out: string; issuer: string }>(
    command,
    async (session, { args: [month = ''], options }) => {
      const parts = {
        ...(await openStripeParts(session)),
        phrase: remedyText,
        onProgress: (done: number, all: number) => session.out.progress('pushing', done, all),
      };
      const request = { month, folder: resolve(options.out), issuer: options.issuer };
      const answer = await runMonth(parts, request);
      if (!answer.done) session.foundWrong();
      const text = table(answer.steps, [
        { title: 'STEP', value: (row) => row.step },
        { title: 'STATE', value: (row) => row.state },
        { title: 'AT', value: (row) => row.at },
        { title: '', value: (row) => row.detail },
      ]);
      const lacks = answer.missing.length === 0 ? '' : `\n\n${missingText(answer.missing)}`;
      session.out.answer(answer, `${text}${lacks}`);
    },
  );
}
