import type pg from 'pg';
import { systemClock } from '../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { ENTRIES_PER_BATCH } from '../../src/database/entries-of-batch.ts';
import { FACT_COLUMNS } from '../../src/ledger/entries/entry-columns.ts';
import {
  LEDGER_DIMENSIONS,
  LEDGER_KEY,
  MEASURES,
  ROLLUPS,
} from '../../src/ledger/rollups/rollup-store.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import { analyze, BATCH_ENTRIES, connect, makeTenants, rowOf, tenantOf } from './fill-ledger.ts';

/** How large a ledger becomes, and over which days. */
export interface Multiplied {
  /** At the least; whole copies of what was posted are made. */
  readonly entries: number;
  readonly tenants: number;
  /** UTC months, as YYYY-MM, over whose days the copies are spread. */
  readonly months: readonly string[];
  /** Whether each copy gets the hash of its row and is sealed: the laws hold then, and a copy takes several times as long. */
  readonly sealed: boolean;
  readonly onProgress: (text: string) => void;
}

const BACKENDS = 2;

/** The dimensions of a rollup that no copy changes. */
const KINDS = (ROLLUPS[0]?.dimensions ?? [])
  .map(({ name }) => name)
  .filter((name) => !['tenant_id', 'period_start', 'day'].includes(name));

/**
 * Makes a ledger large within minutes, out of entries that a worker posted and folded: copies with ids, runs, tenants
 * and days of their own. The rows of the rollups by run are copied with them, and the coarser rollups are summed of those
 * as a fold sums them; unique keys are taken away meanwhile. Rollups are the sums of their entries then. Unless it is to be
 * sealed, the hashes of the copies are not those of their rows, and nobody seals them: no ledger to verify or to close.
 */
export async function multiplyLedger(url: string, to: Multiplied): Promise<void> {
  const { seeds, days } = await prepare(url, to);
  const copies = Math.ceil(to.entries / seeds) - 1;
  const keys = await dropKeys(url);
  let next = 0;
  const work = async () => {
    const client = await connect(url);
    while (next < days.length) {
      const nth = next;
      next += 1;
      const [first, end] = [nth, nth + 1].map((of) => Math.floor((of * copies) / days.length));
      const day = days[nth];
      if (day === undefined || first === undefined || end === undefined || first === end) continue;
      await addDay(client, to, { day, first, end });
      if (nth % 10 === 9) to.onProgress(`${end * seeds} of ${copies * seeds} entries copied`);
    }
    await client.end();
  };
  await Promise.all(Array.from({ length: BACKENDS }, work));
  await makeKeys(url, keys, to);
  if (to.sealed) await seal(url, to);
  to.onProgress('vacuum, checkpoint');
  await analyze(url);
  await compareSums(url);
}

/** Everything of the posted entries that each copy repeats. */
async function prepare(
  url: string,
  { tenants, months }: Multiplied,
): Promise<{ readonly seeds: number; readonly days: readonly string[] }> {
  const client = await connect(url);
  const kinds = KINDS.join(', ');
  await client.query(`
    create schema bench;
    create table bench.runs as
      select agent_run_id, row_number() over (order by agent_run_id) - 1 as run
      from (select distinct agent_run_id from entries) r;
    create table bench.seeds as
      select ${FACT_COLUMNS}, run, row_number() over (order by entry_id) - 1 as place,
        occurred_at - started_at as took
      from entries join bench.runs using (agent_run_id) order by entry_id;
    create table bench.batches as
      select place / ${BATCH_ENTRIES} as nth, count(*) as entries, coalesce(sum(charge), 0) as charge,
        coalesce(sum(cost), 0) as cost
      from bench.seeds group by 1;
    create table bench.receipts as
      select place / ${BATCH_ENTRIES} as nth, source, count(*) as received from bench.seeds group by 1, 2;
    create table bench.usage as
      select u.run, r.* from run_usage r join bench.runs u using (agent_run_id);
    create table bench.kinds as select distinct usage_key, ${kinds} from usage_rollups;
    analyze bench.seeds; analyze bench.usage; analyze bench.kinds`);
  for (const month of months) await makeTenants(client, { tenants, month });
  const { rows } = await client.query<{ seeds: number; days: readonly string[] }>(
    `select (select count(*)::int from bench.seeds) as seeds, (
       select array_agg(to_char(day, 'YYYY-MM-DD') order by day)
       from unnest($1::text[]) m(month) cross join lateral generate_series((month || '-01')::date::timestamp,
         (month || '-01')::date + interval '1 month' - interval '1 day', interval '1 day') day) as days`,
    [months],
  );
  await client.end();
  const [row] = rows;
  if (row === undefined) throw new Error('a query without a table has one row');
  return row;
}

interface Key {
  readonly drops: string;
  readonly makes: string;
}

const KEYED = ['entries', 'run_usage', 'usage_rollups'] as const;

/** A key is built faster than it is kept while random ids come in. */
async function dropKeys(url: string): Promise<readonly Key[]> {
  const client = await connect(url);
  const { rows } = await client.query<Key>(
    `select case when c.oid is null then format('drop index %s', i.indexrelid::regclass)
        else format('alter table %s drop constraint %I', i.indrelid::regclass, c.conname) end as drops,
      case when c.oid is null then pg_get_indexdef(i.indexrelid)
        else format('alter table %s add constraint %I %s', i.indrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) end as makes
     from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u')
     where i.indrelid = any($1::regclass[]) and i.indisunique order by i.indrelid, i.indexrelid`,
    [KEYED],
  );
  for (const { drops } of rows) await client.query(drops);
  await client.end();
  return rows;
}

async function makeKeys(url: string, keys: readonly Key[], { onProgress }: Multiplied) {
  const client = await connect(url);
  await client.query("set maintenance_work_mem = '512MB'");
  for (const { makes } of keys) {
    onProgress(makes.slice(0, 80));
    await client.query(makes);
  }
  await client.end();
}

interface Day {
  readonly day: string;
  /** The copies of that day: from the first on, and before the end. */
  readonly first: number;
  readonly end: number;
}

/** One day in one transaction: its copies and what they come to. */
async function addDay(client: pg.Client, to: Multiplied, of: Day): Promise<void> {
  await client.query('begin');
  await client.query("set local work_mem = '64MB'");
  for (let copy = of.first; copy < of.end; copy += 1) await addCopy(client, to, { ...of, copy });
  await client.query(rollupsOf(to, of));
  await client.query('commit');
}

async function addCopy(
  client: pg.Client,
  to: Multiplied,
  { day, copy }: { readonly day: string; readonly copy: number },
): Promise<void> {
  const { rows } = await client.query<{ batch_id: string; salt: Buffer }>(
    `with made as (
       insert into batches (kind, recorded_at, entries, charge, cost)
       select 'ingest', timestamptz '${day}Z' + interval '23:59:59', entries, charge, cost
       from bench.batches order by nth returning batch_id, salt
     ), to_seal as (insert into seal_queue select batch_id from made where ${to.sealed})
     select batch_id, salt from made order by batch_id`,
  );
  const batchIds = rows.map(({ batch_id }) => batch_id);
  const columns = FACT_COLUMNS.split(', ').map(
    (name) => `${ownColumns(day)[name] ?? name} as ${name}`,
  );
  // A function of so many columns is only put into the statement where these are simple: OFFSET 0 keeps them so.
  const entryHash = to.sealed
    ? `entry_hash(row(${await rowOf(client)})::entries, ($2::bytea[])[n.place / ${BATCH_ENTRIES} + 1])`
    : 'event_digest';
  await client.query(
    `insert into entries (${FACT_COLUMNS}, entry_hash)
     select ${FACT_COLUMNS}, ${entryHash} from (select ${columns.join(', ')}, place from (
       select s.*, timestamptz '${day}Z' + place * interval '86399 s' / (select count(*) from bench.seeds) as instant,
         md5('${copy}/' || place) as own, md5('${copy}/run/' || run) as own_run,
         sha256(convert_to('${copy}/' || place, 'UTF8')) as digest,
         ${tenantNumber(to, String(copy))} as tenant,
         ($1::bigint[])[place / ${BATCH_ENTRIES} + 1] as batch
       from bench.seeds s offset 0) s offset 0) n`,
    [batchIds, ...(to.sealed ? [rows.map(({ salt }) => salt)] : [])],
  );
  await client.query(
    `insert into receipts
     select ($1::bigint[])[nth + 1], source, date '${day}', received, received, 0, 0, 0 from bench.receipts`,
    [batchIds],
  );
}

/** A run keeps its tenant within a copy, and has another one in the next. */
function tenantNumber({ tenants }: Multiplied, copy: string): string {
  return `(run + ${copy} * (select count(*) from bench.runs)) % ${tenants}`;
}

/** What a copy has of its own; all other columns are as they were posted. */
function ownColumns(day: string): Readonly<Record<string, string>> {
  return {
    tenant_id: tenantOf('tenant'),
    event_id: 'own::uuid::text',
    entry_id: `batch * ${ENTRIES_PER_BATCH} + place % ${BATCH_ENTRIES}`,
    occurred_at: "date_trunc('milliseconds', instant)",
    started_at: "date_trunc('milliseconds', instant) - took",
    recorded_at: `timestamptz '${day}Z' + interval '23:59:59'`,
    period_start: `date_trunc('month', date '${day}')::date`,
    response_id: "case when response_id is not null then 'chatcmpl-' || left(own, 24) end",
    agent_run_id: "'run-' || left(own_run, 12)",
    trace_id: 'own_run',
    span_id: 'left(own, 16)',
    event_digest: 'digest',
  };
}

/** The three rollups of a day's copies, each summed of the one before, as a fold does it. */
function rollupsOf(to: Multiplied, { day, first, end }: Day): string {
  const measures = MEASURES.map(({ name }) => name).join(', ');
  const sums = MEASURES.map(({ name }) => `sum(${name}) as ${name}`).join(', ');
  const dimensions = ['tenant_id', 'period_start', 'day', ...KINDS].join(', ');
  const ofLedger = LEDGER_DIMENSIONS.map(({ name }) => name).join(', ');
  return `with run as materialized (
      select ${tenantOf(tenantNumber(to, 'copy'))} as tenant_id, date_trunc('month', date '${day}')::date as period_start,
        date '${day}' as day, usage_key, 'run-' || left(md5(copy || '/run/' || run), 12) as agent_run_id, user_id,
        ${measures}, units
      from bench.usage cross join generate_series(${first}, ${end - 1}) copy
    ), of_runs as (
      insert into run_usage (tenant_id, period_start, day, usage_key, agent_run_id, user_id, ${measures}, units)
      select tenant_id, period_start, day, usage_key, agent_run_id, user_id, ${measures}, units from run
    ), usage as materialized (
      select tenant_id, period_start, day, ${KINDS.join(', ')}, usage_key, ${measures}, units from (
        select tenant_id, period_start, day, usage_key, ${sums}, sum_units(units) as units
        from run group by 1, 2, 3, 4) s join bench.kinds using (usage_key)
    ), of_tenants as (
      insert into usage_rollups (${dimensions}, usage_key, ${measures}, units)
      select ${dimensions}, usage_key, ${measures}, units from usage
    )
    insert into ledger_rollups (${ofLedger}, ledger_key, ${measures})
    select ${ofLedger}, ${LEDGER_KEY}, ${measures} from (
      select ${LEDGER_DIMENSIONS.map(({ name, of }) => `${of} as ${name}`).join(', ')}, ${sums}
      from usage group by ${LEDGER_DIMENSIONS.map((_, index) => index + 1).join(', ')}) s`;
}

/** By the product's own seals. */
async function seal(url: string, { onProgress }: Multiplied): Promise<void> {
  onProgress('sealing');
  const database = openDatabase({ url, connections: 2, onConnectionLost() {} });
  await sealAll(database, systemClock);
  await closeDatabase(database);
}

/** Fails where a rollup is not what the entries come to. */
async function compareSums(url: string): Promise<void> {
  const client = await connect(url);
  const of = (table: string, entries: string) =>
    `select '${table}' as said, ${entries} as entries, sum(charge) as charge, sum(cost) as cost,
       sum(output_tokens) as output_tokens, sum(cache_read_tokens) as cache_read_tokens from ${table}`;
  const { rows } = await client.query<Readonly<Record<string, string>>>(
    [
      of('entries', 'count(*)'),
      ...['run_usage', 'usage_rollups', 'ledger_rollups'].map((table) => of(table, 'sum(entries)')),
    ].join(' union all '),
  );
  await client.end();
  const sums = rows.map(({ said: _, ...row }) => JSON.stringify(row));
  if (new Set(sums).size > 1)
    throw new Error(`rollups are not their entries: ${JSON.stringify(rows)}`);
}
