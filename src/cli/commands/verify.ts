import { styleText } from 'node:util';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { LawReport } from '../../audit/laws/law.ts';
import type { StripeCheck } from '../../audit/laws/verify.ts';
import { verify } from '../../audit/laws/verify.ts';
import { readPublished } from '../publication.ts';
import { perform } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

interface VerifyFlags {
  readonly full?: boolean;
  readonly incremental?: boolean;
  readonly against?: string;
}

export function addVerify(program: Command): void {
  const command = program
    .command('verify')
    .description('check every law on the live database; exit 1 with the offending ids')
    .addOption(new Option('--full', 'look at everything (the default)').conflicts('incremental'))
    .option('--incremental', 'only at what came since the last run in which every law held')
    .option('--against <place>', 'the seals must be those published to this file or s3:// address');
  perform<VerifyFlags>(command, async (session, { options }) => {
    const scope = options.incremental === true ? 'incremental' : 'full';
    const { against } = options;
    const published = against === undefined ? [] : await readPublished(session, against);
    const { clock } = session;
    const how = { scope, published, clock } as const;
    const reports = await verify(session.database(), await stripeCheck(session), how);
    const holds = reports.every((report) => report.violations.length === 0);
    if (!holds) session.foundWrong();
    session.out.answer({ holds, scope, laws: reports }, reports.map(renderReport).join('\n'));
  });
}

/** Law 6 asks Stripe, so it is checked where a key is configured. */
async function stripeCheck(session: Session): Promise<StripeCheck | null> {
  if (session.config.STRIPE_API_KEY === undefined) return null;
  const { client, livemode } = await session.stripe();
  const { checkSummaries } = await import('../../stripe/meters/summary-law.ts');
  const options = { database: session.database(), stripe: client, livemode, clock: session.clock };
  return () => checkSummaries(options);
}

export function renderReport(report: LawReport): string {
  const holds = report.violations.length === 0;
  const mark = holds ? styleText('green', 'holds') : styleText('red', 'BROKEN');
  const range = report.range === undefined ? 'checked' : report.range;
  const head = `law ${report.law}  ${mark}  ${report.name} (${report.checked.toLocaleString('en-US')} ${range})`;
  return [head, ...report.violations.map((violation) => `         ${violation}`)].join('\n');
}
