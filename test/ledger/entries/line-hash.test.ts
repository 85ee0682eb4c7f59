import { hash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ARCHIVE_COLUMNS, cellsOf, provenEntry } from '../../../src/archive/archived-entry.ts';
import { copyLine } from '../../../src/ledger/entries/copy-line.ts';
import type { NewEntry } from '../../../src/ledger/entries/entry.ts';
import { anyEntry } from '../../support/any-entry.ts';
import { cases } from '../../support/cases.ts';

const SALT = '00112233445566778899aabbccddeeff';
const GIVEN = { entryId: 12_000_000n, recordedAt: '2026-10-20T12:00:00.000Z', salt: SALT };

/** The cells of an entry's line by their columns; null where the line says that there is nothing. */
function cellsByColumn(entry: NewEntry): Readonly<Record<string, string | null>> {
  const cells = cellsOf(copyLine(entry, GIVEN), SALT);
  expect(cells).toHaveLength(ARCHIVE_COLUMNS.length);
  return Object.fromEntries(ARCHIVE_COLUMNS.map((column, place) => [column, cells[place] ?? null]));
}

it('the hash in a line is that of what the line says, whatever the entry holds', () => {
  fc.assert(
    fc.property(anyEntry, (fields) => {
      const line = copyLine({ ...fields, eventId: 'e' }, GIVEN);
      const cells = cellsOf(line, SALT);
      const { shown, hidden } = provenEntry(cells);
      const leaf = hash('sha256', `\u0000${shown}\t${hidden}`);
      expect(cells[ARCHIVE_COLUMNS.indexOf('entry_hash')]).toBe(`\\x${leaf}`);
      expect(line.endsWith('\n')).toBe(true);
    }),
    cases(300),
  );
});

it('each column that came later holds its own value, and nothing where there is none', () => {
  fc.assert(
    fc.property(anyEntry, (fields) => {
      const entry: NewEntry = { ...fields, eventId: 'e' };
      const said = cellsByColumn(entry);
      const { reportedCost, callUsage, units } = entry;
      expect(said['not_due']).toBe(entry.due ? null : 't');
      expect(said['call_id']).toBe(entry.callId);
      expect(said['reported_cost']).toBe(reportedCost === null ? null : `${reportedCost.amount}`);
      expect(said['reported_cost_currency']).toBe(reportedCost?.currency ?? null);
      expect(said['reported_cost_source']).toBe(reportedCost?.source ?? null);
      expect(said['shares_response']).toBe(entry.sharesResponse ? 't' : null);
      expect(JSON.parse(said['units'] ?? 'null')).toEqual(units);
      expect(said['call_usage'] === null).toBe(callUsage === null);
    }),
    cases(300),
  );
});

it('what came later leaves no trace in the hash of an entry that has none of it', () => {
  const [fields] = fc.sample(anyEntry, { numRuns: 1, seed: 1 });
  if (fields === undefined) throw new Error('there is a sample');
  const none = { units: null, reportedCost: null, callId: null, callUsage: null, due: true };
  const entry: NewEntry = { ...fields, ...none, eventId: 'e' };
  const { shown } = provenEntry(cellsOf(copyLine(entry, GIVEN), SALT));
  expect(shown.split('\t')).toHaveLength(ARCHIVE_COLUMNS.indexOf('is_reversal') + 1);
  const undue = provenEntry(cellsOf(copyLine({ ...entry, due: false }, GIVEN), SALT));
  expect(undue.shown).toBe(`${shown}\t\\N\tt`);
  expect(undue.hidden).toBe(provenEntry(cellsOf(copyLine(entry, GIVEN), SALT)).hidden);
  const counted = provenEntry(cellsOf(copyLine({ ...entry, units: { images: 2 } }, GIVEN), SALT));
  expect(counted.shown).toBe(`${shown}\t{"images": 2}`);
});

it.each([
  ['none of what came later', {}],
  ['a reported cost alone', { reportedCost: { amount: 5n, currency: 'USD', source: 'litellm' } }],
  ['the id of a call alone', { callId: 'c' }],
  [
    'the counts of a whole call alone',
    {
      callUsage: {
        ...{ uncachedInput: 1, cacheRead: 2, cacheWrite: 3, output: 4, reasoning: 0 },
        units: null,
      },
    },
  ],
])('the line of an entry with %s says so, and its hash is over as much', (_what, change) => {
  const [fields] = fc.sample(anyEntry, { numRuns: 1, seed: 1 });
  if (fields === undefined) throw new Error('there is a sample');
  const none = { units: null, reportedCost: null, callId: null, callUsage: null, due: true };
  const entry: NewEntry = { ...fields, ...none, ...change, eventId: 'e' };
  const line = copyLine(entry, GIVEN);
  const cells = cellsOf(line, SALT);
  const hasMore = Object.keys(change).length > 0;
  const names = ['reported_cost', 'reported_cost_currency', 'call_id', 'call_usage'];
  const said = names.map((name) => cells[ARCHIVE_COLUMNS.indexOf(name)] ?? null);
  expect(said.some((value) => value !== null)).toBe(hasMore);
  const { shown, hidden } = provenEntry(cells);
  expect(cells[ARCHIVE_COLUMNS.indexOf('entry_hash')]).toBe(
    `\\x${hash('sha256', `\u0000${shown}\t${hidden}`)}`,
  );
  const first = ARCHIVE_COLUMNS.indexOf('entry_hash') + 1;
  const later = line.trimEnd().split('\t').slice(first);
  expect(later.every((cell) => cell === '\\N')).toBe(!hasMore && !entry.sharesResponse);
});
