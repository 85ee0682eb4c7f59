import { open } from 'node:fs/promises';
import { explainFile } from '../../files.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { checkProof } from './check-proof.ts';
import type { Proof } from './proof.ts';
import type { ProofCheckAnswer, ProofCheckRequest } from './proof-answer.ts';
import { parseProofs } from './proof-text.ts';
import { sha256 } from './sha256.ts';

/** Checks every proof of a file. It works with nothing but the file: whoever was given one can do it. */
export async function checkProofFile({ file }: ProofCheckRequest): Promise<ProofCheckAnswer> {
  const proofs = await readProofFile(file);
  if (proofs.length === 0) refuseNothing(file);
  const steps = proofs.flatMap((proof) => checkProof(proof, sha256));
  return { holds: steps.every((step) => step.holds), steps };
}

/** A month in which two periods begin has two proofs. */
async function readProofFile(file: string): Promise<readonly Proof[]> {
  try {
    const handle = await open(file);
    return await parseProofs(handle.readLines({ encoding: 'utf8' }));
  } catch (error) {
    const unreadable = explainFile(error, file);
    if (unreadable !== null) throw unreadable;
    const why = error instanceof Error ? error.message : String(error);
    const remedy = advise`give the JSON file that ${{ operation: 'statement', tenant_id: null, month: null, show: 'proof' }} wrote`;
    throw new Refusal('bad_document', `${file} is not a proof: ${why}`, remedy);
  }
}

/** A list of nothing would hold in every step that it does not have. */
function refuseNothing(file: string): never {
  throw new Refusal(
    'bad_document',
    `${file} holds no proof, and so it proves nothing`,
    advise`give the JSON file that ${{ operation: 'statement', tenant_id: null, month: null, show: 'proof' }} wrote`,
  );
}
