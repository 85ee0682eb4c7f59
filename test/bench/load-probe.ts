import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { runChild } from './bench-child.ts';
import { CLEAN } from './bench-events.ts';
import type { Servers } from './bench-servers.ts';
import { quantile } from './spread.ts';
import type { UnderLoad } from './under-load.ts';

/** One worker under a load that lasts, seen from inside and from the database. */
export interface LoadReport extends UnderLoad {
  readonly seconds: number;
  /** The age of the oldest batch that was in no rollup yet, in milliseconds. */
  readonly foldsBehind: Behind;
  /** And of the oldest that had no seal. */
  readonly sealsBehind: Behind;
}

export interface Behind {
  readonly p50: number;
  readonly max: number;
}

const DATABASE = 'bench_load';
const QUEUE = 'bench-load';

/** At a rate of events a second, or at full load where none is given. */
export async function probeLoad(
  servers: Servers,
  load: { readonly seconds: number; readonly perSecond: number | null },
): Promise<LoadReport> {
  const databaseUrl = await servers.createDatabase(DATABASE, CLEAN.tenants);
  const queueUrl = await servers.feedQueue(QUEUE, load.perSecond);
  const { endpoint } = servers;
  const job = { events: 0, databaseUrl, sourceUrl: '', endpoint, queueUrl, seconds: load.seconds };
  const over = new AbortController();
  const folds = watchQueue(databaseUrl, 'fold_queue', over.signal);
  const seals = watchQueue(databaseUrl, 'seal_queue', over.signal);
  const seen = await runChild<UnderLoad>({ kind: 'under load', job });
  over.abort();
  const foldsBehind = await folds;
  const sealsBehind = await seals;
  await servers.dropQueue(QUEUE);
  await servers.dropDatabase(DATABASE);
  return { ...seen, seconds: load.seconds, foldsBehind, sealsBehind };
}

/** Four readings a second until the run is over; the worker that drains then is not counted. */
async function watchQueue(
  url: string,
  queue: 'fold_queue' | 'seal_queue',
  over: AbortSignal,
): Promise<Behind> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const ages: number[] = [];
  while (!over.aborted) {
    const { rows } = await client.query<{ ms: number | null }>(
      `select (extract(epoch from clock_timestamp() - min(b.recorded_at)) * 1000)::float8 as ms
       from ${queue} q join batches b on b.batch_id = q.batch_id`,
    );
    ages.push(rows[0]?.ms ?? 0);
    await pause(250, undefined, { signal: over }).catch(() => undefined);
  }
  await client.end();
  return { p50: quantile(ages, 0.5), max: Math.max(0, ...ages) };
}
