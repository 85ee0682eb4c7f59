import { startHttpServer } from '../../src/api/http-server.ts';
import { systemClock } from '../../src/clock.ts';
import { openDatabase } from '../../src/database/database.ts';
import { createKey } from '../../src/keys/create-key.ts';
import { openLog } from '../../src/log.ts';

/** A server in a process of its own, as `serve` starts one; its arguments are a database and how many connections. */
const [, , url = '', connections = ''] = process.argv;
const database = openDatabase({ url, connections: Number(connections), onConnectionLost() {} });
const parts = {
  database,
  clock: systemClock,
  log: openLog('silent'),
  reading: { litellmKey: null },
};
const server = await startHttpServer({
  ...{ parts, webhook: null, keeper: null },
  ...{ host: '127.0.0.1', port: 0 },
});
const { key } = await createKey(parts, {
  ...{ role: 'ingest', name: null, tenant_id: null, source: null, tenant_ids: null },
  ...{ rate: null, expires_at: null, expires_in_days: null, actor: 'a benchmark' },
});
process.send?.({ url: server.url, key });
process.once('disconnect', () => process.exit());
