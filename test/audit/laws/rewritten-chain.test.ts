import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openScope } from '../../../src/audit/laws/scope-store.ts';
import { checkSeals } from '../../../src/audit/laws/seals-law-store.ts';
import { parseInstant } from '../../../src/clock.ts';
import type { Database } from '../../../src/database/database.ts';
import type { PublishedSeal } from '../../../src/seals/publication/published-seals.ts';
import { sealAll } from '../../../src/seals/seal-batches.ts';
import type { TestDatabase } from '../../support/database.ts';
import { createDatabase, textRows } from '../../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { tamper } from '../../support/tamper.ts';
import { undone } from '../../support/undone.ts';

const clock = () => parseInstant('2026-10-21T00:00:00Z');

/** Whoever makes a row again and knows how hashes are made. */
const REHASHED = `entry_hash = entry_hash(e, (select salt from batches where batch_id = entry_id / 1000000))`;

/** Three batches of three entries: batch 1 has ent_1000000 to ent_1000002, and so on. */
async function fillAndSeal(database: TestDatabase): Promise<void> {
  await importBooks(database, 'standard', 'cost');
  for (const batch of [1, 2, 3]) {
    const events = [1, 2, 3].map((place) => nativeEvent({ event_id: `e-${batch}-${place}` }));
    await receiveEvents(database, events);
  }
  await sealAll(database, clock);
}

describe('whoever rewrites the chain as a superuser', () => {
  let sealed: { readonly database: TestDatabase; readonly drop: () => Promise<void> };
  beforeAll(async () => {
    sealed = await createDatabase();
    await fillAndSeal(sealed.database);
  });
  afterAll(() => sealed.drop());

  async function givenAway(database: Database): Promise<readonly PublishedSeal[]> {
    const rows = await textRows(
      database,
      'select seal_number, seal_hash from audit.seals order by 1',
    );
    const at = { day: '2026-10-21', sealed_at: '2026-10-21T00:00:00.000Z' };
    return rows.map((row) => ({
      format: 'spanledger-published-seal-1',
      seal: BigInt(row['seal_number'] ?? ''),
      hash: row['seal_hash'] ?? '',
      ...at,
    }));
  }

  async function named(database: Database, published: readonly PublishedSeal[]) {
    const scope = await openScope(database, 'full');
    return (await checkSeals(database, scope, published)).violations;
  }

  const anew = (seal: number) =>
    `seal ${seal} is not the one that was published: it, or one before it, was rewritten`;
  const RAISED = (id: number) => `update entries set charge = charge * 2 where entry_id = ${id};
    update entries e set ${REHASHED} where entry_id = ${id};`;
  const CUT = (batch: number) => `delete from structure_spans where batch_id = ${batch};
    delete from receipts where batch_id = ${batch}; delete from entries where entry_id / 1000000 = ${batch};
    delete from batches where batch_id = ${batch};`;

  it('replaces all of it, and is seen by each seal that was given away', () =>
    undone(sealed.database, async (inside) => {
      const published = await givenAway(inside);
      await tamper(
        inside,
        `${RAISED(1_000_000)} delete from seals;
         insert into change_queue select change_id from changes on conflict do nothing;
         insert into seal_queue select batch_id from batches`,
      );
      await sealAll(inside, clock);
      expect(await named(inside, [])).toEqual([]);
      for (const one of published)
        expect(await named(inside, [one])).toEqual([anew(Number(one.seal))]);
    }));

  it('cuts the tail off after the last seal, which nothing shows but a gap in the numbers of batches', () =>
    undone(sealed.database, async (inside) => {
      await inside.pool.query(
        'insert into batches (kind, recorded_at, entries, charge, cost) select kind, recorded_at, 0, 0, 0 from batches limit 1',
      );
      await tamper(
        inside,
        'delete from seal_queue where batch_id = 4; delete from batches where batch_id = 4',
      );
      expect(await named(inside, await givenAway(inside))).toEqual([]);
      const next = `select nextval(pg_get_serial_sequence('batches', 'batch_id')) as id`;
      expect(await textRows(inside, next)).toEqual([{ id: '5' }]);
    }));

  it('cuts sealed batches off the end, and is seen where one of them was published or verified', () =>
    undone(sealed.database, async (inside) => {
      const [first, second, third] = await givenAway(inside);
      await tamper(inside, `${CUT(3)} delete from seals where seal_number = 3`);
      // What came after the last publication is gone unseen.
      expect(
        await named(
          inside,
          [first, second].flatMap((one) => one ?? []),
        ),
      ).toEqual([]);
      expect(
        await named(
          inside,
          [third].flatMap((one) => one ?? []),
        ),
      ).toEqual(['seal 3, published, is gone']);
      await inside.pool.query(
        `insert into verifications (started_at, finished_at, scope, seal_number, seal_hash)
         values (now(), now(), 'full', 3, '\\x01')`,
      );
      expect(await named(inside, [])).toEqual(['seal 3, verified before, is gone']);
    }));

  it('swaps two entries, and is seen by the place of each, even with hashes made anew', () =>
    undone(sealed.database, async (inside) => {
      const move = (from: number, to: number) =>
        `update entries set entry_id = ${to} where entry_id = ${from};`;
      await tamper(
        inside,
        `${move(2_000_000, 2_000_009)} ${move(2_000_001, 2_000_000)} ${move(2_000_009, 2_000_001)}
         update entries e set ${REHASHED} where entry_id in (2000000, 2000001)`,
      );
      expect(await named(inside, [])).toEqual([
        'ent_2000000 was changed, and its hash with it, see seal 2 (batch 2)',
        'ent_2000001 was changed, and its hash with it, see seal 2 (batch 2)',
      ]);
    }));

  it('gives an older published seal, which proves what came before it and nothing after', () =>
    undone(sealed.database, async (inside) => {
      const [first, second, third] = await givenAway(inside);
      if (first === undefined || second === undefined || third === undefined) {
        throw new Error('three seals were given away');
      }
      await tamper(
        inside,
        `${RAISED(3_000_000)} insert into seal_queue values (3); delete from seals where seal_number = 3`,
      );
      await sealAll(inside, clock);
      expect(await named(inside, [first, second])).toEqual([]);
      expect(await named(inside, [first, second, third])).toEqual([anew(3)]);
      // An older one does not pass under a newer number.
      expect(await named(inside, [{ ...second, seal: 3n }])).toEqual([anew(3)]);
    }));
});
