import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import type { Manifest as ClosedManifest } from '../../../src/ledger/closes/manifest.ts';
import { present } from '../../../src/present.ts';
import { checkProof } from '../../../src/seals/proofs/check-proof.ts';
import { checkProofFile } from '../../../src/seals/proofs/check-proof-file.ts';
import type { Proof } from '../../../src/seals/proofs/proof.ts';
import { readProofs } from '../../../src/statements/proof-store.ts';
import { createDatabase } from '../../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';

const CHECKER = fileURLToPath(new URL('check-proof.py', import.meta.url));
const hasPython = spawnSync('python3', ['--version']).status === 0;
const sha256 = (bytes: Uint8Array) => hash('sha256', bytes, 'buffer');

let folder: string;
let whole: Proof;
let ofLine: Proof;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'proofs-'));
  const { database, drop } = await createDatabase({ connections: 4 });
  await importBooks(database, 'standard', 'cost');
  await receiveEvents(database, [
    nativeEvent({ event_id: 'a', feature: 'tab\there "é" \\' }),
    nativeEvent({ event_id: 'b', requested_model: 'gpt-4o-mini' }),
    nativeEvent({ event_id: 'c', status: 'error' }),
  ]);
  const clock = () => parseInstant('2026-11-01T00:00:00Z');
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
  const of = { tenantId: 'acme', month: '2026-10' };
  const [all] = await readProofs(database, { ...of, line: null });
  const [first] = await readProofs(database, { ...of, line: 1 });
  await drop();
  if (all === undefined || first === undefined) throw new Error('the period is closed');
  whole = all;
  ofLine = first;
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(content: unknown): string {
  const path = join(folder, 'proof.json');
  writeFileSync(path, JSON.stringify(content));
  return path;
}

function forged(change: (proof: Proof) => Partial<Proof>): Proof {
  return { ...whole, ...change(whole) };
}

const [manifestOf, rehashed] = [
  (proof: Proof) => proof.manifest,
  (manifest: string) => ({ manifest, manifest_hash: hash('sha256', manifest, 'hex') }),
];

/** A sound proof with its manifest written otherwise, and the hash of that. */
function rewritten(change: (manifest: Manifest) => void, proof = whole): Proof {
  const manifest: Manifest = JSON.parse(proof.manifest);
  change(manifest);
  return { ...proof, ...rehashed(JSON.stringify(manifest)) };
}

type Writable<Part> = { -readonly [Name in keyof Part]: Part[Name] };
type Line = Writable<ClosedManifest['lines'][number]>;
type Manifest = Writable<Omit<ClosedManifest, 'lines'>> & { lines: Line[] };

const lineOf = (manifest: Manifest, index = 0) => present(manifest.lines[index], 'a line');

/** What proves nothing, or something else than it says; each must be refused by both checkers. */
const FORGERIES: Readonly<Record<string, () => unknown>> = {
  'an entry that costs less': () =>
    forged(({ entries }) => ({
      entries: entries.map((entry, index) =>
        index === 0 ? { ...entry, shown: entry.shown.replace('\tUSD\t', '\tEUR\t') } : entry,
      ),
    })),
  'an entry that was left out': () => forged(({ entries }) => ({ entries: entries.slice(1) })),
  'no line, and only some of the entries': () => ({ ...ofLine, lines: [] }),
  'no line, no entry, and the root itself': () =>
    forged(({ manifest }) => ({
      lines: [],
      prices: [],
      entries: [],
      hashes: [JSON.parse(manifest).entries_root],
    })),
  'a line without its entries': () =>
    forged(({ manifest }) => ({
      lines: [1],
      entries: [],
      hashes: [JSON.parse(manifest).entries_root],
    })),
  'a manifest with another hash': () => forged(() => ({ manifest_hash: '0'.repeat(64) })),
  'a manifest that its entries do not reach': () =>
    forged((proof) =>
      rehashed(
        manifestOf(proof).replace(
          /("entries_root":")(.)/,
          (_, before: string, digit: string) => before + (digit === 'f' ? '0' : 'f'),
        ),
      ),
    ),
  'a total that is more than its lines': () =>
    forged((proof) => rehashed(manifestOf(proof).replace(/"charge_total":"/, '"charge_total":"1'))),
  'a total that its lines reach, and its calls do not': () =>
    rewritten((manifest) => {
      manifest.charge_total = '1000.02';
      lineOf(manifest).amount = `100${lineOf(manifest).amount}`;
    }),
  'a total that is rounded up where it is to be rounded down': () =>
    rewritten((manifest) => {
      const line = present(
        manifest.lines.find(({ amount }) => amount === '0.00'),
        'a line that was rounded down',
      );
      line.amount = '0.01';
      manifest.charge_total = (Number(manifest.charge_total) + 0.01).toFixed(2);
    }),
  'a line that no entry stands behind': () =>
    rewritten((manifest) => {
      const extra = { exact: '1000', amount: '1000.00', quantity: '100000000' };
      manifest.lines.push({ ...lineOf(manifest), ...extra });
      manifest.charge_total = `100${manifest.charge_total}`;
    }),
  'two lines that no entry stands behind, and that come to nothing': () =>
    rewritten((manifest) => {
      for (const sign of ['', '-']) {
        const extra = { exact: `${sign}1000`, amount: `${sign}1000.00`, quantity: '100000000' };
        manifest.lines.push({ ...lineOf(manifest), ...extra });
      }
    }),
  'more carried in than any period leaves': () =>
    rewritten((manifest) => {
      const carried = { meter: 'carried_in' as const, exact: '1000', amount: '1000.00' };
      manifest.lines.push({ ...lineOf(manifest), ...carried, quantity: '0', rate: '0' });
      manifest.carried_in = '1000';
      manifest.billable = `100${manifest.billable}`;
      manifest.charge_total = `100${manifest.charge_total}`;
    }),
  'a remainder that is carried on and billed': () =>
    rewritten((manifest) => {
      manifest.carried_out = '-1000';
      manifest.billable = `100${manifest.billable}`;
      manifest.charge_total = `100${manifest.charge_total}`;
    }),
  'one line proven, and billed as more than it comes to': () =>
    rewritten((manifest) => {
      lineOf(manifest).amount = '1000.00';
      const sum = manifest.lines.reduce((cents, { amount }) => cents + Number(amount), 0);
      manifest.charge_total = sum.toFixed(2);
    }, ofLine),
  'one line proven, of a period whose total is more than its lines': () =>
    rewritten((manifest) => {
      manifest.charge_total = '1000.00';
    }, ofLine),
  'the charges of one currency billed in another': () =>
    rewritten((manifest) => {
      manifest.currency = 'KWD';
    }),
};

describe('the checkers', () => {
  it('hold of a sound proof, whole or of one line', () => {
    for (const proof of [whole, ofLine]) {
      expect(checkProof(proof, sha256).filter(({ holds }) => !holds)).toEqual([]);
    }
  });

  it.each(Object.entries(FORGERIES))('refuse %s', (_, forge) => {
    const steps = checkProof(forge() as Proof, sha256);
    expect(steps.at(-1)?.holds).toBe(false);
  });

  it('refuse a file with an empty list', async () => {
    await expect(checkProofFile({ file: fileOf([]) })).rejects.toThrow(/holds no proof/);
  });

  it.runIf(hasPython)('agree with one that was written from PROOF.md alone', () => {
    const told = (content: unknown) =>
      spawnSync('python3', [CHECKER, fileOf(content)], { encoding: 'utf8' }).stdout.trim();
    expect(told(whole)).toBe('holds');
    expect(told([ofLine, whole])).toBe('holds');
    expect(told([])).toMatch(/^FAILS/);
    for (const [name, forge] of Object.entries(FORGERIES)) {
      expect(told(forge()), name).toMatch(/^FAILS/);
    }
  });
});
