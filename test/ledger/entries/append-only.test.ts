import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { allocateShared } from '../../support/allocation.ts';
import type { TestDatabase } from '../../support/database.ts';
import { count, createDatabase } from '../../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';

let database: TestDatabase;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  const span = nativeEvent({ event_id: 'span', operation: 'execute_tool' });
  await receiveEvents(database, [nativeEvent(), span]);
  const clock = () => Date.parse('2026-11-01T00:00:00Z');
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
  await allocateShared(database, { at: '2026-11-01T00:00:00Z' });
});

afterAll(() => drop());

/** Each with a harmless change, so that only the promise itself can refuse it. */
const TABLES = [
  ['entries', 'feature = feature'],
  ['structure_spans', 'feature = feature'],
  ['receipts', 'received = received'],
  ['price_books', 'caching = caching'],
  ['price_rates', 'input = input'],
  ['closes', 'manifest = manifest'],
  ['allocations', 'amount = amount'],
] as const;

describe.each(TABLES)('%s', (table, change) => {
  it.each([
    ['UPDATE', `update ${table} set ${change}`],
    ['UPDATE of no row', `update ${table} set ${change} where false`],
    ['DELETE', `delete from ${table}`],
    ['TRUNCATE', `truncate ${table} cascade`],
  ])('refuses %s, to the superuser who owns it too', async (_, statement) => {
    const before = await count(database, table);
    expect(before).toBeGreaterThan(0);
    await expect(database.pool.query(statement)).rejects.toMatchObject({
      code: '23001',
      message: expect.stringMatching(/is refused: nothing is edited; post a correction/),
    });
    expect(await count(database, table)).toBe(before);
  });
});

describe('a period', () => {
  it.each([
    ['is never deleted', 'delete from periods'],
    ['never moves its bounds', "update periods set ends_at = ends_at + interval '1 day'"],
    ['never opens again', "update periods set state = 'open' where state = 'closed'"],
    [
      'never leaves its tenant',
      "update periods set tenant_id = 'unattributed' where tenant_id = 'acme'",
    ],
  ])('%s', async (_, statement) => {
    await expect(database.pool.query(statement)).rejects.toMatchObject({ code: '23001' });
  });
});

describe('the constraints of an entry', () => {
  /** A copy of the one entry, changed. */
  const copy = (change: object) =>
    `insert into entries select (jsonb_populate_record(e, '${JSON.stringify(change)}')).*
     from entries e where event_id = 'evt-1'`;

  const NEW = { entry_id: 1, event_id: 'other' };

  it.each([
    ['the same identity twice', copy({ entry_id: 1 }), '23505'],
    ['the same id twice', copy({ event_id: 'other' }), '23505'],
    ['a negative charge of usage', copy({ ...NEW, charge: -1 }), '23514'],
    ['negative tokens of usage', copy({ ...NEW, output_tokens: -1 }), '23514'],
    ['a charge of a failed call', copy({ ...NEW, outcome: 'failed' }), '23514'],
    ['a charge of what is unrated', copy({ ...NEW, outcome: 'unrated' }), '23514'],
    ['a charged entry without a charge', copy({ ...NEW, charge: null }), '23514'],
    ['a correction of nothing', copy({ ...NEW, kind: 'correction' }), '23514'],
    ['an outcome that nobody knows', copy({ ...NEW, outcome: 'maybe' }), '23514'],
  ])('refuse %s', async (_, statement, code) => {
    await expect(database.pool.query(statement)).rejects.toMatchObject({ code });
  });
});
