import { randomUUID } from 'node:crypto';
import type { Proof, ProofEntry } from './proof.ts';

/**
 * Writes proofs as JSON, each entry on a line of its own. The proof of a whole period may have a
 * million entries: as one string that is more than JavaScript can hold, so neither writer nor
 * reader makes one.
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

/**
 * Reads what `writeProofs` wrote, and the same JSON in any other layout. Entries on lines of their own are
 * parsed one by one, and a mark that no file can foresee stands for them in the rest. So each is where the
 * file has it, and whoever reads the file as JSON sees no entry that is not checked. Throws on what is no
 * JSON.
 */
export async function parseProofs(lines: AsyncIterable<string>): Promise<readonly Proof[]> {
  const mark = randomUUID();
  const blocks: ProofEntry[][] = [];
  const rest: string[] = [];
  let block: ProofEntry[] | null = null;
  let comma = '';
  let isList = false;
  for await (const line of lines) {
    if (isList && ENTRY.test(line)) {
      if (block === null) {
        block = [];
        rest.push(`"${mark}${blocks.push(block) - 1}"`);
      }
      block.push(JSON.parse(line.replace(/,$/, '')));
      comma = line.endsWith(',') ? ',' : '';
    } else {
      rest.push(`${comma}${line}`);
      block = null;
      comma = '';
      isList = line.endsWith(ENTRIES);
    }
  }
  const document: Proof | readonly Proof[] = JSON.parse(rest.join('\n'));
  const entriesOf = (entry: ProofEntry | string) =>
    typeof entry === 'string' && entry.startsWith(mark)
      ? (blocks[Number(entry.slice(mark.length))] ?? [])
      : [entry as ProofEntry];
  return [document].flat().map((proof) => {
    if (!Array.isArray(proof.entries)) throw new Error('it has no list of entries');
    return { ...proof, entries: proof.entries.flatMap(entriesOf) };
  });
}
