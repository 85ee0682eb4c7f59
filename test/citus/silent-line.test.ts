import { describe, expect, it } from 'vitest';
import { isDatabaseAway } from '../../src/database/database.ts';
import { freshDatabase, reopen } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { CLUSTER_IS_SLOW_MS, hasCluster } from '../support/two-sides.ts';

const SHORT = { silentMs: 600, answerMs: 10_000 };

/** Each asks the shards, and the coordinator waits for them as it would for us. */
const LONG = {
  'one statement of a node': `select count(*) from entries where pg_sleep(4)::text = ''`,
  'many short ones of the nodes': `do $$ begin for i in 1..400 loop
    perform count(*) from entries where pg_sleep(0.01)::text = ''; end loop; end $$`,
};

describe.skipIf(!hasCluster)('a line to a cluster that is silent', () => {
  it.each(Object.entries(LONG))(
    'is waited for while the nodes work: %s',
    {
      timeout: CLUSTER_IS_SLOW_MS,
    },
    async (_, statement) => {
      const database = await freshDatabase();
      await importBooks(database, 'standard', 'cost');
      await makeTenant(database, 'acme');
      await receiveEvents(database, [nativeEvent({ event_id: 'a', tenant_id: 'acme' })]);
      const near = reopen(database.url, 2, SHORT);
      await near.pool.query(statement);
    },
  );

  it('is given up where the network lost the answer of the nodes', {
    timeout: CLUSTER_IS_SLOW_MS,
  }, async () => {
    const database = await freshDatabase();
    const url = new URL(database.url);
    const proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) });
    url.port = String(proxy.port);
    const near = reopen(url.href, 4, SHORT);
    const client = await near.pool.connect();
    client.on('error', () => {});
    await client.query('begin; select count(*) from entries');
    proxy.swallowOpen();
    const error = await client
      .query('select count(*) from structure_spans')
      .catch((failed: unknown) => failed);
    client.release(true);
    expect(isDatabaseAway(error)).toBe(true);
  });
});
