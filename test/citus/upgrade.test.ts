import { describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { distribute } from '../../src/database/distribute.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { freshDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { CLUSTER_IS_SLOW_MS, hasCluster } from '../support/two-sides.ts';

/** What a migration does to a table whose rows are on shards, in one text as the files of migrations are; it reads first. */
const MIGRATION = `
  insert into exchange_rollups select tenant_id, period_start, period_start, 1, count(*) from entries_of_ledger()
    group by 1, 2, 3;
  alter table entries add column region text collate "C", add column hops bigint not null default 0;
  alter table structure_spans add column region text;
  alter table entries drop constraint entries_attempt_check;
  alter table entries add constraint entries_attempt_check check (attempt between 1 and 9);
  create index entries_by_region on entries (tenant_id, region) where region is not null;
  drop index entries_converted;
  alter table entries set (autovacuum_vacuum_insert_threshold = 77);
  create function twice(amount bigint) returns bigint language sql immutable as $$ select amount * 2 $$;`;

describe.skipIf(!hasCluster)('a distributed ledger', () => {
  it('takes a migration: its shards get the columns, checks, indexes and functions, and go on posting', {
    timeout: CLUSTER_IS_SLOW_MS,
  }, async () => {
    const database = await freshDatabase();
    await importBooks(database, 'standard', 'cost');
    await makeTenant(database, 'bolt');
    await receiveEvents(database, [nativeEvent({ event_id: 'before', tenant_id: 'bolt' })]);
    // Views over whole rows stand in the way of a column with a default, as on one Postgres.
    await apply(database, `drop view batch_leaves, entry_leaves; ${MIGRATION}`);
    expect(await distribute(database)).toBe('already_distributed');
    await apply(
      database,
      'create or replace function twice(amount bigint) returns bigint language sql immutable as $$ select amount * 3 $$',
    );
    expect(await distribute(database)).toBe('already_distributed');

    await receiveEvents(database, [nativeEvent({ event_id: 'after', tenant_id: 'bolt' })]);
    await foldAll(database, () => Date.parse('2026-11-01T00:00:00Z'));
    const { rows } = await database.pool.query(
      `select count(*)::int as entries, sum(hops)::int as hops, count(region)::int as regions from entries
       where tenant_id = 'bolt' and twice(revision + 1) = 3`,
    );
    expect(rows).toEqual([{ entries: 2, hops: 0, regions: 0 }]);
    expect(await shardsOf(database)).toEqual([
      {
        checks: 'CHECK (((attempt >= 1) AND (attempt <= 9)))',
        indexes: '{entries_by_region_n}',
        threshold: '77',
      },
    ]);
  });

  it('takes the usage of runs from the coordinator where a version before left it there, and goes on adding to it', {
    timeout: CLUSTER_IS_SLOW_MS,
  }, async () => {
    const database = await freshDatabase();
    await importBooks(database, 'standard', 'cost');
    await makeTenant(database, 'bolt');
    const run = { tenant_id: 'bolt', agent_run_id: 'run-1', user_id: 'ada' };
    const post = async (event_id: string) => {
      await receiveEvents(database, [nativeEvent({ event_id, ...run })]);
      await foldAll(database, () => Date.parse('2026-11-01T00:00:00Z'));
    };
    const kept = () =>
      textRows(
        database,
        `select sum(entries) as entries, count(*) as rows, sum(charge) as charge from run_rollups
         where agent_run_id = 'run-1'`,
      );
    await post('one');
    await database.pool.query("select undistribute_table('run_usage')");
    await post('two');
    expect(await kept()).toEqual([{ entries: '2', rows: '1', charge: '8400000000' }]);
    expect(await distribute(database)).toBe('distributed');
    expect(await distribute(database)).toBe('already_distributed');
    await post('three');
    expect(await kept()).toEqual([{ entries: '3', rows: '1', charge: '12600000000' }]);
  });
});

/** Applies a text as `migrate` does. */
async function apply(database: Database, text: string): Promise<void> {
  const client = await database.pool.connect();
  try {
    await client.query(`begin; set local citus.enable_ddl_propagation to off; ${text}; commit`);
  } finally {
    client.release();
  }
}

/** How the shards of entries are, each form once. */
function shardsOf(database: Database) {
  return textRows(
    database,
    `select distinct result::jsonb ->> 'checks' as checks, result::jsonb ->> 'indexes' as indexes,
       result::jsonb ->> 'threshold' as threshold
     from run_command_on_placements('entries', $$ select jsonb_build_object(
       'checks', (select pg_get_constraintdef(oid) from pg_constraint
         where conrelid = '%1$s'::regclass and conname = 'entries_attempt_check'),
       'threshold', (select option_value from pg_class c cross join lateral pg_options_to_table(c.reloptions)
         where c.oid = '%1$s'::regclass and option_name = 'autovacuum_vacuum_insert_threshold'),
       'indexes', (select array_agg(regexp_replace(indexrelid::regclass::text, '\\d+$', 'n')) from pg_index
         where indrelid = '%1$s'::regclass and indexrelid::regclass::text ~ 'region|converted')::text) $$)`,
  );
}
