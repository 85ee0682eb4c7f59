import { checkLaws } from '../../src/audit/laws/check-laws.ts';
import { systemClock } from '../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { makeSource, runOn, SOURCE } from '../bench/bench-rounds.ts';
import { type Servers, startServers } from '../bench/bench-servers.ts';
import { connect } from '../bench/fill-ledger.ts';
import { multiplyLedger } from '../bench/multiply-ledger.ts';
import { randomIds } from '../bench/worker-growing.ts';

/**
 * What a full verify of a large ledger takes, and then an incremental one of what an hour brings:
 * `node test/long/verify-at-scale.ts [entries] [address of a Postgres]`. On the Postgres of an address the ledger stays,
 * and is taken as it is by the next run.
 */
const entries = Number(process.argv[2] ?? 20_000_000);
const given = process.argv[3] ?? null;
const TENANTS = 10_000;
const MONTHS = ['2025-09', '2025-10', '2025-11', '2025-12'] as const;
/** About what an hour brings of twenty million entries a month. */
const HOUR_ENTRIES = 28_000;
const DAY_MS = 86_400_000;
const LEDGER = `bench_verify_${entries}`;

const servers = await startServers(given);
try {
  await fillOnce(servers);
  await measured('full');
  const entriesBefore = await servers.countEntries(LEDGER);
  await runOn(servers, randomIds, {
    events: HOUR_ENTRIES,
    database: LEDGER,
    entriesBefore,
    seed: entriesBefore,
  });
  await measured('incremental');
} finally {
  await servers.stop();
}

/** A filling that was broken off is begun anew. */
async function fillOnce(on: Servers): Promise<void> {
  if (await on.hasDatabase(LEDGER)) return;
  const filling = `${LEDGER}_filling`;
  const sizes = { packed: 20_000, single: 0, insert: 0, usual: 0 };
  await makeSource(on, { rounds: 1, roundSeconds: 0, sizes, onProgress: tell });
  await on.copyDatabase(SOURCE, filling);
  const url = on.urlOf(filling);
  await withoutDurability(url, async () => {
    const to = { entries, tenants: TENANTS, months: MONTHS, sealed: true, onProgress: tell };
    await multiplyLedger(url, to);
    tell(`closing ${MONTHS[0]}`);
    await close(url, MONTHS[0]);
  });
  await on.renameDatabase(filling, LEDGER);
}

/** Of a ledger that is broken off nothing is kept, so that it need not be on disk before it is whole. */
async function withoutDurability(url: string, fill: () => Promise<void>): Promise<void> {
  const client = await connect(url);
  const set = async (acts: readonly string[]) => {
    for (const act of acts) await client.query(`alter system ${act}`);
    await client.query('select pg_reload_conf()');
  };
  const names = ['fsync', 'full_page_writes', 'synchronous_commit'];
  await set([...names.map((name) => `set ${name} = off`), "set max_wal_size = '8GB'"]);
  await fill();
  await set([...names, 'max_wal_size'].map((name) => `reset ${name}`));
  await client.query('checkpoint');
  await client.end();
}

/** A day ago, so that the run of an hour does not look at closes again: they are there for a full one. */
async function close(url: string, month: string): Promise<void> {
  const database = openDatabase({ url, connections: 4, onConnectionLost() {} });
  await closePeriods({ database, clock: () => systemClock() - DAY_MS }, { month, tenant_id: null });
  await closeDatabase(database);
}

async function measured(scope: 'full' | 'incremental'): Promise<void> {
  const url = servers.urlOf(LEDGER);
  const database = openDatabase({ url, connections: 8, onConnectionLost() {} });
  const startedAt = performance.now();
  const reports = await checkLaws(
    { database, clock: systemClock, checkStripe: null },
    { scope, published: [] },
  );
  const seconds = (performance.now() - startedAt) / 1000;
  await closeDatabase(database);
  const broken = reports.filter(({ violations }) => violations.length > 0);
  if (broken.length > 0) throw new Error(JSON.stringify(broken));
  const all = (await servers.countEntries(LEDGER)).toLocaleString('en-US');
  tell(`verify, ${scope}, of ${all} entries: ${seconds.toFixed(1)} s`);
}

function tell(text: string): void {
  console.log(text);
}
