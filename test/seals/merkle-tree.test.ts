import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_ROOT, MerkleTree, merkleRoot } from '../../src/seals/merkle-tree.ts';
import { cases } from '../support/cases.ts';

const sha256 = (...parts: readonly Uint8Array[]) => hash('sha256', Buffer.concat(parts), 'buffer');

/** The tree as RFC 6962 defines it, in its own words. */
function definedRoot(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return only;
  let left = 1;
  while (left * 2 < leaves.length) left *= 2;
  const [a, b] = [definedRoot(leaves.slice(0, left)), definedRoot(leaves.slice(left))];
  return sha256(Buffer.from([1]), a, b);
}

const leavesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => sha256(Buffer.from(`leaf ${index}`)));

describe('a Merkle tree', () => {
  it('has the root that RFC 6962 defines, for every number of leaves up to seventy', () => {
    for (let count = 0; count <= 70; count += 1) {
      const leaves = leavesOf(count);
      expect(merkleRoot(Buffer.concat(leaves)), `${count} leaves`).toEqual(definedRoot(leaves));
    }
  });

  it("has the roots of RFC 6962's own test vectors", () => {
    // Leaves of Certificate Transparency's reference tree: '', 00, 10, 2021, 3031, 40414243, …
    const data = ['', '00', '10', '2021', '3031', '40414243'];
    const leaves = data.map((hex) => sha256(Buffer.from([0]), Buffer.from(hex, 'hex')));
    const root = (count: number) =>
      merkleRoot(Buffer.concat(leaves.slice(0, count))).toString('hex');
    expect(EMPTY_ROOT.toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    expect(root(1)).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
    expect(root(2)).toBe('fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125');
    expect(root(3)).toBe('aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77');
    expect(root(6)).toBe('76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef');
  });

  it('does not care in which pieces its leaves come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 40 }), { maxLength: 8 }), (pieces) => {
        const leaves = leavesOf(pieces.reduce((sum, size) => sum + size, 0));
        const tree = new MerkleTree();
        let start = 0;
        for (const size of pieces) {
          tree.add(Buffer.concat(leaves.slice(start, start + size)));
          start += size;
        }
        expect(tree.root()).toEqual(merkleRoot(Buffer.concat(leaves)));
      }),
      cases(100),
    );
  });

  it('has another root when a leaf is changed, left out, added or moved', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), fc.nat(), (count, at) => {
        const leaves = leavesOf(count);
        const root = (changed: readonly Buffer[]) => merkleRoot(Buffer.concat(changed));
        const sound = root(leaves);
        const place = at % count;
        expect(root(leaves.with(place, sha256()))).not.toEqual(sound);
        expect(root(leaves.toSpliced(place, 1))).not.toEqual(sound);
        expect(root(leaves.toSpliced(place, 0, sha256()))).not.toEqual(sound);
        const [first = sound, second = sound] = leaves;
        expect(root([second, first, ...leaves.slice(2)])).not.toEqual(sound);
      }),
      cases(100),
    );
  });
});
