import { systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { makeSource, SOURCE } from '../bench/bench-rounds.ts';
import { startServers } from '../bench/bench-servers.ts';
import { fillLedger } from '../bench/fill-ledger.ts';
import { readServerCpu } from './server-cpu.ts';

/**
 * What closing a month takes: `node test/long/close-at-scale.ts [entries] [tenants] [address of a Postgres]`. On the
 * Postgres of an address the ledger stays. All tenants close two months, the first with a tenth of the entries, so that
 * what a tenant costs is told from what an entry costs. Before and after each close one statement that only sums the same
 * entries by their tenant runs as a yardstick, so that what else the machine does falls on both. Seconds of the processor
 * say more than those of the clock where it does much.
 */
const entries = Number(process.argv[2] ?? 1_000_000);
const tenants = Number(process.argv[3] ?? 10_000);
const FEW = '2025-05';
const MANY = '2025-06';

const servers = await startServers(process.argv[4] ?? null);
const sizes = { packed: 20_000, single: 0, insert: 0, usual: 0 };
await makeSource(servers, { rounds: 1, roundSeconds: 0, sizes, onProgress: () => {} });
const url = servers.urlOf(SOURCE);
const database = openDatabase({ url, connections: 4, onConnectionLost: () => {} });
try {
  await fill(FEW, Math.round(entries / 10));
  await fill(MANY, entries);
  const few = await measuredClose(database, FEW);
  const many = await measuredClose(database, MANY);
  const micros = ((many.cpu - few.cpu) * 1e6) / (many.entries - few.entries);
  const millis = ((few.cpu - (micros * few.entries) / 1e6) * 1e3) / few.tenants;
  console.log(
    `both together: ${millis.toFixed(2)} ms of CPU a tenant and ${micros.toFixed(1)} µs an entry`,
  );
} finally {
  await closeDatabase(database);
  await servers.stop();
}

function fill(month: string, of: number): Promise<void> {
  return fillLedger(url, { entries: of, tenants, month, onProgress: () => {} });
}

interface Spent {
  readonly seconds: number;
  readonly node: number;
  readonly postgres: number;
}

async function measuredClose(on: Database, month: string) {
  const before = await spentOn(on, () => sumByTenant(on, month));
  const close = await spentOn(on, () => closeAll(on, month));
  const after = await spentOn(on, () => sumByTenant(on, month));
  const closed = await countClosed(on, month);
  const cpu = close.node + close.postgres;
  const bare = (before.postgres + after.postgres) / 2;
  console.log(
    `${closed.tenants.toLocaleString('en-US')} tenants with ${closed.entries.toLocaleString('en-US')} entries closed in ${close.seconds.toFixed(1)} s, with ${close.node.toFixed(1)} s of CPU in Node and ${close.postgres.toFixed(1)} s in Postgres: ${((cpu * 1e3) / closed.tenants).toFixed(2)} ms a tenant, ${((cpu * 1e6) / closed.entries).toFixed(1)} µs an entry, and ${(cpu / bare).toFixed(1)} times their bare sums by tenant (${before.postgres.toFixed(2)} s before, ${after.postgres.toFixed(2)} s after); ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`,
  );
  return { ...closed, cpu };
}

async function spentOn(on: Database, work: () => Promise<void>): Promise<Spent> {
  const serverBefore = await readServerCpu(on);
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - startedAt) / 1000;
  const postgres = (await readServerCpu(on)) - serverBefore;
  return { seconds, node: (user + system) / 1e6, postgres };
}

async function closeAll(on: Database, month: string): Promise<void> {
  const answers = await closePeriods(
    { database: on, clock: systemClock },
    { month, tenant_id: null },
  );
  const other = answers.find(({ state }) => state !== 'closed');
  if (other !== undefined) throw new Error(`not all were closed: ${JSON.stringify(other)}`);
}

async function sumByTenant(on: Database, month: string): Promise<void> {
  await on.pool.query(
    `select tenant_id, count(*), sum(charge), sum(cost), sum(output_tokens) from entries
     where period_start = $1 group by tenant_id`,
    [`${month}-01`],
  );
}

async function countClosed(on: Database, month: string) {
  const { rows } = await on.pool.query<{ tenants: number; entries: number }>(
    'select count(*)::int as tenants, sum(entries)::int as entries from closes where period_start = $1',
    [`${month}-01`],
  );
  return rows[0] ?? { tenants: 0, entries: 0 };
}
