import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import type { Database } from '../../../src/database/database.ts';
import { inTransaction } from '../../../src/database/database.ts';
import { seededRandom } from '../../../src/demo/random.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { readCurrentEntries } from '../../../src/ledger/entries/entry-store.ts';
import type { Proof } from '../../../src/seals/proofs/check-proof.ts';
import { checkProof } from '../../../src/seals/proofs/check-proof.ts';
import { makeProof } from '../../../src/seals/proofs/make-proof.ts';
import { readProofs } from '../../../src/statements/proof-store.ts';
import { freshDatabase } from '../../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
  sharedBook,
} from '../../support/ledger.ts';
import { tamper } from '../../support/tamper.ts';

const sha256 = (bytes: Uint8Array) => hash('sha256', bytes, 'buffer');
const failing = (proof: Proof) => checkProof(proof, sha256).filter((step) => !step.holds);
const CLOSE = () => parseInstant('2026-11-01T00:00:00Z');

/** October of two tenants: usage of all kinds, splits, failures, gateway hits, corrections, late usage, two prices. */
async function randomOctober(database: Database, seed: number): Promise<void> {
  const { below, percent, pick } = seededRandom(seed);
  await importBooks(database, 'cost');
  const standard = sharedBook('standard') as {
    effective_from: string;
    models: { per_million: { output: string } }[];
  };
  const book = { ...standard, models: [...standard.models, REALTIME] };
  await importBook(database, book);
  const dearer = structuredClone(book);
  for (const model of dearer.models) model.per_million.output = '13.37';
  await importBook(database, { ...dearer, effective_from: '2026-10-16T00:00:00Z' });
  for (const tenant of ['acme', 'bolt']) await makeTenant(database, tenant);
  const events = Array.from({ length: 60 }, (_, index) => {
    const cached = below(50);
    const isSplit = percent(10);
    const model = pick(['gpt-4o', 'gpt-4o-mini', REALTIME.model]);
    return nativeEvent({
      event_id: `e-${seed}-${index}`,
      tenant_id: pick(['acme', 'bolt']),
      occurred_at: `2026-10-${pick(['03', '15', '16', '30'])}T12:00:00.${pick(['000', '123'])}Z`,
      requested_model: model,
      executed_model: pick(['gpt-4o', 'gpt-4o-mini']),
      status: pick(['ok', 'ok', 'ok', 'error']),
      gateway_cache: pick(['none', 'none', 'exact']),
      feature: pick(['tab\there', 'back\\slash', 'search']),
      usage: {
        input_tokens: 100 + below(1000),
        cache_read_tokens: cached,
        output_tokens: below(500),
        ...(model === REALTIME.model && unitsBelow(below)),
      },
      ...(isSplit && {
        members: [
          { member_id: 'a', weight: 1 },
          { member_id: 'b', tenant_id: 'bolt', weight: 2 },
        ],
      }),
    });
  });
  await receiveEvents(database, events);
  const standing = await inTransaction(database, (transaction) =>
    readCurrentEntries(transaction, { tenantId: 'acme', after: 0n, limit: 3 }),
  );
  const note = { reason: 'counted twice', actor: 'ada' };
  const [first, second] = standing;
  const at = () => parseInstant('2026-10-31T00:00:00Z');
  if (first !== undefined)
    await postCorrections(database, at, [{ entryId: first.entryId, change: null, note }]);
  if (second !== undefined) {
    await postCorrections(database, at, [
      { entryId: second.entryId, change: { outputTokens: 7 }, note },
    ]);
  }
  await closePeriods({ database, clock: CLOSE }, { month: '2026-10', tenant_id: null });
}

/** A model with a price for everything that a call of it counts. */
const REALTIME = {
  model: 'gpt-realtime',
  per_million: {
    input: '4',
    output: '16',
    cache_read: '0.4',
    input_audio: '32',
    output_audio: '64',
  },
  per_image: '0.04',
  per_second: { audio: '0.0001' },
  per_thousand: { searches: '10' },
};

function unitsBelow(below: (bound: number) => number) {
  return {
    // Of the input and the output, which are more.
    ...{ input_audio_tokens: below(50), output_audio_tokens: 0 },
    ...{ images: below(3), audio_ms: below(9_999), searches: 1 + below(4) },
  };
}

describe('the proof of a statement', () => {
  it.each([1, 2, 3])(
    'holds for random ledger %i: as a whole, for each line, and for each entry',
    async (seed) => {
      const database = await freshDatabase();
      await randomOctober(database, seed);
      const meters = new Set<string>();
      for (const tenantId of ['acme', 'bolt']) {
        const of = { tenantId, month: '2026-10' };
        const [whole] = await readProofs(database, { ...of, line: null });
        if (whole === undefined) throw new Error('the period is closed');
        expect(failing(whole)).toEqual([]);
        expect(checkProof(whole, sha256).at(-1)?.step).toBe('statement');
        expect(whole.lines.length).toBeGreaterThan(3);
        for (const { meter } of JSON.parse(whole.manifest).lines) meters.add(meter);
        for (const line of whole.lines) {
          const [proof] = await readProofs(database, { ...of, line });
          expect(proof?.lines).toEqual([line]);
          expect(proof && failing(proof)).toEqual([]);
        }
        const leaves = Buffer.concat(
          whole.entries.map((entry) =>
            sha256(Buffer.from(`\u0000${entry.shown}\t${entry.hidden}`)),
          ),
        );
        for (const entry of whole.entries) {
          const alone = makeProof({ ...whole, lines: [], entries: [entry] }, leaves);
          // Of one entry the price does not add up to a line; that it was sealed is shown before.
          expect(failing(alone).filter((step) => step.step === 'root')).toEqual([]);
          const altered = {
            ...alone,
            entries: [
              {
                ...entry,
                shown: entry.shown.replace('\tusage\t', '\tusagf\t'),
                hidden: hash('sha256', entry.hidden),
              },
            ],
          };
          expect(failing(altered).map((step) => step.step)).toEqual(['root']);
        }
      }
      const units = ['input_audio', 'images', 'audio_seconds', 'searches'];
      expect([...meters]).toEqual(expect.arrayContaining(units));
    },
  );

  it('shows nothing of cost, of how the call was served, or of other tenants', async () => {
    const database = await freshDatabase();
    await randomOctober(database, 4);
    await receiveEvents(database, [
      nativeEvent({ event_id: 'last', occurred_at: '2026-11-02T00:00:00Z' }),
    ]);
    const [proof] = await readProofs(database, { tenantId: 'acme', month: '2026-10', line: null });
    const text = proof?.entries.map((entry) => entry.shown).join('\n');
    expect(text).not.toMatch(/bolt|openai|counted twice|\bada\b/);
    const { rows } = await database.pool.query<{ salt: string }>(
      "select encode(salt, 'hex') as salt from batches",
    );
    for (const { salt } of rows) expect(JSON.stringify(proof)).not.toContain(salt);
  });

  it('of a period whose entries were tampered with does not hold', async () => {
    const database = await freshDatabase();
    await randomOctober(database, 5);
    await tamper(
      database,
      "update entries set user_id = 'somebody' where entry_id = (select min(entry_id) from entries where tenant_id = 'acme')",
    );
    const [proof] = await readProofs(database, { tenantId: 'acme', month: '2026-10', line: null });
    expect(proof && failing(proof).map((step) => step.step)).toEqual(['root']);
  });

  it('refuses a line that is not there, and a period of before the seals', async () => {
    const database = await freshDatabase();
    await randomOctober(database, 6);
    const of = { tenantId: 'acme', month: '2026-10' };
    await expect(readProofs(database, { ...of, line: 99 })).rejects.toMatchObject({
      message: 'the statement has no line 99',
      remedy: [expect.stringMatching(/^give one of: 1 gpt-4o input, 2 /)],
    });
    await tamper(
      database,
      `update closes set manifest = replace(manifest, 'entries_root', 'nothing')`,
    );
    await expect(readProofs(database, { ...of, line: null })).rejects.toThrow(
      /closed before there were seals/,
    );
  });
});
