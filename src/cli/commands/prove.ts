import { hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { styleText } from 'node:util';
import type { Command } from 'commander';
import { explainFile } from '../../files.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { checkProof, type Proof, type ProofStep } from '../../seals/proofs/check-proof.ts';
import { readProofs } from '../../seals/proofs/proof-text.ts';
import { perform } from '../terminal/command.ts';

export function addProve(program: Command): void {
  const command = program
    .command('prove')
    .argument('<file>', 'what "spanledger statement --proof" wrote')
    .description('check a proof; needs no database, and says which step fails');
  perform(command, async (session, { args: [file = ''] }) => {
    const proofs = await readProofFile(file);
    const checked = proofs.map((proof) => checkProof(proof, sha256));
    const holds = checked.every((steps) => steps.every((step) => step.holds));
    if (!holds) session.foundWrong();
    const steps = checked.flat();
    session.out.answer({ holds, steps }, steps.map(renderStep).join('\n'));
  });
}

/** A month in which two periods begin has two proofs. */
async function readProofFile(file: string): Promise<readonly Proof[]> {
  try {
    const handle = await open(file);
    return await readProofs(handle.readLines({ encoding: 'utf8' }));
  } catch (error) {
    const unreadable = explainFile(error, file);
    if (unreadable !== null) throw unreadable;
    const why = error instanceof Error ? error.message : String(error);
    const remedy = advise`give the JSON file that ${{ operation: 'statement', proof: true }} wrote`;
    throw new Refusal('bad_document', `${file} is no proof: ${why}`, remedy);
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}

function renderStep({ step, holds, detail }: ProofStep): string {
  const mark = holds ? styleText('green', 'holds') : styleText('red', 'FAILS');
  return `${step.padEnd(10)} ${mark}  ${detail}`;
}
