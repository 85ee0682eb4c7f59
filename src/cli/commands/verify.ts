import { styleText } from 'node:util';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { LawParts } from '../../audit/laws/check-laws.ts';
import type { LawAnswer, VerificationAnswer } from '../../audit/laws/verification-answer.ts';
import { verificationRequest } from '../../audit/laws/verification-answer.ts';
import { verifyLedger } from '../../audit/laws/verify-ledger.ts';
import { readRequest } from '../../request.ts';
import { counted, figureOf } from '../../text/counted.ts';
import { perform } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';
import { openStripeParts } from '../terminal/stripe-parts.ts';

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
    const onProgress = (done: number, all: number) => session.out.progress('laws', done, all);
    const parts = { ...session.parts(), checkStripe: await stripeCheck(session), onProgress };
    const request = readRequest(verificationRequest, { scope, against: options.against ?? null });
    const answer = await verifyLedger(parts, request);
    if (!answer.holds) session.foundWrong();
    session.out.answer(answer, renderVerification);
  });
}

/** Law 6 asks Stripe, so it is checked where a key is configured. */
async function stripeCheck(session: Session): Promise<LawParts['checkStripe']> {
  if (session.config.STRIPE_API_KEY === undefined) return null;
  const parts = await openStripeParts(session);
  const { checkSummaries } = await import('../../stripe/summary-law.ts');
  return () => checkSummaries(parts);
}

function renderVerification({ laws, left_out, against }: VerificationAnswer): string {
  const compared =
    against === null
      ? []
      : [
          `compared with ${counted(against.seals, 'published seal')} of ${against.place}${against.last_seal === null ? '' : `, the last of them number ${against.last_seal}`}`,
          ...against.restores.map((restore, index) =>
            renderRestore(restore, { isLast: index === against.restores.length - 1 }),
          ),
        ];
  return [...laws.map(renderLaw), ...left_out.map((what) => `left out: ${what}`), ...compared].join(
    '\n',
  );
}

type Restore = NonNullable<VerificationAnswer['against']>['restores'][number];

/** Whether it was a restore is for whoever reads this to find out. What was kept by one before the last may be lost since. */
function renderRestore(restore: Restore, { isLast }: { readonly isLast: boolean }): string {
  const { from, reason, said_at, kept_seal, lost } = restore;
  const [first, last] = [lost[0], lost.at(-1)];
  const seals =
    first === last
      ? `seal ${first?.seal} of ${first?.day}`
      : `seals ${first?.seal} of ${first?.day} to ${last?.seal} of ${last?.day}`;
  const after = kept_seal === null ? 'from no seal' : `from seal ${kept_seal}`;
  return `goes on ${after}${isLast ? '' : ', as of then,'} after a restore, as was said at ${said_at} (${reason}); lost: ${counted(lost.length, 'published seal')} of ${from}, ${seals}; see that the backup was needed, and what was lost`;
}

export function renderLaw({ law, name, checked, range, violations }: LawAnswer): string {
  const holds = violations.length === 0;
  const mark = holds ? styleText('green', 'holds ') : styleText('red', 'BROKEN');
  const looked = `${figureOf(checked)} ${range ?? 'checked'}`;
  const head = `${`law ${law}`.padEnd(6)}  ${mark}  ${name} (${looked})`;
  return [head, ...violations.map((violation) => `                ${violation}`)].join('\n');
}
