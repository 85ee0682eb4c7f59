import { z } from 'zod';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { jsonIn } from '../../text/json.ts';

/**
 * A seal as it is given away: whoever holds it can tell later that the chain up to it was not rewritten.
 * One line of JSON each, in a file that is only appended to.
 */
export interface PublishedSeal {
  readonly format: 'spanledger-published-seal-1';
  /** The UTC day that it ends. */
  readonly day: string;
  readonly seal: bigint;
  readonly hash: string;
  readonly sealed_at: string;
}

/**
 * What an operator says first at a new place, after a backup was restored: from which seal the chain continues, and
 * which seals of the place before it are lost. Nobody can tell by it whether a backup was restored or the ledger
 * rewritten, so it stands where an auditor reads it, and the place before it stays as it is.
 */
export interface PublishedRestore {
  readonly format: 'spanledger-published-restore-1';
  /** The place where the seals were published before. */
  readonly from: string;
  readonly reason: string;
  readonly said_at: string;
  /** The last seal there that the restored chain has; null where it has none of them. */
  readonly kept: PublishedSeal | null;
  /** The seals there that the restored chain does not have, whole, should that place be lost. */
  readonly lost: readonly PublishedSeal[];
}

/** All that a place holds. */
export interface Published {
  /** The published seals, in the order of the chain. */
  readonly seals: readonly PublishedSeal[];
  /** The restores of every place from which this one goes on, in the order in which they were said. */
  readonly restores: readonly PublishedRestore[];
}

const sealLine = z.strictObject({
  format: z.literal('spanledger-published-seal-1'),
  day: z.iso.date(),
  seal: z.int().positive().transform(BigInt),
  hash: z.hex().length(64),
  sealed_at: z.iso.datetime(),
});

const restoreLine = z.strictObject({
  format: z.literal('spanledger-published-restore-1'),
  from: z.string().min(1),
  reason: z.string(),
  said_at: z.iso.datetime(),
  kept: sealLine.nullable(),
  lost: z.array(sealLine).min(1),
});

const line = z.discriminatedUnion('format', [sealLine, restoreLine]);

/** Reads what was published; throws a `Refusal` that names the line where it is anything else. */
export function parsePublished(text: string, file: string): Published {
  const lines = text
    .split('\n')
    .map((content, index) => ({ content, number: index + 1 }))
    .filter(({ content }) => content !== '')
    .map(({ content, number }) => {
      const parsed = line.safeParse(jsonIn(content));
      if (parsed.success) return parsed.data;
      throw new Refusal(
        'bad_document',
        `line ${number} of ${file} is not a published seal`,
        advise`give the file that ${{ operation: 'seal publish', to: null, retain_days: null, restored_from: null }} wrote, as it was written`,
      );
    });
  return {
    seals: lines.filter((one) => one.format === 'spanledger-published-seal-1'),
    restores: lines.filter((one) => one.format === 'spanledger-published-restore-1'),
  };
}

/** Every seal that the chain must have for what was published to hold, each once, in the order of the chain. */
export function sealsToFind({ seals, restores }: Published): readonly PublishedSeal[] {
  const kept = restores.at(-1)?.kept ?? null;
  if (kept === null) return seals;
  if (seals.some(({ seal, hash }) => seal === kept.seal && hash === kept.hash)) return seals;
  return [...seals, kept].sort((a, b) => Number(a.seal - b.seal));
}

export function formatPublished(published: PublishedSeal | PublishedRestore): string {
  const text = JSON.stringify(published, (_, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  );
  return `${text}\n`;
}
