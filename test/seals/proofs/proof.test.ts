import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { rerateMonth } from '../../../src/ledger/corrections/rerate-month.ts';
import { checkProof } from '../../../src/seals/proofs/check-proof.ts';
import { makeProof } from '../../../src/seals/proofs/make-proof.ts';
import type { Proof } from '../../../src/seals/proofs/proof.ts';
import { readProofs } from '../../../src/statements/proof-store.ts';
import { freshDatabase } from '../../support/database.ts';
import { importBook, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { randomOctober } from '../../support/random-october.ts';
import { tamper } from '../../support/tamper.ts';

const sha256 = (bytes: Uint8Array) => hash('sha256', bytes, 'buffer');
const failing = (proof: Proof) => checkProof(proof, sha256).filter((step) => !step.holds);
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

it('holds where a month that was charged in another currency was priced anew', async () => {
  const database = await freshDatabase();
  const models = [{ model: 'gpt-4o', per_million: { input: '10', output: '20' } }];
  const since = '2026-09-01T00:00:00Z';
  for (const [book, currency] of [
    ['dollars', 'USD'],
    ['euros', 'EUR'],
  ] as const) {
    const rates = { kind: 'charge', caching: 'work_done', effective_from: since, models };
    await importBook(database, { ...rates, book, currency }, since);
  }
  await makeTenant(database, 'acme', { created: since, mode: 'live', priceBook: 'dollars' });
  await receiveEvents(database, [nativeEvent({ event_id: 'dollars' })], '2026-10-15T13:00:00Z');
  const october = parseInstant('2026-10-01T00:00:00Z');
  await makeTenant(database, 'acme', { priceBook: 'euros', priceBookFrom: october });
  const month = { month: '2026-10', tenant_id: null };
  const clock = () => parseInstant('2026-11-02T00:00:00Z');
  await rerateMonth(
    { database, clock },
    { ...month, dry_run: false, reason: 'it pays in euros', actor: 'ada' },
  );
  await closePeriods({ database, clock }, month);
  const of = { tenantId: 'acme', month: '2026-10' };
  const [whole] = await readProofs(database, { ...of, line: null });
  if (whole === undefined) throw new Error('the period is closed');
  expect(JSON.parse(whole.manifest).currency).toBe('EUR');
  for (const line of [null, ...whole.lines]) {
    const [proof] = await readProofs(database, { ...of, line });
    expect(proof && failing(proof)).toEqual([]);
  }
  // What stands in another currency is no part of the sum.
  const entries = whole.entries.slice(1);
  expect(failing({ ...whole, entries })).not.toEqual([]);
});
