import pg from 'pg';
import { encodeBodies } from '../../../src/client/message-body.ts';
import { nativeEvent } from '../../support/ledger.ts';
import type { ActorOptions } from './actor.ts';
import { Bridge, MONTH } from './bridge.ts';
import { goThrough } from './trouble.ts';
import { startUnderLoad } from './under-load.ts';
import { judgeEnd } from './watch.ts';

/** The heap that the documentation names as enough for a worker. */
const HEAP: ActorOptions = { node: ['--max-old-space-size=112'] };

/** Little memory for the processes, heavy packs, and a Postgres that has no connection or no memory to give. */
export async function memoryShort(random: () => number): Promise<readonly string[]> {
  const settings = { max_connections: '30', restart_after_crash: 'on' };
  const bridge = await Bridge.build({ settings }, random);
  try {
    await startUnderLoad(bridge, { all: HEAP });
    const heavy = await goThrough(bridge, {
      name: 'forty packs of four thousand events',
      make: () => sendHeavy(bridge, 40),
      mend: () => {},
      ...{ lastsMs: 60_000, says: {}, stopsReceiving: false },
    });
    const tooMuch = bridge.actors.flatMap(({ name, exits }) =>
      exits.length === 0 ? [] : [`${name} ended by itself: ${exits.join(', ')}`],
    );
    return [
      ...heavy,
      ...tooMuch,
      ...(await withoutConnections(bridge)),
      ...(await withoutMemory(bridge)),
      ...(await killedBackend(bridge)),
      ...(await killedProcesses(bridge)),
      ...(await judgeEnd(bridge)),
    ];
  } finally {
    await bridge.close();
  }
}

/** Packs of many events in few bytes, each within every bound. */
function sendHeavy(bridge: Bridge, packs: number): void {
  for (let pack = 0; pack < packs; pack += 1) {
    const events = Array.from({ length: 4_000 }, (_, index) => {
      const event_id = `heavy-${pack}-${index}`;
      const tags = { padding: 'x'.repeat(200) };
      const occurred_at = `${MONTH}-10T12:00:00Z`;
      const event = nativeEvent({ event_id, occurred_at, tenant_id: `t${index % 8}`, tags });
      return { id: event_id, json: JSON.stringify(event) };
    });
    for (const { body, events: inIt } of encodeBodies(events, 'zstd')) {
      const { messageId } = bridge.queue.sendMessage('usage', body);
      const ids = inIt.map(({ id }) => id);
      bridge.load.messages.set(messageId, ids);
      for (const id of ids) {
        bridge.load.accepted.add(id);
        bridge.load.offered.add(id);
      }
    }
  }
}

/** Everybody else's connections are taken, and those of the bridge are ended. */
async function withoutConnections(bridge: Bridge): Promise<readonly string[]> {
  const taken: pg.Client[] = [];
  const takeAll = async () => {
    for (;;) {
      const client = new pg.Client({ connectionString: bridge.postgres.url });
      client.on('error', () => {});
      try {
        await client.connect();
        taken.push(client);
      } catch {
        return;
      }
    }
  };
  const own = "select pid from pg_stat_activity where backend_type = 'client backend'";
  return goThrough(bridge, {
    name: 'Postgres takes no more connections',
    async make() {
      await takeAll();
      const mine = taken.map((client) => Reflect.get(client, 'processID'));
      const { rows } = await bridge.database.pool.query<{ pid: number }>(own);
      for (const { pid } of rows) {
        if (mine.includes(pid)) continue;
        await bridge.database.pool
          .query('select pg_terminate_backend($1) where $1 <> pg_backend_pid()', [pid])
          .catch(() => {});
        await takeAll();
      }
    },
    mend: () => Promise.all(taken.map((client) => client.end())),
    ...{ lastsMs: 30_000, stopsReceiving: true },
    says: {
      worker: /takes no more connections|too many clients|slots are reserved|timeout exceeded/,
    },
  });
}

/** New processes of the server get no memory beyond what they begin with. */
function withoutMemory(bridge: Bridge): Promise<readonly string[]> {
  return goThrough(bridge, {
    name: 'Postgres has no memory',
    async make() {
      await bridge.postgres.limitMemory(true);
    },
    mend: () => bridge.postgres.limitMemory(false),
    ...{ lastsMs: 30_000, stopsReceiving: false },
    says: { worker: /short of memory|out of memory|receiving stopped|fork/ },
  });
}

/** The kernel ends a process of the server, and the server ends all others and recovers. */
function killedBackend(bridge: Bridge): Promise<readonly string[]> {
  return goThrough(bridge, {
    name: 'a process of Postgres is killed',
    async make() {
      const { rows } = await bridge.database.pool.query<{ pid: number }>(
        `select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() limit 1`,
      );
      for (const { pid } of rows) process.kill(pid, 'SIGKILL');
    },
    mend: () => {},
    ...{
      lastsMs: 10_000,
      says: { worker: /receiving stopped|connection lost/ },
      stopsReceiving: false,
    },
  });
}

/** The kernel ends the processes of the bridge, and whoever runs them starts them again. */
function killedProcesses(bridge: Bridge): Promise<readonly string[]> {
  return goThrough(bridge, {
    name: 'worker and servers are killed for their memory',
    make: () => {
      for (const { pid, exits } of bridge.actors) {
        exits.length = 0;
        process.kill(pid, 'SIGKILL');
      }
    },
    mend: () => {},
    ...{ lastsMs: 20_000, says: {}, stopsReceiving: false },
  });
}
