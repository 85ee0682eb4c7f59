import { describe, expect, it } from 'vitest';
import type { Proof } from '../../../src/seals/proofs/proof.ts';
import { parseProofs, writeProofs } from '../../../src/seals/proofs/proof-text.ts';

function proofOf(entries: number): Proof {
  return {
    format: 'spanledger-proof-1',
    manifest_hash: 'ab',
    manifest: '{"tenant_id":"acme","lines":["entries":[\n"]}',
    lines: [1],
    columns: ['tenant_id'],
    prices: [{ key: 'k', lines: { input: 1 } }],
    entries: Array.from({ length: entries }, (_, position) => ({
      position,
      shown: `acme\t"},\\n\t${position}\n`,
      hidden: 'cd',
    })),
    hashes: ['ef'],
  };
}

async function* linesOf(text: string) {
  yield* text.split('\n');
}

const textOf = (proofs: readonly Proof[]) => [...writeProofs(proofs)].join('');

describe('the text of proofs', () => {
  it.each([
    ['one', [proofOf(3)]],
    ['one without entries', [proofOf(0)]],
    ['several', [proofOf(2), proofOf(0), proofOf(1)]],
  ])('is JSON that reads back: %s', async (_, proofs) => {
    const text = textOf(proofs);
    expect(JSON.parse(text)).toEqual(proofs.length === 1 ? proofs[0] : proofs);
    expect(await parseProofs(linesOf(text))).toEqual(proofs);
  });

  it('has each entry on a line of its own, so that no more of it need be in one string', () => {
    const lengths = (entries: number) =>
      [...writeProofs([proofOf(entries)])].map((piece) => piece.length);
    expect(Math.max(...lengths(1_000))).toBe(Math.max(...lengths(1)));
  });

  it('is read in any layout of the same JSON', async () => {
    const proofs = [proofOf(2), proofOf(1)];
    for (const indent of [0, 2]) {
      expect(await parseProofs(linesOf(JSON.stringify(proofs, null, indent)))).toEqual(proofs);
    }
  });

  it.each([
    ['after them, in another layout', '\n],"hashes"', '\n,{ "position": 9 }\n],"hashes"'],
    ['before them', '"entries":[\n', '"entries":[{ "position": 9 },\n'],
    [
      'in place of them, since of two lists JSON takes the second',
      '"hashes"',
      '"entries":[],"hashes"',
    ],
  ])('leaves out no entry that the same JSON shows: %s', async (_, at, instead) => {
    const text = textOf([proofOf(2)]).replace(at, instead);
    expect(await parseProofs(linesOf(text))).toEqual([JSON.parse(text)]);
  });

  it('is nothing else', async () => {
    await expect(parseProofs(linesOf('no proof'))).rejects.toThrow('JSON');
  });
});
