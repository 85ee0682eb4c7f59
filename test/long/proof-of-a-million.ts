import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { systemClock } from '../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { makeSource, SOURCE } from '../bench/bench-rounds.ts';
import { startServers } from '../bench/bench-servers.ts';
import { fillLedger } from '../bench/fill-ledger.ts';

/**
 * One tenant with a million entries in one month: its statement is proved as an auditor would do it, by the
 * command line. `node test/long/proof-of-a-million.ts [entries]`.
 */
const entries = Number(process.argv[2] ?? 1_000_000);
const MONTH = '2025-10';
const TENANT = 'tenant-000000';

const servers = await startServers();
const folder = await mkdtemp(join(tmpdir(), 'spanledger-proof-'));
try {
  const sizes = { packed: 20_000, single: 0, insert: 0, usual: 0 };
  await makeSource(servers, { rounds: 1, roundSeconds: 0, sizes, onProgress() {} });
  const url = servers.urlOf(SOURCE);
  await fillLedger(url, { entries, tenants: 1, month: MONTH, onProgress() {} });
  const database = openDatabase({ url, connections: 4, onConnectionLost() {} });
  await timed('close', () =>
    closePeriods({ database, clock: systemClock }, { month: MONTH, tenant_id: null }),
  );
  await closeDatabase(database);
  const file = join(folder, 'proof.json');
  await timed('statement --proof', () =>
    command(url, 'statement', TENANT, MONTH, '--proof', '--out', file),
  );
  console.log(`${Math.round((await stat(file)).size / 2 ** 20)} MiB`);
  await timed('prove', () => command(url, 'prove', file));
} finally {
  await rm(folder, { recursive: true });
  await servers.stop();
}

/** As a person would run it; its words are shown, and it throws where it does not exit with 0. */
async function command(url: string, ...args: readonly string[]): Promise<void> {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const env = { ...process.env, DATABASE_URL: url };
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...args], { env });
  process.stdout.write(stdout);
}

async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(
    `${what}: ${seconds.toFixed(1)} s, ${((seconds * 1e6) / entries).toFixed(1)} µs an entry`,
  );
}
