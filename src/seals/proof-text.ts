import type { Proof, ProofEntry } from './check-proof.ts';

/**
 * Proofs as JSON, each entry on a line of its own. The proof of a whole period may have a million entries:
 * as one string that is more than JavaScript can hold, so neither writer nor reader makes one.
 */
export function* writeProofs(proofs: readonly Proof[]): Iterable<string> {
  const isOne = proofs.length === 1;
  if (!isOne) yield '[';
  for (const [index, proof] of proofs.entries()) {
    if (index > 0) yield ',';
    const { entries, hashes, ...head } = proof;
    yield `${JSON.stringify(head).slice(0, -1)},${ENTRIES}\n`;
    for (const [place, { position, shown, hidden }] of entries.entries()) {
      const comma = place === entries.length - 1 ? '' : ',';
      yield `${JSON.stringify({ position, shown, hidden })}${comma}\n`;
    }
    yield `],"hashes":${JSON.stringify(hashes)}}`;
  }
  yield isOne ? '\n' : ']\n';
}

const ENTRIES = '"entries":[';
const ENTRY = /^\{"position":.*\},?$/;

/** Reads what `writeProofs` wrote, and the same JSON in any other layout. Throws on what is no JSON. */
export async function readProofs(lines: AsyncIterable<string>): Promise<readonly Proof[]> {
  const entries: ProofEntry[][] = [];
  const others: string[] = [];
  for await (const line of lines) {
    if (line.endsWith(ENTRIES)) entries.push([]);
    const open = entries.at(-1);
    if (open !== undefined && ENTRY.test(line)) open.push(JSON.parse(line.replace(/,$/, '')));
    else others.push(line);
  }
  const document: Proof | readonly Proof[] = JSON.parse(others.join('\n'));
  return [document].flat().map((proof, index) => {
    const own = entries[index];
    return own === undefined ? proof : { ...proof, entries: own };
  });
}
