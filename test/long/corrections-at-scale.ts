import { systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { reattributeEntries } from '../../src/ledger/corrections/reattribute-entries.ts';
import { rerateMonth } from '../../src/ledger/corrections/rerate-month.ts';
import { parsePriceBook } from '../../src/rating/books/price-book-document.ts';
import { importPriceBook } from '../../src/rating/books/price-book-store.ts';
import { benchPriceBooks } from '../bench/bench-events.ts';
import { makeSource, SOURCE } from '../bench/bench-rounds.ts';
import { startServers } from '../bench/bench-servers.ts';
import { fillLedger } from '../bench/fill-ledger.ts';
import { readServerCpu } from './server-cpu.ts';

/**
 * What correcting many entries takes, beside a bare copy of the same rows into an equal table inside Postgres, before and
 * after it, so that what else the machine does falls on both. `rerate` prices a month anew of which every price is
 * another now; `reattribute` moves as many calls that name no tenant to one:
 * `node test/long/corrections-at-scale.ts rerate|reattribute [entries]`.
 */
const ACTS = { rerate, reattribute } as const;
const what = process.argv[2] as keyof typeof ACTS;
if (!(what in ACTS))
  throw new Error(`say what is to be measured: ${Object.keys(ACTS).join(' or ')}`);
const entries = Number(process.argv[3] ?? 240_000);
const TENANTS = 200;
const MONTH = '2025-06';
const NOTE = { reason: 'as measured', actor: 'bench' };

const servers = await startServers();
const sizes = { packed: 20_000, single: 0, insert: 0, usual: 0 };
await makeSource(servers, { rounds: 1, roundSeconds: 0, sizes, onProgress: () => {} });
const url = servers.urlOf(SOURCE);
const database = openDatabase({ url, connections: 8, onConnectionLost: () => {} });
try {
  const unattributed = what === 'reattribute';
  const fill = { entries, tenants: TENANTS, month: MONTH, unattributed, onProgress: () => {} };
  await fillLedger(url, fill);
  const before = await bareCopy(database);
  const { seconds, cpuSeconds, serverSeconds, shares } = await measured(database, ACTS[what]);
  const after = await bareCopy(database);
  const bare = (before + after) / 2;
  console.log(
    `${what} of ${entries.toLocaleString('en-US')} entries: ${seconds.toFixed(1)} s, ${(seconds / bare).toFixed(1)} times a bare copy of their corrections (${before.toFixed(1)} s before, ${after.toFixed(1)} s after); CPU of an entry ${microseconds(cpuSeconds)} µs in Node, ${microseconds(serverSeconds)} in Postgres`,
  );
  console.table(shares);
} finally {
  await closeDatabase(database);
  await servers.stop();
}

function microseconds(seconds: number): string {
  return ((seconds * 1e6) / entries).toFixed(0);
}

async function rerate(on: Database): Promise<() => Promise<unknown>> {
  await raisePrices(on);
  const request = { month: MONTH, tenant_id: null, dry_run: false, ...NOTE };
  return () => rerateMonth({ database: on, clock: systemClock }, request);
}

async function reattribute(on: Database): Promise<() => Promise<unknown>> {
  const of = { entry_ids: [], user_id: null, feature: null, agent_run_id: null };
  const request = { ...of, tenant_id: 'tenant-000000', ...NOTE };
  return () => reattributeEntries({ database: on, clock: systemClock }, request);
}

/** Every charge of the month is another by a version that holds from its begin. */
async function raisePrices(on: Database): Promise<void> {
  for (const book of benchPriceBooks()) {
    if (book.kind !== 'charge') continue;
    const models = book.models.map((model) => ({
      ...model,
      per_million: { ...model.per_million, input: `1${model.per_million?.input}` },
    }));
    const raised = { ...book, effective_from: `${MONTH}-01T00:00:00Z`, models };
    await importPriceBook(on, parsePriceBook(raised), systemClock());
  }
}

/** As many rows as the corrections have, copied by one statement into a table with the indexes of the ledger. */
async function bareCopy(on: Database): Promise<number> {
  await on.pool.query('create table bench.copied (like entries including all)');
  const startedAt = performance.now();
  await on.pool.query(
    `insert into bench.copied select * from entries order by entry_id limit ${entries}`,
  );
  const seconds = (performance.now() - startedAt) / 1000;
  await on.pool.query('drop table bench.copied');
  // Each entry has two corrections.
  return 2 * seconds;
}

/** Whatever Postgres is doing is looked at twenty times a second, by kind. */
async function measured(on: Database, act: (on: Database) => Promise<() => Promise<unknown>>) {
  const run = await act(on);
  const shares: Record<string, number> = {};
  const sample = async () => {
    const { rows } = await on.pool.query<{ what: string }>(
      `select left(regexp_replace(query, '\\s+', ' ', 'g'), 40) as what from pg_stat_activity
       where datname = current_database() and state = 'active' and pid <> pg_backend_pid()`,
    );
    for (const { what } of rows) shares[what] = (shares[what] ?? 0) + 1;
  };
  const timer = setInterval(() => void sample(), 50);
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  const serverCpu = await readServerCpu(on);
  await run();
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(timer);
  return {
    seconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: (user + system) / 1e6,
    serverSeconds: (await readServerCpu(on)) - serverCpu,
    shares,
  };
}
