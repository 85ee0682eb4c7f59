import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeDatabase, type Database, openDatabase } from '../../src/database/database.ts';
import { DISTRIBUTED } from '../../src/database/distribute.ts';
import { migrateDatabase } from '../../src/database/migrate-database.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { type Login, makeLogin } from '../support/login.ts';
import { CLUSTER_IS_SLOW_MS, hasCluster } from '../support/two-sides.ts';
import { brokenLaws } from '../support/worker.ts';

/** Every view through which a tenant reads, each with a column that says whose a row is. */
const VIEWS = [
  ...['tenant.entries', 'tenant.periods', 'wall.entries', 'wall.structure_spans'],
  ...['wall.usage_rollups', 'wall.run_rollups', 'wall.charge_shares', 'wall.shown_periods'],
];

const DENIED = /permission denied/;

describe.skipIf(!hasCluster)("a tenant's own login on a cluster", () => {
  let owner: TestDatabase;
  let drop: () => Promise<void>;
  let login: Login;
  let acme: Database;

  beforeAll(async () => {
    ({ database: owner, drop } = await createDatabase());
    await importBooks(owner, 'standard', 'cost');
    for (const tenant of ['acme', 'globex']) {
      await makeTenant(owner, tenant);
      const run = { tenant_id: tenant, agent_run_id: `run of ${tenant}`, trace_id: tenant };
      await receiveEvents(owner, [
        nativeEvent({ ...run, event_id: 'call', span_id: 'b', parent_span_id: 'a' }),
        nativeEvent({ ...run, event_id: 'agent', operation: 'invoke_agent', span_id: 'a' }),
      ]);
    }
    await foldAll(owner, () => Date.parse('2026-10-25T00:00:00Z'));
    await migrateDatabase({ database: owner }, { citus: true, roles: true });
    login = await makeLogin(owner, 'spanledger_tenant');
    await owner.pool.query(`insert into tenant_logins values ($1, 'acme')`, [login.name]);
    acme = openDatabase({ url: login.url, connections: 1, onConnectionLost() {} });
  }, CLUSTER_IS_SLOW_MS);

  afterAll(async () => {
    if (!hasCluster) return;
    await closeDatabase(acme);
    await login.drop();
    await drop();
  }, CLUSTER_IS_SLOW_MS);

  const ask = async (statement: string) => (await acme.pool.query(statement)).rows;

  it.each(VIEWS)(
    'sees in %s its own rows alone, whatever it sets and whichever role it takes',
    async (view) => {
      const own = [{ tenant_id: 'acme' }];
      const tenants = `select distinct tenant_id from ${view}`;
      expect(await ask(tenants)).toEqual(own);
      await ask(`set spanledger.tenant = 'globex'`);
      expect(await ask(tenants)).toEqual(own);
      for (const role of ['spanledger_tenant', 'none']) {
        await ask(`set role ${role}`);
        expect(await ask(tenants)).toEqual(own);
      }
      await ask('reset spanledger.tenant');
    },
  );

  it('reads no distributed table itself, nor a shard on a node that it reaches through the coordinator', async () => {
    for (const table of DISTRIBUTED) {
      await expect(ask(`select * from ${table}`)).rejects.toThrow(DENIED);
      const shards = await ask(
        `select success, result from run_command_on_placements('${table}', 'select tenant_id from %s limit 1')`,
      );
      expect(shards.length).toBeGreaterThan(1);
      for (const { success, result } of shards)
        expect([success, result]).toEqual([false, expect.stringMatching(DENIED)]);
    }
  });

  it('finds on the nodes nothing that reads as the owner does', async () => {
    for (const statement of [
      'select count(*) from tenant.entries',
      'select count(*) from wall.entries',
      'select count(*) from own_entries()',
      'select count(*) from own_runs()',
    ]) {
      const answers = await ask(
        `select success, result from run_command_on_workers('${statement}')`,
      );
      expect(answers.length).toBeGreaterThan(0);
      for (const { success, result } of answers)
        expect([success, result]).toEqual([false, expect.stringMatching('does not exist')]);
    }
  });

  it('sees nothing any more once it is taken out of the logins', async () => {
    await owner.pool.query('delete from tenant_logins');
    for (const view of VIEWS) expect(await ask(`select tenant_id from ${view}`)).toEqual([]);
    await owner.pool.query(`insert into tenant_logins values ($1, 'acme')`, [login.name]);
  });

  it('loses with --roles what a version before left on the nodes', async () => {
    await onWorkers(`do $$ begin
      perform set_config('citus.enable_ddl_propagation', 'off', true);
      create function own_spans() returns setof structure_spans language plpgsql stable security definer
        as 'begin return query select * from structure_spans; end';
      create schema if not exists wall;
      create view wall.structure_spans as select tenant_id from own_spans();
    end $$`);
    expect(await brokenLaws(owner, { withSchema: true })).not.toEqual([]);
    await migrateDatabase({ database: owner }, { citus: false, roles: true });
    expect(await brokenLaws(owner, { withSchema: true })).toEqual([]);
  });

  it('is not let in where shards are open to everybody: --roles refuses and names the nodes, and so does law 12', async () => {
    const openOnes = /the node \S+ lets a tenant's login read entries_\d+/;
    await onShards('grant select (cost) on %s to public');
    await expect(
      migrateDatabase({ database: owner }, { citus: false, roles: true }),
    ).rejects.toThrow(openOnes);
    expect(JSON.stringify(await brokenLaws(owner, { withSchema: true }))).toMatch(openOnes);
    await onShards('revoke select (cost) on %s from public');
    await migrateDatabase({ database: owner }, { citus: false, roles: true });
    expect(await brokenLaws(owner, { withSchema: true })).toEqual([]);
  });

  /** By hand, as somebody does who logs in there. */
  async function onWorkers(statement: string): Promise<void> {
    const { rows } = await owner.pool.query(
      'select success, result from run_command_on_workers($1)',
      [statement],
    );
    for (const row of rows) expect(row).toMatchObject({ success: true });
  }

  async function onShards(statement: string): Promise<void> {
    const { rows } = await owner.pool.query(
      "select success from run_command_on_placements('entries', $1)",
      [statement],
    );
    for (const row of rows) expect(row).toEqual({ success: true });
  }
});
