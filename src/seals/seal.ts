import { hash } from 'node:crypto';
import { formatInstant, type InstantMs } from '../clock.ts';
import { HASH_BYTES, merkleRoot } from './merkle-tree.ts';

/** A posting's own row, as its seal holds it. */
export interface SealedBatch {
  readonly batchId: bigint;
  readonly kind: string;
  readonly recordedAt: InstantMs;
  readonly entries: number;
  /** Picodollars. */
  readonly charge: bigint;
  readonly cost: bigint;
}

/** One block of the chain: a batch whole, and everything that was sealed before it. */
export interface Seal {
  readonly number: bigint;
  readonly batchId: bigint;
  readonly entries: number;
  readonly root: Buffer;
  readonly prints: Buffer;
  readonly previousHash: Buffer;
  readonly hash: Buffer;
  readonly sealedAt: InstantMs;
}

/** What the first seal has before it. */
export const BEFORE_FIRST: Pick<Seal, 'number' | 'hash'> = {
  number: 0n,
  hash: Buffer.alloc(HASH_BYTES),
};

/** Seals a batch, given the hashes of its entries in the order of their ids. */
export function sealBatch(
  batch: SealedBatch,
  given: {
    readonly leaves: Buffer;
    readonly previous: Pick<Seal, 'number' | 'hash'>;
    readonly sealedAt: InstantMs;
  },
): Seal {
  const { leaves, previous, sealedAt } = given;
  const body = {
    number: previous.number + 1n,
    batchId: batch.batchId,
    entries: leaves.length / HASH_BYTES,
    root: merkleRoot(leaves),
    prints: printsOf(leaves),
    previousHash: previous.hash,
    sealedAt,
  };
  return { ...body, hash: hashSeal(body, batch) };
}

/** A seal's hash: over its own facts, the batch's row and the hash before. 0x03 keeps it apart from tree hashes. */
export function hashSeal(seal: Omit<Seal, 'hash' | 'prints'>, batch: SealedBatch): Buffer {
  const facts = [
    'spanledger-seal-1',
    seal.number,
    seal.previousHash.toString('hex'),
    formatInstant(seal.sealedAt),
    seal.batchId,
    seal.entries,
    seal.root.toString('hex'),
    batch.kind,
    formatInstant(batch.recordedAt),
    batch.entries,
    batch.charge,
    batch.cost,
  ];
  return hash('sha256', `\u0003${facts.join('\t')}`, 'buffer');
}

/** Bytes of a leaf that its print keeps: enough to find the one that changed. */
export const PRINT_BYTES = 4;

export function printsOf(leaves: Buffer): Buffer {
  const count = leaves.length / HASH_BYTES;
  const prints = Buffer.allocUnsafe(count * PRINT_BYTES);
  for (let index = 0; index < count; index += 1) {
    const start = index * HASH_BYTES;
    leaves.copy(prints, index * PRINT_BYTES, start, start + PRINT_BYTES);
  }
  return prints;
}
