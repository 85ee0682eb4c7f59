import { checkLaws } from '../../src/audit/laws/check-laws.ts';
import { systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { makeSource, SOURCE } from '../bench/bench-rounds.ts';
import { startServers } from '../bench/bench-servers.ts';
import { fillLedger } from '../bench/fill-ledger.ts';

/**
 * What a full and an incremental verify take as the ledger grows, a million entries at a time by default:
 * `node test/long/verify-at-scale.ts [entries a step] [steps]`. A full run should cost the same for each
 * entry at every size, and an incremental one the same at every size.
 */
const step = Number(process.argv[2] ?? 1_000_000);
const steps = Number(process.argv[3] ?? 3);
const TENANTS = 2_000;
/** About what an hour brings of twenty million entries a month. */
const HOUR_ENTRIES = 28_000;
const FIRST_YEAR = 2000;

const servers = await startServers();
const sizes = { packed: 20_000, single: 0, insert: 0, usual: 0 };
await makeSource(servers, { rounds: 1, roundSeconds: 0, sizes, onProgress: () => {} });
const url = servers.urlOf(SOURCE);
const database = openDatabase({ url, connections: 8, onConnectionLost: () => {} });
try {
  for (let done = 0; done < steps; done += 1) {
    await fill(`${FIRST_YEAR + done}-01`, step);
    await measured(database, 'full');
    await fill(`${FIRST_YEAR + done}-02`, HOUR_ENTRIES);
    await measured(database, 'incremental');
  }
} finally {
  await closeDatabase(database);
  await servers.stop();
}

function fill(month: string, entries: number): Promise<void> {
  return fillLedger(url, { entries, tenants: TENANTS, month, onProgress: () => {} });
}

async function measured(on: Database, scope: 'full' | 'incremental'): Promise<void> {
  const entries = await servers.countEntries(SOURCE);
  const startedAt = performance.now();
  const reports = await checkLaws(
    { database: on, clock: systemClock, checkStripe: null },
    { scope, published: [] },
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const broken = reports.filter(({ violations }) => violations.length > 0);
  if (broken.length > 0) throw new Error(JSON.stringify(broken));
  const each = (seconds * 1e6) / (scope === 'full' ? entries : HOUR_ENTRIES);
  console.log(
    `${entries.toLocaleString('en-US')} entries, ${scope}: ${seconds.toFixed(1)} s, ${each.toFixed(1)} µs each`,
  );
}
