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
    ['keeps the mode in which it was closed', "update periods set mode = 'live'"],
    [
      'never leaves its tenant',
      "update periods set tenant_id = 'unattributed' where tenant_id = 'acme'",
    ],
  ])('%s', async (_, statement) => {
    await expect(database.pool.query(statement)).rejects.toMatchObject({ code: '23001' });
  });
});

describe('what was told, and what waits', () => {
  const intent = (
    set: string,
  ) => `insert into push_intents (tenant_id, period_start, sequence, identifier, meter,
      stripe_customer, value_micro, event_timestamp, state, attempts, created_at, first_attempt_at)
    select tenant_id, period_start, 1, 'id', 'meter', 'cus_1', 1, 1, 'confirmed', 1, now(), now()
    from closes where tenant_id = 'acme'; update push_intents set ${set}`;

  it.each([
    ['is never to be told again', intent("state = 'pending'")],
    ['is never sent again', intent("state = 'sent'")],
    ['is never compared again', intent("state = 'ambiguous'")],
    ['was never tried less often', intent('attempts = 0')],
    ['was first tried when it was', intent("first_attempt_at = now() + interval '1 second'")],
    [
      'that is missing stays missing',
      `${intent("state = 'missing'")}; update push_intents set state = 'confirmed'`,
    ],
    ['is never deleted', `${intent("state = 'parked'")}; delete from push_intents`],
    ['is not emptied', 'truncate push_intents'],
    ['nor are periods', 'truncate periods cascade'],
    ['nor is the quarantine', 'truncate quarantine'],
    ['nor are tenants', 'truncate tenants cascade'],
    ['nor are alerts', 'truncate push_alerts'],
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
