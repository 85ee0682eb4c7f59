import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { LawReport } from '../audit/law.ts';
import { verify } from '../audit/verify.ts';
import { checkSummaries } from '../stripe/summary-law.ts';
import { perform } from './command.ts';
import type { Session } from './session.ts';

export function addVerify(program: Command): void {
  const command = program
    .command('verify')
    .description('check every law on the live database; exit 1 with the offending ids');
  perform(command, async (session) => {
    const reports = await verify(session.database(), stripeCheck(session));
    const holds = reports.every((report) => report.violations.length === 0);
    if (!holds) session.foundWrong();
    session.out.answer({ holds, laws: reports }, reports.map(renderReport).join('\n'));
  });
}

/** Law 6 asks Stripe, so it is checked where a key is configured. */
function stripeCheck(session: Session) {
  if (session.config.STRIPE_API_KEY === undefined) return null;
  const { client, livemode } = session.stripe();
  const options = { database: session.database(), stripe: client, livemode, clock: session.clock };
  return () => checkSummaries(options);
}

export function renderReport(report: LawReport): string {
  const holds = report.violations.length === 0;
  const mark = holds ? styleText('green', 'holds') : styleText('red', 'BROKEN');
  const head = `law ${report.law}  ${mark}  ${report.name} (${report.checked.toLocaleString('en-US')} checked)`;
  return [head, ...report.violations.map((violation) => `         ${violation}`)].join('\n');
}
