import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { COPY_COLUMNS } from '../../src/ledger/entries/copy-line.ts';
import type { Contender, Job, Measured } from './contender.ts';
import { Stopwatch } from './contender.ts';

/** Of the binary format: a signature of 11 bytes, flags and the length of an empty extension. */
const HEADER_BYTES = 19;
const TRAILER = Buffer.from([0xff, 0xff]);
const CHUNK_BYTES = 64 * 1024;

export const copyPlain: readonly Contender[] = [1, 2, 4].map((connections) => ({
  name: `plain COPY, ${connections} ${connections === 1 ? 'connection' : 'connections'}`,
  includes:
    "The worker's finished rows, encoded in the binary format beforehand, into the same table with its keys, checks and triggers: one COPY a connection, to commit. No queue, no decoding, no rating, no probe.",
  input: 'rows',
  writesEntries: true,
  size: 'packed',
  processes: 1,
  run: (job) => measureCopy(job, connections),
}));

async function measureCopy(job: Job, connections: number): Promise<Measured> {
  const shares = sharesOf(await readRows(job), connections);
  const clients = await Promise.all(shares.map(() => connect(job.databaseUrl)));
  const watch = new Stopwatch();
  watch.start();
  await Promise.all(
    clients.map((client, index) =>
      pipeline(
        Readable.from(shares[index] ?? []),
        client.query(copyFrom(`copy entries (${COPY_COLUMNS}) from stdin (format binary)`)),
      ),
    ),
  );
  watch.lap();
  await Promise.all(clients.map((client) => client.end()));
  return watch.measured(job.events);
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

async function readRows(job: Job): Promise<Buffer> {
  const client = await connect(job.sourceUrl);
  const select = `select ${COPY_COLUMNS} from entries order by entry_id limit ${job.events}`;
  const rows = await buffer(
    client.query(copyTo(`copy (${select}) to stdout (format binary)`)) as Readable,
  );
  await client.end();
  return rows;
}

/** Cuts the rows into equal runs, each a complete stream of its own in chunks of 64 KiB. */
function sharesOf(rows: Buffer, count: number): Buffer[][] {
  const header = rows.subarray(0, HEADER_BYTES);
  const starts = rowStarts(rows);
  const share = Math.ceil((starts.length - 1) / count);
  return Array.from({ length: count }, (_, index) => {
    const from = starts[index * share];
    const to = starts[Math.min((index + 1) * share, starts.length - 1)];
    const stream = Buffer.concat([header, rows.subarray(from, to), TRAILER]);
    const chunks: Buffer[] = [];
    for (let at = 0; at < stream.length; at += CHUNK_BYTES) {
      chunks.push(stream.subarray(at, at + CHUNK_BYTES));
    }
    return chunks;
  });
}

/** Where each row begins, and where the last one ends: a count of fields, each with its length. */
function rowStarts(rows: Buffer): number[] {
  const starts: number[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    starts.push(at);
    const fields = rows.readInt16BE(at);
    if (fields === -1) return starts;
    at += 2;
    for (let field = 0; field < fields; field += 1) {
      at += 4 + Math.max(0, rows.readInt32BE(at));
    }
  }
}
