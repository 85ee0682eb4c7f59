import { styleText } from 'node:util';
import type { Command } from 'commander';
import { readRequest } from '../../request.ts';
import { checkProofFile } from '../../seals/proofs/check-proof-file.ts';
import type { ProofCheckAnswer } from '../../seals/proofs/proof-answer.ts';
import { proofCheckRequest } from '../../seals/proofs/proof-answer.ts';
import { perform } from '../terminal/command.ts';

export function addProve(program: Command): void {
  const command = program
    .command('prove')
    .argument('<file>', 'what "spanledger statement --proof" wrote')
    .description('check a proof; needs no database, and says which step fails');
  perform(command, async (session, { args: [file = ''] }) => {
    const checked = await checkProofFile(readRequest(proofCheckRequest, { file }));
    if (!checked.holds) session.foundWrong();
    session.out.answer(checked, checked.steps.map(renderStep).join('\n'));
  });
}

function renderStep({ step, holds, detail }: ProofCheckAnswer['steps'][number]): string {
  const mark = holds ? styleText('green', 'holds') : styleText('red', 'FAILS');
  return `${step.padEnd(10)} ${mark}  ${detail}`;
}
