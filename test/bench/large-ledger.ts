import { tellEventStory } from '../../src/audit/tell-story.ts';
import { systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { readStatements } from '../../src/statements/statement-store.ts';
import { renderStatementText } from '../../src/statements/statement-text.ts';
import type { Job } from './contender.ts';
import type { Latency } from './spread.ts';
import { latencyOf } from './spread.ts';

export interface LedgerJob extends Job {
  /** The month that is closed and stated. */
  readonly month: string;
  /** Statements and stories that are read. */
  readonly samples: number;
}

/** What people ask of a large ledger, by the code of the commands that answer them. */
export interface LedgerReport {
  readonly close: {
    readonly tenants: number;
    readonly entries: number;
    readonly seconds: number;
    /** Of the closing process, at its end, in MiB. */
    readonly memory: number;
  };
  readonly statement: Latency;
  readonly audit: Latency;
}

/** The first of each kind only warm up. */
const WARM_UP = 10;

export async function measureLedger(job: LedgerJob): Promise<LedgerReport> {
  const database = openDatabase({ url: job.databaseUrl, connections: 4, onConnectionLost() {} });
  const close = await measureClose(database, job.month);
  const statement = await measureStatements(database, job);
  const audit = await measureAudits(database, job);
  await closeDatabase(database);
  return { close, statement, audit };
}

async function measureClose(database: Database, month: string): Promise<LedgerReport['close']> {
  const startedAt = performance.now();
  const answers = await closePeriods({ database, clock: systemClock }, { month, tenant_id: null });
  const seconds = (performance.now() - startedAt) / 1000;
  const closed = answers.filter((answer) => answer.state === 'closed');
  if (closed.length !== answers.length || closed.length === 0) {
    throw new Error(`of ${answers.length} periods of ${month} ${closed.length} were closed`);
  }
  const { rows } = await database.pool.query<{ entries: bigint }>(
    "select sum(entries)::bigint as entries from closes where to_char(period_start, 'YYYY-MM') = $1",
    [month],
  );
  return {
    tenants: closed.length,
    entries: Number(rows[0]?.entries ?? 0n),
    seconds,
    memory: process.memoryUsage.rss() / 2 ** 20,
  };
}

async function measureStatements(database: Database, job: LedgerJob): Promise<Latency> {
  const { rows } = await database.pool.query<{ tenant_id: string }>(
    `select tenant_id from closes where to_char(period_start, 'YYYY-MM') = $1
     order by md5(tenant_id) limit $2`,
    [job.month, job.samples + WARM_UP],
  );
  return measureEach(rows, async ({ tenant_id }) => {
    const statements = await readStatements(database, { month: job.month, tenantId: tenant_id });
    for (const statement of statements) renderStatementText(statement);
  });
}

async function measureAudits(database: Database, job: LedgerJob): Promise<Latency> {
  const { rows } = await database.pool.query<{ source: string; event_id: string }>(
    `select e.source, e.event_id from (
       select batch_id * 1000000 as first_id from batches where entries > 0 order by md5(batch_id::text) limit $1
     ) b cross join lateral (
       select source, event_id from entries where entry_id >= b.first_id order by entry_id limit 10
     ) e order by md5(e.event_id) limit $1`,
    [job.samples + WARM_UP],
  );
  return measureEach(rows, async ({ source, event_id }) => {
    await tellEventStory({ database }, { source, event_id, as_of: null });
  });
}

async function measureEach<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<Latency> {
  const millis: number[] = [];
  for (const item of items) {
    const startedAt = performance.now();
    await work(item);
    millis.push(performance.now() - startedAt);
  }
  return latencyOf(millis.slice(WARM_UP));
}
