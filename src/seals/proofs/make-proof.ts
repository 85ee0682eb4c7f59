import { HASH_BYTES, merkleRoot } from '../merkle-tree.ts';
import { shownColumns } from './check-proof.ts';
import type { Proof, ProofEntry } from './proof.ts';

/** Makes the proof that these entries are among all those of a closed period. */
export function makeProof(
  of: Pick<Proof, 'manifest' | 'manifest_hash' | 'lines' | 'prices' | 'entries'>,
  leaves: Buffer,
): Proof {
  return {
    format: 'spanledger-proof-1',
    manifest_hash: of.manifest_hash,
    manifest: of.manifest,
    lines: of.lines,
    columns: shownColumns(),
    prices: of.prices,
    entries: of.entries,
    hashes: hashesWithout(of.entries, leaves),
  };
}

/**
 * Returns the roots of the largest subtrees in which none of the entries is. They are the inclusion
 * paths of all entries at once: a path for each would hold the upper levels as often as there are
 * entries.
 */
function hashesWithout(entries: readonly ProofEntry[], leaves: Buffer): readonly string[] {
  const positions = entries.map((entry) => entry.position);
  const hashes: string[] = [];
  let next = 0;
  const subtree = (first: number, end: number): void => {
    const position = positions[next];
    if (position === undefined || position >= end) {
      const those = leaves.subarray(first * HASH_BYTES, end * HASH_BYTES);
      hashes.push(merkleRoot(those).toString('hex'));
    } else if (end - first === 1) {
      next += 1;
    } else {
      let left = 1;
      while (left * 2 < end - first) left *= 2;
      subtree(first, first + left);
      subtree(first + left, end);
    }
  };
  if (leaves.length > 0) subtree(0, leaves.length / HASH_BYTES);
  return hashes;
}
