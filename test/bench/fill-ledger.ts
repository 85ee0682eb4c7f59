import pg from 'pg';
import { systemClock } from '../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { ENTRIES_PER_BATCH } from '../../src/database/entries-of-batch.ts';
import { FACT_COLUMNS } from '../../src/ledger/entries/entry-columns.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { UNATTRIBUTED } from '../../src/rating/rate-event.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';

/** How much history a ledger gets, and of whom. */
export interface Fill {
  readonly entries: number;
  readonly tenants: number;
  /** The UTC month into which all of it falls, as YYYY-MM. */
  readonly month: string;
  /** Calls of a run at the most, whose others become runs of their own; left out where runs stay as they are. */
  readonly callsARun?: number;
  /** Whether they are nobody's, as a worker posts what names no tenant; left out, they are the tenants'. */
  readonly unattributed?: boolean;
  /** Told what goes on, and every tenth of the entries. */
  readonly onProgress: (text: string) => void;
}

/** As many as the worker puts into a transaction. */
export const BATCH_ENTRIES = 2_000;
const BACKENDS = 2;
/** What a call without a tenant has in place of a charge and its price. */
const NOBODYS = {
  outcome: `case when outcome = 'charged' then 'unattributed' else outcome end`,
  charge: '0::numeric',
  ...Object.fromEntries(
    FACT_COLUMNS.split(', ')
      .filter((column) => column.startsWith('charge_'))
      .map((column) => [column, `nullif(${column}, ${column})`]),
  ),
};
/** More calls than any run has. */
const MANY = 1_000_000;

/**
 * Fills a ledger faster than any worker could: Postgres itself multiplies the entries that a worker has
 * posted there, without a client. A copy of a run of calls goes to another tenant, on another day of
 * the month, under ids of its own; tokens, prices and amounts stay, so that every law holds. Ids are
 * random, as producers' ids are: new entries then fall anywhere in the index, not at its end.
 */
export async function fillLedger(url: string, fill: Fill): Promise<void> {
  await prepare(url, fill);
  const seeds = await countSeeds(url);
  const copies = Math.ceil(fill.entries / seeds);
  const report = reportTenths(fill);
  // Every backend takes the next copy that nobody has taken.
  let next = 0;
  let done = 0;
  const work = async () => {
    const client = await connect(url);
    while (next < copies) {
      const copy = next;
      next += 1;
      const most = copy === copies - 1 ? fill.entries - copy * seeds : seeds;
      await addCopy(client, fill, { copy, copies, seeds, most });
      done += most;
      report(done);
    }
    await client.end();
  };
  await Promise.all(Array.from({ length: BACKENDS }, work));
  fill.onProgress('folding and sealing them');
  await foldAndSeal(url);
  fill.onProgress('vacuum, checkpoint');
  await analyze(url);
}

/** Tenants and periods, and the posted entries by their place: tables of the benchmark's own schema. */
async function prepare(url: string, fill: Fill): Promise<void> {
  const client = await connect(url);
  await client.query(`
    create schema if not exists bench;
    create table if not exists bench.seeds as
      select e.*, row_number() over (order by entry_id) - 1 as place,
        dense_rank() over (order by agent_run_id, part) - 1 as run
      from (
        select ${FACT_COLUMNS}, (row_number() over (partition by agent_run_id order by entry_id) - 1)
          / ${fill.callsARun ?? MANY} as part from entries
      ) e;
    create table if not exists bench.runs as select max(run) + 1 as count from bench.seeds;
    create index if not exists seeds_by_place on bench.seeds (place);
    analyze bench.seeds`);
  await makeTenants(client, fill);
  if (fill.unattributed) await makePeriods(client, fill, `values ('${UNATTRIBUTED}')`);
  await client.end();
}

/** Makes the tenants, and their periods of the month. */
export async function makeTenants(
  client: pg.Client,
  fill: Pick<Fill, 'tenants' | 'month'>,
): Promise<void> {
  await client.query(
    `insert into tenants (tenant_id, created_at)
     select ${tenantOf('n')}, $2::date from generate_series(0, $1 - 1) n on conflict do nothing`,
    [fill.tenants, `${fill.month}-01`],
  );
  await makePeriods(
    client,
    fill,
    `select ${tenantOf('n')} from generate_series(0, ${fill.tenants - 1}) n`,
  );
}

/** Makes the month's period of each tenant that a query names. */
async function makePeriods(
  client: pg.Client,
  { month }: Pick<Fill, 'month'>,
  tenants: string,
): Promise<void> {
  await client.query(
    `insert into periods (tenant_id, period_start, starts_at, ends_at, time_zone)
     select k.tenant, $1::date, $1::date at time zone 'UTC',
       ($1::date + interval '1 month') at time zone 'UTC', 'UTC'
     from (${tenants}) k(tenant) on conflict do nothing`,
    [`${month}-01`],
  );
}

/** The tenant of a number, by the rule of the benchmark's events. */
export function tenantOf(number: string): string {
  return `'tenant-' || lpad((${number})::text, 6, '0')`;
}

async function countSeeds(url: string): Promise<number> {
  const client = await connect(url);
  const { rows } = await client.query<{ count: number }>(
    'select count(*)::int as count from bench.seeds',
  );
  await client.end();
  const count = rows[0]?.count ?? 0;
  if (count === 0) throw new Error('a worker must have posted entries before they are multiplied');
  return count;
}

interface Copy {
  readonly copy: number;
  readonly copies: number;
  readonly seeds: number;
  /** Entries of it; the last copy is cut to what is still wanted. */
  readonly most: number;
}

/** One copy of all seeds in one transaction: batches, entries, receipts, and what waits for fold and seal. */
async function addCopy(client: pg.Client, fill: Fill, copy: Copy): Promise<void> {
  const seeds = `select * from bench.seeds where place < ${copy.most}`;
  const { instant, salt } = shiftOf(fill, copy);
  await client.query('begin');
  const { rows } = await client.query<{ batch_id: string }>(
    `with made as (
       insert into batches (kind, recorded_at, entries, charge, cost)
       select 'ingest', max(${instant}), count(*), coalesce(sum(charge), 0), coalesce(sum(cost), 0)
       from (${seeds}) s group by place / ${BATCH_ENTRIES} order by place / ${BATCH_ENTRIES}
       returning batch_id
     ), to_fold as (insert into fold_queue select batch_id from made
     ), to_seal as (insert into seal_queue select batch_id from made)
     select batch_id from made order by batch_id`,
  );
  const batchIds = rows.map((row) => row.batch_id);
  const batchOf = `($1::bigint[])[place / ${BATCH_ENTRIES} + 1]`;
  const columns = copiedColumns(fill, { instant, salt, batchOf, copy: copy.copy });
  // The hash is over the whole row, so the row is made first.
  await client.query(
    `insert into entries (${FACT_COLUMNS}, entry_hash)
     select ${FACT_COLUMNS}, entry_hash(row(${await rowOf(client)})::entries,
       (select b.salt from batches b where b.batch_id = n.batch))
     from (select ${columns}, ${batchOf} as batch from (${seeds}) s, bench.runs r offset 0) n order by entry_id`,
    [batchIds],
  );
  await client.query(
    `insert into receipts
     select ${batchOf}, source, max(${instant})::date, count(*), count(*), 0, 0, 0
     from (${seeds}) s group by place / ${BATCH_ENTRIES}, source`,
    [batchIds],
  );
  await client.query('commit');
}

/** The copies follow one another through the month, as its traffic did. */
function shiftOf(fill: Fill, { copy, copies, seeds }: Copy) {
  const start = `timestamptz '${fill.month}-01 00:00:00Z'`;
  const slice = `(${start} + interval '1 month' - ${start}) / ${copies}`;
  const instant = `date_trunc('milliseconds', ${start} + ${slice} * (${copy} + place::float8 / ${seeds}))`;
  return { instant, salt: `'${fill.month}/${copy}/' || place` };
}

/** The columns of an entry, in their order: those that a copy has of its own, and the others as they are. */
function copiedColumns(
  fill: Fill,
  of: {
    readonly instant: string;
    readonly salt: string;
    readonly batchOf: string;
    readonly copy: number;
  },
): string {
  const { instant, salt } = of;
  const own: Readonly<Record<string, string>> = {
    ...(fill.unattributed ? NOBODYS : {}),
    // A run keeps its tenant within a copy, and has another one in the next.
    tenant_id: fill.unattributed
      ? `'${UNATTRIBUTED}'`
      : tenantOf(`(s.run + ${of.copy} * r.count) % ${fill.tenants}`),
    event_id: `md5(${salt})::uuid::text`,
    entry_id: `${of.batchOf} * ${ENTRIES_PER_BATCH} + place % ${BATCH_ENTRIES}`,
    occurred_at: instant,
    started_at: `${instant} - (occurred_at - started_at)`,
    recorded_at: instant,
    period_start: `date '${fill.month}-01'`,
    late: 'false',
    response_id: `case when response_id is not null then 'chatcmpl-' || left(md5('r' || ${salt}), 24) end`,
    agent_run_id: `'run-' || left(md5('a${fill.month}/${of.copy}/' || run), 12)`,
    trace_id: `md5('t${fill.month}/${of.copy}/' || run)`,
    span_id: `left(md5('s' || ${salt}), 16)`,
    event_digest: `sha256(convert_to(${salt}, 'UTF8'))`,
  };
  return FACT_COLUMNS.split(', ')
    .map((column) => `${own[column] ?? column} as ${column}`)
    .join(', ');
}

/** The columns as the table has them; null where the hash does not look. */
export async function rowOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ columns: string }>(
    `select string_agg(case when attname = any($1::text[]) then attname else 'null' end, ', '
       order by attnum) as columns
     from pg_attribute where attrelid = 'entries'::regclass and attnum > 0 and not attisdropped`,
    [FACT_COLUMNS.split(', ')],
  );
  return rows[0]?.columns ?? '';
}

/** By the product's own fold and seals, so that both are what it would have made. */
async function foldAndSeal(url: string): Promise<void> {
  const database = openDatabase({ url, connections: 2, onConnectionLost() {} });
  await foldAll(database, systemClock);
  await sealAll(database, systemClock);
  await closeDatabase(database);
}

/** What autovacuum does within minutes of such growth: statistics for the planner, visibility for scans. */
export async function analyze(url: string): Promise<void> {
  const client = await connect(url);
  await client.query('vacuum (analyze)');
  await client.query('checkpoint');
  await client.end();
}

function reportTenths(fill: Fill): (entries: number) => void {
  let told = 0;
  return (entries) => {
    const tenth = Math.floor((entries / fill.entries) * 10);
    if (tenth === told) return;
    told = tenth;
    fill.onProgress(`${entries} of ${fill.entries} entries`);
  };
}

export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
