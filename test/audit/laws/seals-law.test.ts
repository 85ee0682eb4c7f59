import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkLaws } from '../../../src/audit/laws/check-laws.ts';
import { openScope } from '../../../src/audit/laws/scope-store.ts';
import { checkSeals } from '../../../src/audit/laws/seals-law-store.ts';
import { parseInstant, systemClock } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { sealAll } from '../../../src/seals/seal-batches.ts';
import type { TestDatabase } from '../../support/database.ts';
import { count, createDatabase, freshDatabase, textRows } from '../../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { tamper } from '../../support/tamper.ts';
import { undone } from '../../support/undone.ts';

const clock = () => parseInstant('2026-10-21T00:00:00Z');

/** Three batches of three entries: batch 1 has ent_1000000 to ent_1000002, and so on. */
async function sealedLedger(): Promise<TestDatabase> {
  const database = await freshDatabase();
  await fillAndSeal(database);
  return database;
}

async function fillAndSeal(database: TestDatabase): Promise<void> {
  await importBooks(database, 'standard', 'cost');
  for (const batch of [1, 2, 3]) {
    const events = [1, 2, 3].map((place) => nativeEvent({ event_id: `e-${batch}-${place}` }));
    await receiveEvents(database, events);
  }
  await sealAll(database, clock);
}

async function law8(database: TestDatabase, scope: 'full' | 'incremental' = 'full') {
  const report = (
    await checkLaws({ database, clock: systemClock, checkStripe: null }, { scope, published: [] })
  ).find((one) => one.law === 8);
  return report?.violations ?? ['law 8 is not checked'];
}

/** What makes a row again as an insider would who knows how hashes are made. */
const REHASHED = `entry_hash = entry_hash(e, (select salt from batches where batch_id = entry_id / 1000000))`;
const COPY_OF_ONE = (id: number) => `insert into entries
  select (jsonb_populate_record(e, jsonb_build_object('entry_id', ${id}, 'event_id', 'smuggled'))).*
  from entries e where entry_id = 2000000`;

describe('law 8', () => {
  let sealed: { readonly database: TestDatabase; readonly drop: () => Promise<void> };
  beforeAll(async () => {
    sealed = await createDatabase();
    await fillAndSeal(sealed.database);
  });
  afterAll(() => sealed.drop());

  it('holds, and says how far it looked', async () => {
    const database = await sealedLedger();
    const report = (
      await checkLaws(
        { database, clock: systemClock, checkStripe: null },
        { scope: 'full', published: [] },
      )
    ).find((one) => one.law === 8);
    expect(report).toMatchObject({ violations: [], checked: 9, range: 'entries, seals 1 to 3' });
  });

  it.each([
    [
      'a charge was changed',
      'update entries set charge = charge + 1 where entry_id = 2000001',
      'ent_2000001 was changed: its columns do not give its hash, see seal 2 (batch 2)',
    ],
    [
      'a hidden column was changed',
      'update entries set cost = cost + 1 where entry_id = 2000001',
      'ent_2000001 was changed: its columns do not give its hash, see seal 2 (batch 2)',
    ],
    [
      'an instant was moved by a microsecond',
      "update entries set occurred_at = occurred_at + interval '1 microsecond' where entry_id = 2000001",
      'ent_2000001 was changed: its columns do not give its hash, see seal 2 (batch 2)',
    ],
    [
      'an entry was changed, and its hash with it',
      `update entries e set charge = charge + 1 where entry_id = 2000001;
       update entries e set ${REHASHED} where entry_id = 2000001`,
      'ent_2000001 was changed, and its hash with it, see seal 2 (batch 2)',
    ],
    [
      'an entry was changed, and its hash taken away',
      `alter table entries drop constraint entry_has_its_hash;
       update entries set charge = charge + 1, entry_hash = null where entry_id = 2000001`,
      'ent_2000001 was changed, and its hash with it, see seal 2 (batch 2)',
    ],
    [
      'the first of a batch was removed',
      'delete from entries where entry_id = 2000000',
      'ent_2000000 was removed, see seal 2 (batch 2)',
    ],
    [
      'the last of a batch was removed',
      'delete from entries where entry_id = 2000002',
      'ent_2000002 was removed, see seal 2 (batch 2)',
    ],
    [
      'an entry was added to a batch',
      COPY_OF_ONE(2_000_003),
      'ent_2000003 was added, see seal 2 (batch 2)',
    ],
    [
      'an entry was added outside of any batch',
      COPY_OF_ONE(77_000_000),
      'ent_77000000 was added: its batch has no seal',
    ],
    [
      'the last batch is gone with its seal',
      `delete from seals where seal_number = 3; delete from entries where entry_id / 1000000 = 3`,
      'batch 3 has no seal, and waits for none',
    ],
    ['a seal is gone', 'delete from seals where seal_number = 2', 'seal 2 is gone'],
    [
      "a seal's root was changed",
      "update seals set root = sha256('x') where seal_number = 2",
      "seal 2 (batch 2): the seal or the batch's own row was changed",
    ],
    [
      'a seal was moved in time',
      "update seals set sealed_at = sealed_at + interval '1 second' where seal_number = 2",
      "seal 2 (batch 2): the seal or the batch's own row was changed",
    ],
    [
      "a seal's prints were changed",
      "update seals set prints = decode(repeat('00', 12), 'hex') where seal_number = 2",
      'seal 2 (batch 2): its prints were changed',
    ],
    [
      "a batch's own row was changed",
      'update batches set charge = charge + 1 where batch_id = 2',
      "seal 2 (batch 2): the seal or the batch's own row was changed",
    ],
    [
      "a batch's own row is gone",
      'delete from batches where batch_id = 2',
      "seal 2 (batch 2): the batch's own row is gone",
    ],
    [
      'a batch has another salt',
      "update batches set salt = '\\x00' where batch_id = 2",
      'ent_2000000 was changed: its columns do not give its hash, see seal 2 (batch 2)',
    ],
    [
      'a seal follows from another',
      "update seals set previous_hash = sha256('x') where seal_number = 2",
      'seal 2 (batch 2) does not follow from seal 1, one of them was changed',
    ],
  ])('names the first row that was tampered with when %s', async (_, statement, named) => {
    const report = await undone(sealed.database, async (inside) => {
      await tamper(inside, statement);
      return checkSeals(inside, await openScope(inside, 'full'), []);
    });
    expect(report.violations[0]).toBe(named);
  });

  it('finds a chain that was written anew from one seal on, by what was published or verified before', async () => {
    // given a ledger of which a seal was given away, and another that nobody looked at
    const database = await sealedLedger();
    const [last] = await textRows(database, 'select * from audit.seals where seal_number = 3');
    const published = {
      format: 'spanledger-published-seal-1',
      day: '2026-10-21',
      seal: 3n,
      hash: String(last?.['seal_hash']),
      sealed_at: '2026-10-21T00:00:00.000Z',
    } as const;
    // when an insider changes an entry and lets everything be sealed again
    await tamper(
      database,
      `update entries e set charge = charge * 2, cost = cost * 2, output_tokens = output_tokens * 2,
         uncached_input_tokens = uncached_input_tokens * 2 where entry_id = 2000001;
       update entries e set ${REHASHED} where entry_id = 2000001;
       insert into seal_queue select batch_id from seals where seal_number >= 2;
       delete from seals where seal_number >= 2`,
    );
    await sealAll(database, clock);
    // then the database alone shows nothing, and what was given away does
    expect(await law8(database)).toEqual([]);
    const reports = await checkLaws(
      { database, clock: systemClock, checkStripe: null },
      { scope: 'full', published: [published] },
    );
    expect(reports.find((one) => one.law === 8)?.violations).toEqual([
      'seal 3 is not the one that was published: it, or one before it, was rewritten',
    ]);
  });

  it('finds what was verified before and is gone or written anew', async () => {
    const database = await sealedLedger();
    expect(await law8(database)).toEqual([]);
    await tamper(
      database,
      `insert into seal_queue select batch_id from seals where seal_number >= 2;
       delete from seals where seal_number >= 2`,
    );
    await sealAll(database, () => clock() + 1000);
    for (const scope of ['full', 'incremental'] as const) {
      expect(await law8(database, scope)).toEqual([
        'seal 3 is not the one that was verified before: it, or one before it, was rewritten',
      ]);
    }
  });

  it('does not take batches that are only not sealed yet for a violation', async () => {
    const database = await sealedLedger();
    await receiveEvents(database, [nativeEvent({ event_id: 'later' })]);
    expect(await count(database, 'seal_queue')).toBe(1);
    expect(await law8(database)).toEqual([]);
  });

  it('seals what was posted before there were hashes, and sees it change from then on', async () => {
    const database = await sealedLedger();
    await tamper(
      database,
      `alter table entries disable trigger all; alter table entries drop constraint entry_has_its_hash;
       update entries set entry_hash = null; delete from seals; insert into seal_queue select batch_id from batches;
       insert into change_queue select change_id from changes`,
    );
    await sealAll(database, clock);
    expect(await law8(database)).toEqual([]);
    await tamper(database, 'update entries set charge = charge + 1 where entry_id = 2000001');
    expect((await law8(database))[0]).toBe(
      'ent_2000001 was changed, and its hash with it, see seal 2 (batch 2)',
    );
  });

  it('a close of before the seals still recomputes, and a later one needs its root', async () => {
    const database = await sealedLedger();
    const close = () =>
      closePeriods(
        { database, clock: () => parseInstant('2026-11-01T00:00:00Z') },
        {
          month: '2026-10',
          tenant_id: null,
        },
      );
    await close();
    const law4 = async () =>
      (
        await checkLaws(
          { database, clock: systemClock, checkStripe: null },
          { scope: 'full', published: [] },
        )
      ).find((one) => one.law === 4)?.violations;
    const root = `substring(manifest from '"entries_root":"[0-9a-f]+",')`;
    await tamper(
      database,
      `update closes set manifest = replace(regexp_replace(replace(manifest, ${root}, ''),
         '"calls":[{][^}]*[}],', ''), 'manifest-4', 'manifest-1');
       update closes set manifest_hash = encode(sha256(convert_to(manifest, 'UTF8')), 'hex')`,
    );
    expect(await law4()).toEqual([]);
    await tamper(
      database,
      `update closes set manifest = replace(manifest, 'manifest-1', 'manifest-2') where tenant_id = 'acme'`,
    );
    expect(await law4()).toHaveLength(1);
  });
});

describe('an incremental verify', () => {
  let ledger: { readonly database: TestDatabase; readonly drop: () => Promise<void> };
  beforeAll(async () => {
    ledger = await createDatabase();
    const { database } = ledger;
    await fillAndSeal(database);
    await checkLaws({ database, clock, checkStripe: null }, { scope: 'full', published: [] });
    await receiveEvents(database, [nativeEvent({ event_id: 'new' })]);
    const closing = { month: '2026-10', tenant_id: 'acme' };
    await closePeriods({ database, clock: () => parseInstant('2026-11-01T00:00:00Z') }, closing);
    await database.pool.query(
      `insert into push_intents (tenant_id, period_start, sequence, identifier, meter, stripe_customer,
         value_micro, event_timestamp, state, created_at)
       select tenant_id, period_start, 1, 'spl-1', 'm', 'c', billable_micro, 0, 'confirmed', now() from closes`,
    );
    const november = { event_id: 'newer', occurred_at: '2026-11-02T00:00:00Z' };
    await receiveEvents(database, [nativeEvent(november)], '2026-11-02T00:00:01Z');
    await foldAll(database, systemClock);
    await sealAll(database, clock);
  });
  afterAll(() => ledger.drop());

  it('goes on from the last seal that was found sound, and leaves what was before to a full one', async () => {
    const database = await sealedLedger();
    await checkLaws(
      { database, clock: systemClock, checkStripe: null },
      { scope: 'full', published: [] },
    );
    await receiveEvents(database, [nativeEvent({ event_id: 'new' })]);
    const reports = await checkLaws(
      { database, clock: systemClock, checkStripe: null },
      { scope: 'incremental', published: [] },
    );
    const law = (number: number) => reports.find((report) => report.law === number);
    expect(law(8)).toMatchObject({ checked: 1, range: 'entries, seals 4 to 4', violations: [] });
    expect([1, 2, 7].map((number) => law(number)?.checked)).toEqual([1, 1, 1]);

    await tamper(database, 'update entries set charge = charge + 1 where entry_id = 1000000');
    expect(await law8(database, 'incremental')).toEqual([]);
    expect((await law8(database))[0]).toMatch(/^ent_1000000 was changed/);
  });

  it('names a change that was added to the journal past its queue, the new by each run and the old by a full one', async () => {
    const database = await sealedLedger();
    const added = (of: string) =>
      `insert into changes (of_table, row_key, kept, act, actor)
       values ('tenants', '{"tenant_id": "${of}"}', '{}', 'tenant set', 'cfo@corp.example')`;
    await checkLaws(
      { database, clock: systemClock, checkStripe: null },
      { scope: 'full', published: [] },
    );
    await database.pool.query(added('ghost'));
    await receiveEvents(database, [nativeEvent({ event_id: 'new', tenant_id: 'newcomer' })]);
    const ghost = expect.stringMatching(
      /^change \d+, of tenants {"tenant_id": "ghost"}, has no seal, and waits for none$/,
    );
    expect(await law8(database, 'incremental')).toEqual([ghost]);
    expect(await law8(database)).toEqual([ghost]);

    await tamper(database, "delete from changes where row_key ->> 'tenant_id' = 'ghost'");
    expect(await law8(database)).toEqual([]);
    // A stolen worker may take from the queue what is not sealed yet.
    await database.pool.query("update tenants set name = 'x' where tenant_id = 'newcomer'");
    await tamper(database, 'delete from change_queue');
    expect(await law8(database, 'incremental')).toEqual([
      expect.stringContaining('of tenants {"tenant_id": "newcomer"}, has no seal'),
    ]);
  });

  it('looks again at what it found broken, until it holds', async () => {
    const database = await sealedLedger();
    await checkLaws(
      { database, clock: systemClock, checkStripe: null },
      { scope: 'full', published: [] },
    );
    await receiveEvents(database, [nativeEvent({ event_id: 'new' })]);
    await sealAll(database, clock);
    await tamper(database, 'update entries set charge = charge + 1 where entry_id = 4000000');
    for (let run = 0; run < 2; run += 1) {
      const reports = await checkLaws(
        { database, clock: systemClock, checkStripe: null },
        { scope: 'incremental', published: [] },
      );
      const broken = reports.filter((report) => report.violations.length > 0);
      expect(broken.map((report) => report.law)).toEqual([7, 8, 9]);
      for (const report of broken)
        expect(report.violations.join(), `law ${report.law}`).toMatch(/4000000|batch 4|acme/);
    }
  });

  it.each([
    [1, 'a receipt', 'update receipts set received = received + 1 where batch_id = 5'],
    [2, 'the share of a member', 'update entries set call_share = 1 where entry_id = 5000000'],
    [3, 'a close', 'update closes set entries = entries + 1'],
    [4, 'a manifest', "update closes set manifest = replace(manifest, 'gpt', 'gtp')"],
    [5, 'an intent', 'update push_intents set value_micro = value_micro + 1'],
    [7, 'an amount', 'update entries set cost = cost + 1 where entry_id = 5000000'],
    [8, 'a seal', "update seals set sealed_at = 'epoch' where seal_number = 5"],
    [9, 'an old rollup', "update usage_rollups set charge = charge + 1 where day < '2026-11-01'"],
    [9, 'a run rollup', 'delete from run_usage'],
    [9, "a new batch's row", 'update batches set charge = charge + 1 where batch_id = 5'],
    [11, 'an intent, whose change went with it', 'delete from push_intents'],
    [11, 'a period', "update periods set time_zone = 'Asia/Tokyo'"],
    [11, 'who pays', "update tenants set stripe_customer = 'cus_else'"],
  ])('finds by law %i that %s was changed', async (law, _, statement) => {
    const reports = await undone(ledger.database, async (inside) => {
      await tamper(inside, statement);
      const parts = { database: inside, clock: systemClock, checkStripe: null };
      return checkLaws(parts, { scope: 'incremental', published: [] });
    });
    const broken = reports.filter((report) => report.violations.length > 0);
    expect(broken.map((report) => report.law)).toContain(law);
  });
});
