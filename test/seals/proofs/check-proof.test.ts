import { hash, randomBytes } from 'node:crypto';
import vm from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { picoPerBilled, SUPPORTED_CURRENCIES } from '../../../src/currencies.ts';
import { LATER_SHOWN_COLUMNS, SHOWN_COLUMNS } from '../../../src/ledger/entries/entry-columns.ts';
import { merkleRoot } from '../../../src/seals/merkle-tree.ts';
import {
  checkProof,
  leastBilled,
  proofUnits,
  shownColumns,
} from '../../../src/seals/proofs/check-proof.ts';
import { makeProof } from '../../../src/seals/proofs/make-proof.ts';
import { pageSha256 } from '../../../src/seals/proofs/page-sha256.ts';
import type { Proof } from '../../../src/seals/proofs/proof.ts';
import { renderProofHtml } from '../../../src/statements/html/proof-html.ts';
import { FURTHER_UNITS, pricedTogether } from '../../../src/units.ts';
import { cases } from '../../support/cases.ts';

const sha256 = (bytes: Uint8Array) => hash('sha256', bytes, 'buffer');

/** Columns of an entry of acme's October that was charged nothing, but for what the test says. */
function shown(change: Readonly<Record<string, string>>): string {
  const usual: Readonly<Record<string, string>> = {
    tenant_id: 'acme',
    period_start: '2026-10-01',
    kind: 'usage',
    outcome: 'failed',
    late: 'f',
    requested_model: 'gpt-4o',
    service_tier: 'standard',
    gateway_cache: 'none',
    uncached_input_tokens: '0',
    cache_read_tokens: '0',
    cache_write_tokens: '0',
    output_tokens: '0',
    call_share: '1000000',
    charge: '0',
    currency: 'USD',
  };
  return SHOWN_COLUMNS.map((name) => change[name] ?? usual[name] ?? '\\N').join('\t');
}

/** A period of so many entries, of which the last two were charged: 1000 and 500 output tokens at 10.00 a million. */
function period(size: number, unitsOfFirst = '', chargeOfFirst = '0') {
  const price = {
    charge_book: 'standard',
    charge_version: '2026-10-01T00:00:00.000Z',
    charge_rate_id: '7',
  };
  const charged = (output: number) => ({
    ...price,
    outcome: 'charged',
    output_tokens: String(output),
    charge: String(output * 10_000_000),
  });
  const entries = Array.from({ length: size }, (_, position) => ({
    position,
    shown: `${shown({
      entry_id: String(position),
      ...(position === 0 ? { charge: chargeOfFirst } : {}),
      ...(position === size - 1 ? charged(1000) : position === size - 2 ? charged(500) : {}),
    })}${position === 0 && unitsOfFirst !== '' ? `\t${unitsOfFirst}` : ''}`,
    hidden: hash('sha256', `hidden ${position}`),
  }));
  const leaves = Buffer.concat(
    entries.map((entry) => sha256(Buffer.from(`\u0000${entry.shown}\t${entry.hidden}`))),
  );
  const manifest = JSON.stringify({
    format: 'spanledger-manifest-2',
    tenant_id: 'acme',
    period_start: '2026-10-01',
    entries: size,
    entries_root: merkleRoot(leaves).toString('hex'),
    currency: 'USD',
    // 1500 tokens x $10.00 / 1,000,000 = $0.015, rounded half up to 0.02
    lines: [
      {
        model: 'gpt-4o',
        service_tier: 'standard',
        meter: 'output',
        late: false,
        quantity: '1500',
        rate: '10',
        exact: '0.015',
        amount: '0.02',
      },
    ],
    charge_exact: '0.015',
    carried_in: '0',
    billable: '0.015',
    carried_out: '0',
    charge_total: '0.02',
  });
  const key = JSON.stringify(['gpt-4o', 'standard', 'f', ...Object.values(price)]);
  const of = {
    manifest,
    manifest_hash: hash('sha256', manifest),
    prices: [{ key, lines: { output: 1 } }],
  };
  const prove = (positions: readonly number[], lines: readonly number[]) => {
    const own = entries.filter((entry) => positions.includes(entry.position));
    return makeProof({ ...of, lines, entries: own }, leaves);
  };
  return { prove, all: entries.map((entry) => entry.position) };
}

const verdict = (proof: Proof) => {
  const steps = checkProof(proof, sha256);
  return steps.find((step) => !step.holds)?.step ?? 'holds';
};

describe('a proof', () => {
  it('holds for any entries of a period of any size, and gives no more hashes than their paths need', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 200 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (size, picks) => {
          const { prove } = period(size);
          const free = [...new Set(picks.map((pick) => pick % size))].filter(
            (position) => position < size - 2,
          );
          const proof = prove([...free, size - 2, size - 1], [1]);
          expect(verdict(proof)).toBe('holds');
          // A path has a hash for each level.
          expect(proof.hashes.length).toBeLessThanOrEqual(
            proof.entries.length * Math.ceil(Math.log2(size)),
          );
        },
      ),
      cases(150),
    );
  });

  it('of every entry needs no other hash, and shows that the whole statement adds up', () => {
    const { prove, all } = period(9);
    const proof = prove(all, [1]);
    expect(proof.hashes).toEqual([]);
    expect(checkProof(proof, sha256).map((step) => [step.step, step.holds])).toEqual([
      ['form', true],
      ['manifest', true],
      ['entries', true],
      ['root', true],
      ['prices', true],
      ['line 1', true],
      ['statement', true],
    ]);
  });

  it('does not hold when any part of it is altered', () => {
    const { prove } = period(21);
    const sound = prove([3, 4, 11, 19, 20], [1]);
    // Every leaf of the document: a text loses or changes a character, a number becomes another one.
    const paths = leafPaths(sound);
    expect(paths.length).toBeGreaterThan(60);
    for (const path of paths) {
      const altered: Proof = structuredClone(sound);
      const value = alterAt(altered, path);
      expect(verdict(altered), `${path.join('.')} became ${value}`).not.toBe('holds');
    }
  });

  it('does not hold for entries that are left out, doubled or put elsewhere', () => {
    const { prove } = period(21);
    const sound = prove([3, 19, 20], [1]);
    const { entries } = sound;
    const [first, second] = entries;
    if (first === undefined || second === undefined) throw new Error('there are three');
    for (const changed of [
      entries.slice(1),
      entries.slice(0, -1),
      [first, ...entries],
      [{ ...first, position: 2 }, ...entries.slice(1)],
      [second, first, ...entries.slice(2)],
    ]) {
      expect(verdict({ ...sound, entries: changed })).toBe('root');
    }
    // Sealed entries all, but not all of those behind the line.
    expect(verdict(prove([3, 20], [1]))).toBe('line 1');
  });

  it.each([
    ['form', 'nothing at all', null],
    ['form', 'another format', { ...period(4).prove([2, 3], [1]), format: 'x' }],
    ['line 2', 'a line that is not there', period(4).prove([2, 3], [2])],
    ['prices', 'no line for a price', { ...period(4).prove([2, 3], [1]), prices: [] }],
  ])('fails at %s with %s', (step, _, proof) => {
    expect(verdict(proof as Proof)).toBe(step);
  });

  it.each(['\\N', '', ' ', '0x0'])('fails for an entry whose charge is "%s"', (charge) => {
    expect(verdict(period(4, '', charge).prove([0, 2, 3], [1]))).toBe('entries');
  });

  it('refuses entries of another tenant, although they are sealed', () => {
    const { prove } = period(4);
    const proof = prove([2, 3], [1]);
    const manifest = proof.manifest.replace('"acme"', '"bolt"');
    expect(verdict({ ...proof, manifest, manifest_hash: hash('sha256', manifest) })).toBe(
      'entries',
    );
  });

  it('knows the columns that an entry shows', () => {
    expect(shownColumns()).toEqual(SHOWN_COLUMNS);
    // What only some entries have stands after them, under the one name that the page knows.
    expect(LATER_SHOWN_COLUMNS).toEqual(['units', 'not_due']);
  });

  it('knows every unit, by how lines name it, and how many of it a rate is for', () => {
    const known = Object.entries(proofUnits()).map(([meter, [unit, per]]) => [meter, unit, per]);
    const units = FURTHER_UNITS.map((unit) => [
      unit.meter,
      unit.name,
      Number(pricedTogether(unit)),
    ]);
    expect(known.sort()).toEqual(units.sort());
  });
});

it('knows of each currency the least amount that is billed', () => {
  for (const currency of SUPPORTED_CURRENCIES) {
    expect(leastBilled(currency), currency).toBe(picoPerBilled(currency));
  }
});

describe('the page', () => {
  it('hashes as SHA-256 does, for every length up to two hundred and for long messages', () => {
    for (const length of [...Array(201).keys(), 1_000, 65_537]) {
      const message = randomBytes(length);
      expect(Buffer.from(pageSha256(message)), `${length} bytes`).toEqual(sha256(message));
    }
  });

  it('checks the proof that is in it, and nothing else is needed', () => {
    const { prove, all } = period(9);
    const proof = prove(all, [1]);
    expect(openPage(renderProofHtml([proof]))).toContain('The proof holds.');
    const altered = { ...proof, manifest: proof.manifest.replace('0.015', '0.016') };
    expect(openPage(renderProofHtml([altered]))).toContain('The proof FAILS at step "manifest".');
    expect(renderProofHtml([proof])).not.toMatch(/\b(?:src|href)=|fetch\(|https?:/);
  });

  it('shows the other units of an entry in words', () => {
    const { prove } = period(3, '{"images": 1, "audio_ms": 1500}');
    const page = openPage(renderProofHtml([prove([0, 1, 2], [1])]));
    expect(page).toContain('The proof holds.');
    expect(page).toContain('\n1 image, 1.5 seconds of audio\n');
  });

  it('takes names for text, whatever they hold', () => {
    const hostile = '</script><script>alert(1)</script>';
    const page = renderProofHtml([{ ...period(3).prove([0], [1]), manifest_hash: hostile }]);
    expect(page).not.toContain('<script>alert');
    expect(openPage(page)).toContain(`not ${hostile}`);
  });
});

/** Runs the page's script over as much of a document as it uses; returns all texts that it shows. */
function openPage(page: string): string {
  const data = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)?.[1] ?? '';
  const script = /<script>(.*?)<\/script>/s.exec(page)?.[1] ?? '';
  const texts: string[] = [];
  const element = () => ({
    set textContent(text: string) {
      texts.push(text);
    },
    setAttribute: () => {},
    appendChild: <Child>(child: Child) => child,
  });
  const document = {
    getElementById: (id: string) => (id === 'data' ? { textContent: data } : element()),
    createElement: element,
  };
  vm.runInNewContext(script, { document, TextEncoder });
  return texts.join('\n');
}

type Path = readonly (string | number)[];

function leafPaths(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => leafPaths(inner, [...path, name]));
}

function alterAt(target: unknown, path: Path): unknown {
  const [name = '', ...rest] = path;
  const holder = target as Record<string | number, unknown>;
  if (rest.length > 0) return alterAt(holder[name], rest);
  const value = holder[name];
  holder[name] = typeof value === 'number' ? value + 1 : `${String(value).slice(0, -1)}~`;
  return holder[name];
}
