import pg from 'pg';
import { COPY_COLUMNS } from '../../src/ledger/entries/copy-line.ts';
import type { Contender, Job, Measured } from './contender.ts';
import { Stopwatch } from './contender.ts';

const COLUMNS = COPY_COLUMNS.split(',').map((column) => column.trim());

export const insertEach: readonly Contender[] = [1, 4].map((connections) => ({
  name: `INSERT an event, ${connections} ${connections === 1 ? 'connection' : 'connections'}`,
  includes:
    "The worker's finished rows into the same table: one prepared INSERT an event, each its own commit. No queue, no decoding, no rating.",
  input: 'rows',
  writesEntries: true,
  size: 'insert',
  processes: 1,
  run: (job) => measureInserts(job, connections),
}));

async function measureInserts(job: Job, connections: number): Promise<Measured> {
  const rows = await readRows(job);
  const clients = await Promise.all(
    Array.from({ length: connections }, async () => {
      const client = new pg.Client({ connectionString: job.databaseUrl });
      await client.connect();
      return client;
    }),
  );
  const places = COLUMNS.map((_, index) => `$${index + 1}`).join();
  const text = `insert into entries (${COLUMNS.join()}) values (${places})`;
  const watch = new Stopwatch();
  watch.start();
  // All connections take from one iterator, so that none runs dry before the others.
  const waiting = rows.values();
  await Promise.all(
    clients.map(async (client) => {
      for (const values of waiting) await client.query({ name: 'insert-entry', text, values });
    }),
  );
  watch.lap();
  await Promise.all(clients.map((client) => client.end()));
  return watch.measured(rows.length);
}

/** The rows as the text of their columns, which is what a prepared statement sends. */
async function readRows(job: Job): Promise<(string | null)[][]> {
  const client = new pg.Client({ connectionString: job.sourceUrl });
  await client.connect();
  const columns = COLUMNS.map((column) => `${column}::text`).join();
  const { rows } = await client.query<(string | null)[]>({
    text: `select ${columns} from entries order by entry_id limit ${job.events}`,
    rowMode: 'array',
  });
  await client.end();
  return rows;
}
