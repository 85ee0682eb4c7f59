import pg from 'pg';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { present } from '../../src/present.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import { freshDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { CLUSTER_IS_SLOW_MS, hasCluster } from '../support/two-sides.ts';

/** A session on the first node that keeps shards of a database, as the coordinator opens one. */
async function onNode(name: string): Promise<pg.Client> {
  const { coordinator, workers } = present(inject('cluster'), 'a cluster');
  const node = present(workers[0], 'a worker');
  const url = new URL(coordinator);
  url.hostname = node.host;
  url.port = String(node.port);
  url.pathname = `/${name}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

describe.skipIf(!hasCluster)('what is prepared on a node and not committed there yet', () => {
  it.each([
    ['folding', foldAll, 'fold_queue'],
    ['sealing', sealAll, 'seal_queue'],
  ] as const)('is waited for by %s', { timeout: CLUSTER_IS_SLOW_MS }, async (_, work, queue) => {
    const database = await freshDatabase();
    await importBooks(database, 'standard', 'cost');
    await makeTenant(database, 'acme');
    await receiveEvents(database, [nativeEvent({ event_id: 'a', tenant_id: 'acme' })]);
    const node = await onNode(database.name);
    // A group that no coordinator has, so that none ends it.
    const id = `citus_99_${process.pid}_1_0`;
    await node.query(`begin; select pg_current_xact_id(); prepare transaction '${id}'`);

    let hasEnded = false;
    const ended = work(database, systemClock).then(() => {
      hasEnded = true;
    });
    const waits = `select 1 from pg_stat_activity
        where datname = current_database() and query ~ 'await_shards' and pid <> pg_backend_pid() and state = 'active'`;
    await expect.poll(() => textRows(database, waits), { timeout: 30_000 }).toHaveLength(1);
    expect(hasEnded).toBe(false);
    expect(await textRows(database, `select 1 from ${queue}`)).not.toEqual([]);

    await node.query(`commit prepared '${id}'`);
    await ended;
    expect(await textRows(database, `select 1 from ${queue}`)).toEqual([]);
  });
});
