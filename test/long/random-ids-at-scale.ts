import { makeSource, ratePerSecond, runOn, runOnce, SOURCE } from '../bench/bench-rounds.ts';
import { type Servers, startServers } from '../bench/bench-servers.ts';
import { connect } from '../bench/fill-ledger.ts';
import { multiplyLedger } from '../bench/multiply-ledger.ts';
import { randomIds } from '../bench/worker-growing.ts';

/**
 * What a large ledger costs a worker whose events have random ids:
 * `node test/long/random-ids-at-scale.ts [entries] [rounds] [address of a Postgres]`. The same events go into an empty
 * ledger and into the large one, by turns, and as many go before that nobody measures, so that a server which has just
 * started knows its pages. On the Postgres of an address the ledger stays, and is taken as it is by the next run: with
 * the settings that the server has then, which are printed.
 */
const entries = Number(process.argv[2] ?? 20_000_000);
const rounds = Number(process.argv[3] ?? 5);
const TENANTS = 10_000;
const EVENTS = 100_000;
const MONTHS = ['2025-09', '2025-10', '2025-11', '2025-12'] as const;
const LEDGER = `bench_random_${entries}`;
const EMPTY = 'bench_empty';
/**
 * The first change of a page after a checkpoint writes the page whole into the log, and random ids meet many pages. A
 * checkpoint before each run would make every run begin with that, however rarely the server makes one.
 */
const CHECKPOINT = 'as set' as const;

const servers = await startServers(process.argv[4] ?? null);
try {
  await fillOnce(servers);
  await tellSettings(servers.urlOf(LEDGER));
  await among(servers);
  const quotients: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const seed = await servers.countEntries(LEDGER);
    // To drop a database makes a checkpoint, so each round has one of its own until the end.
    const empty = { events: EVENTS, database: `${EMPTY}_${round}`, seed, checkpoint: CHECKPOINT };
    const alone = ratePerSecond(await runOnce(servers, randomIds, empty));
    const there = await among(servers);
    quotients.push(there / alone);
    console.log(
      `round ${round}: ${Math.round(there)}/s among ${seed.toLocaleString('en-US')} entries, ${Math.round(alone)}/s alone: ${(there / alone).toFixed(2)}`,
    );
  }
  const sorted = quotients.toSorted((a, b) => a - b).map((one) => one.toFixed(2));
  console.log(`of an empty ledger: ${sorted[Math.floor(rounds / 2)]} (${sorted.join(', ')})`);
} finally {
  for (let round = 1; round <= rounds; round += 1) await servers.dropDatabase(`${EMPTY}_${round}`);
  await servers.stop();
}

/** Events of ids that the ledger does not have yet, each second. */
async function among(on: Servers): Promise<number> {
  const entriesBefore = await on.countEntries(LEDGER);
  const events = { events: EVENTS, database: LEDGER, entriesBefore, seed: entriesBefore };
  return ratePerSecond(await runOn(on, randomIds, { ...events, checkpoint: CHECKPOINT }));
}

/** A filling that was broken off is begun anew. */
async function fillOnce(on: Servers): Promise<void> {
  if (await on.hasDatabase(LEDGER)) return;
  const filling = `${LEDGER}_filling`;
  const sizes = { packed: 20_000, single: 0, insert: 0, usual: 0 };
  const onProgress = (text: string) => console.log(text);
  await makeSource(on, { rounds: 1, roundSeconds: 0, sizes, onProgress });
  await on.copyDatabase(SOURCE, filling);
  const to = { entries, tenants: TENANTS, months: MONTHS, sealed: false, onProgress };
  await multiplyLedger(on.urlOf(filling), to);
  await on.renameDatabase(filling, LEDGER);
}

async function tellSettings(url: string): Promise<void> {
  const client = await connect(url);
  const { rows } = await client.query<{ of: string }>(
    `select string_agg(name || ' ' || current_setting(name), ', ') as of from pg_settings
     where name in ('shared_buffers', 'max_wal_size', 'checkpoint_timeout', 'synchronous_commit', 'fsync')`,
  );
  const { rows: sizes } = await client.query<{ of: string }>(
    'select pg_size_pretty(pg_database_size(current_database())) as of',
  );
  console.log(`${rows[0]?.of}; the ledger has ${sizes[0]?.of}`);
  await client.end();
}
