import { z } from 'zod';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';

/**
 * A seal as it is given away: whoever holds it can tell later that the chain up to it was not written
 * anew. One line of JSON each, in a file that is only appended to.
 */
export interface PublishedSeal {
  readonly format: 'spanledger-published-seal-1';
  /** The UTC day that it ends. */
  readonly day: string;
  readonly seal: bigint;
  readonly hash: string;
  readonly sealed_at: string;
}

const line = z.strictObject({
  format: z.literal('spanledger-published-seal-1'),
  day: z.iso.date(),
  seal: z.int().positive(),
  hash: z.hex().length(64),
  sealed_at: z.iso.datetime(),
});

/** Reads what was published; throws a `Refusal` that names the line where it is anything else. */
export function parsePublished(text: string, file: string): readonly PublishedSeal[] {
  return text
    .split('\n')
    .map((content, index) => ({ content, number: index + 1 }))
    .filter(({ content }) => content !== '')
    .map(({ content, number }) => {
      const parsed = line.safeParse(readJson(content));
      if (parsed.success) return { ...parsed.data, seal: BigInt(parsed.data.seal) };
      throw new Refusal(
        'bad_document',
        `line ${number} of ${file} is no published seal`,
        advise`give the file that ${{ operation: 'seal publish', to: null, retain_days: null }} wrote, as it was written`,
      );
    });
}

export function formatPublished(seal: PublishedSeal): string {
  return `${JSON.stringify({ ...seal, seal: Number(seal.seal) })}\n`;
}

function readJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return null;
  }
}
