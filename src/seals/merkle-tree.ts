import { hash } from 'node:crypto';

/** Bytes of a hash. */
export const HASH_BYTES = 32;

/** The root of a tree without leaves, as RFC 6962 has it: the hash of nothing. */
export const EMPTY_ROOT = hash('sha256', '', 'buffer');

/**
 * The root of a Merkle tree over leaves that come one after another (RFC 6962: the left subtree of
 * every node is the largest full one). It holds one hash for each level, however many leaves come.
 */
export class MerkleTree {
  /** Full subtrees from left to right, each smaller than the one before it. */
  readonly #subtrees: { hash: string; leaves: number }[] = [];

  /** Adds leaves, which are hashes that stand one after another in the buffer. */
  add(leaves: Buffer): void {
    if (leaves.length % HASH_BYTES !== 0) throw new Error('leaves are hashes of 32 bytes each');
    for (let start = 0; start < leaves.length; start += HASH_BYTES) {
      this.#push(leaves.toString('latin1', start, start + HASH_BYTES));
    }
  }

  root(): Buffer {
    const last = this.#subtrees.at(-1);
    if (last === undefined) return EMPTY_ROOT;
    const root = this.#subtrees
      .slice(0, -1)
      .reduceRight((right, left) => hashNode(left.hash, right), last.hash);
    return Buffer.from(root, 'latin1');
  }

  #push(leaf: string): void {
    let top = { hash: leaf, leaves: 1 };
    for (
      let left = this.#subtrees.at(-1);
      left !== undefined && left.leaves === top.leaves;
      left = this.#subtrees.at(-1)
    ) {
      top = { hash: hashNode(left.hash, top.hash), leaves: left.leaves * 2 };
      this.#subtrees.pop();
    }
    this.#subtrees.push(top);
  }
}

/** The root over leaves that are all there. */
export function merkleRoot(leaves: Buffer): Buffer {
  const tree = new MerkleTree();
  tree.add(leaves);
  return tree.root();
}

/** Nodes begin with 0x01 and leaves with 0x00, so that neither can pass for the other. */
const node = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** Hashes as latin1 strings: Node makes those three times as fast as buffers. */
function hashNode(left: string, right: string): string {
  node.write(left, 1, 'latin1');
  node.write(right, 1 + HASH_BYTES, 'latin1');
  return hash('sha256', node, 'latin1');
}
