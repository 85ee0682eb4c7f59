import { expect, it } from 'vitest';
import { inTransaction } from '../../src/database/database.ts';
import { merkleRoot } from '../../src/seals/merkle-tree.ts';
import { PeriodRoots } from '../../src/seals/period-roots-store.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

const OCTOBER = '2026-10-01';
const NOVEMBER = '2026-11-01';
const LATER = '2026-11-20T00:00:00Z';

/** In no order that a database would give by itself, with one that is empty, and one of more hashes than a row holds. */
const PERIODS = [
  { tenantId: 'bolt', periodStart: NOVEMBER },
  { tenantId: 'acme', periodStart: OCTOBER },
  { tenantId: 'nobody', periodStart: OCTOBER },
  { tenantId: 'bolt', periodStart: OCTOBER },
  { tenantId: 'acme', periodStart: NOVEMBER },
];

const events = (tenant: string, of: { readonly day: string; readonly count: number }) =>
  Array.from({ length: of.count }, (_, index) =>
    nativeEvent({
      tenant_id: tenant,
      event_id: `${tenant}-${of.day}-${index}`,
      occurred_at: `${of.day}T12:00:00Z`,
    }),
  );

/** By a plain question for each period. */
async function expectedRoots(database: TestDatabase): Promise<readonly string[]> {
  const roots: string[] = [];
  for (const { tenantId, periodStart } of PERIODS) {
    const { rows } = await database.pool.query<{ entry_hash: Buffer }>(
      'select entry_hash from entries where tenant_id = $1 and period_start = $2 order by entry_id',
      [tenantId, periodStart],
    );
    roots.push(merkleRoot(Buffer.concat(rows.map((row) => row.entry_hash))).toString('hex'));
  }
  return roots;
}

/** Two periods at first, and then the others. */
function rootsOf(database: TestDatabase): Promise<readonly string[]> {
  return inTransaction(database, async (transaction) => {
    const roots = await PeriodRoots.open(transaction, PERIODS);
    const rooted = [
      ...(await roots.root(PERIODS.slice(0, 2))),
      ...(await roots.root(PERIODS.slice(2))),
    ];
    await roots.settle();
    return rooted.map(({ entriesRoot }) => entriesRoot);
  });
}

it('the roots of periods are over the hashes of their entries in the order of their ids, with or without a kept hash', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await receiveEvents(database, events('acme', { day: '2026-10-05', count: 1_300 }), LATER);
  await receiveEvents(
    database,
    [
      ...events('bolt', { day: '2026-10-06', count: 3 }),
      ...events('acme', { day: '2026-10-07', count: 1_001 }),
      ...events('bolt', { day: '2026-11-06', count: 7 }),
      ...events('acme', { day: '2026-11-07', count: 1 }),
      ...events('third', { day: '2026-11-07', count: 2 }),
    ],
    LATER,
  );
  const expected = await expectedRoots(database);
  expect(new Set(expected).size).toBe(PERIODS.length);
  expect(await rootsOf(database)).toEqual(expected);

  // Entries of before the seals have no hash of their own.
  await database.pool.query(
    `alter table entries disable trigger all; alter table entries drop constraint entry_has_its_hash;
     update entries set entry_hash = null where entry_id % 3 = 0`,
  );
  expect(await rootsOf(database)).toEqual(expected);
});
