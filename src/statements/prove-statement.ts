import { writeWhole } from '../files.ts';
import type { Parts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { writeProofs } from '../seals/proofs/proof-text.ts';
import { readTenant } from '../tenants/tenant-store.ts';
import { renderProofHtml } from './html/proof-html.ts';
import { readProofs } from './proof-store.ts';
import { refuseNotClosed } from './show-statement.ts';
import type { StatementProofRequest, WrittenProofAnswer } from './statement-answer.ts';

interface StatementProof {
  /** The number of entries that are proven. */
  readonly entries: number;
  /** The proof in its form. A million entries are more than one string can hold, so it comes in pieces. */
  readonly pieces: Iterable<string>;
}

/** The proof that the lines of a tenant's closed period are made of the entries that were sealed. */
export async function proveStatement(
  { database }: Pick<Parts, 'database'>,
  request: StatementProofRequest,
): Promise<StatementProof> {
  const { tenant_id: tenantId, month, line, form } = request;
  await readTenant(database.kysely, tenantId);
  const proofs = await readProofs(database, { tenantId, month, line });
  if (proofs.length === 0) refuseNotClosed(request);
  const entries = proofs.reduce((sum, proof) => sum + proof.entries.length, 0);
  if (form === 'json') return { entries, pieces: writeProofs(proofs) };
  requirePageSize(entries);
  return { entries, pieces: [renderProofHtml(proofs)] };
}

/** Writes the proof to a file. */
export async function writeStatementProof(
  parts: Pick<Parts, 'database'>,
  request: StatementProofRequest & { readonly file: string },
): Promise<WrittenProofAnswer> {
  const { file, ...of } = request;
  const { entries, pieces } = await proveStatement(parts, of);
  await writeWhole(file, async (write) => {
    for (const piece of pieces) await write(piece);
  });
  return { written: file, entries };
}

/** Some 100 MB of page, which browsers still open. */
const PAGE_ENTRIES = 200_000;

function requirePageSize(entries: number): void {
  if (entries <= PAGE_ENTRIES) return;
  throw new Refusal(
    'bad_request',
    `a page with the proof of ${entries} entries is more than a browser opens; ${PAGE_ENTRIES} are the most`,
    advise`take it as JSON, which ${{ operation: 'prove' }} checks, or take the proof of one line`,
  );
}
