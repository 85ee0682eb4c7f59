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

/** One block of the chain: a batch whole, or changes alone, and everything that was sealed before it. */
export interface Seal {
  readonly number: bigint;
  /** It is null where no batch was waiting with the changes. */
  readonly batchId: bigint | null;
  readonly entries: number;
  readonly root: Buffer;
  readonly prints: Buffer;
  readonly previousHash: Buffer;
  readonly hash: Buffer;
  readonly sealedAt: InstantMs;
  /** The records sealed beside the entries; null in a seal from before there was a journal. */
  readonly beside: SealedBeside | null;
}

/** The changes of the journal that a seal holds, and the digest over them and over the batch's receipts and structure. */
export interface SealedBeside {
  readonly digest: Buffer;
  readonly changeIds: readonly bigint[];
}

/** 0x04 keeps it apart from the other hashes. */
export function hashBeside(of: {
  readonly batch: Buffer | null;
  readonly changes: Buffer;
}): Buffer {
  const none = Buffer.alloc(HASH_BYTES);
  return hash('sha256', Buffer.concat([Buffer.of(4), of.batch ?? none, of.changes]), 'buffer');
}

/** The previous hash of the first seal. */
export const BEFORE_FIRST: Pick<Seal, 'number' | 'hash'> = {
  number: 0n,
  hash: Buffer.alloc(HASH_BYTES),
};

/** Seals a batch, given the hashes of its entries in the order of their ids; or changes without a batch. */
export function sealBatch(
  batch: SealedBatch | null,
  given: {
    readonly beside: SealedBeside;
    readonly leaves: Buffer;
    readonly previous: Pick<Seal, 'number' | 'hash'>;
    readonly sealedAt: InstantMs;
  },
): Seal {
  const { leaves, previous, sealedAt, beside } = given;
  const body = {
    number: previous.number + 1n,
    batchId: batch?.batchId ?? null,
    entries: leaves.length / HASH_BYTES,
    root: merkleRoot(leaves),
    prints: printsOf(leaves),
    previousHash: previous.hash,
    sealedAt,
    beside,
  };
  return { ...body, hash: hashSeal(body, batch) };
}

/**
 * Returns a seal's hash: over its own facts, the batch's row and the hash before. 0x03 keeps it
 * apart from tree hashes.
 */
export function hashSeal(seal: Omit<Seal, 'hash' | 'prints'>, batch: SealedBatch | null): Buffer {
  const facts = [
    seal.beside === null ? 'spanledger-seal-1' : 'spanledger-seal-2',
    seal.number,
    seal.previousHash.toString('hex'),
    formatInstant(seal.sealedAt),
    seal.batchId ?? '',
    seal.entries,
    seal.root.toString('hex'),
    ...(batch === null
      ? []
      : [batch.kind, formatInstant(batch.recordedAt), batch.entries, batch.charge, batch.cost]),
    ...(seal.beside === null
      ? []
      : [seal.beside.digest.toString('hex'), seal.beside.changeIds.join(',')]),
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
