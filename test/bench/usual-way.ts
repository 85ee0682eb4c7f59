import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import pg from 'pg';
import { connect } from '../../src/aws/sqs-client.ts';
import { systemClock } from '../../src/clock.ts';
import { closeDatabase, inTransaction, openDatabase } from '../../src/database/database.ts';
import type { UsageEvent } from '../../src/events/event.ts';
import { readBody } from '../../src/events/read-body.ts';
import { COPY_COLUMNS, copyLine } from '../../src/ledger/entries/copy-line.ts';
import type { NewEntry } from '../../src/ledger/entries/entry.ts';
import { usageEntry } from '../../src/ledger/entries/entry.ts';
import { ReferenceCache } from '../../src/ledger/posting/reference-cache.ts';
import { placeUsage } from '../../src/periods/placement.ts';
import { rateEvent } from '../../src/rating/rate-event.ts';
import { CLEAN } from './bench-events.ts';
import type { Contender, Job, Measured } from './contender.ts';
import { Stopwatch } from './contender.ts';

/** Its runs are too short to make up for compiling the code, so they are spared that. */
const WARM_UP_EVENTS = 100;

const COLUMNS = COPY_COLUMNS.split(',').map((column) => column.trim());

export const usualWay: Contender = {
  name: 'the usual way',
  includes:
    'One event a message, one message at a time with the AWS SDK: read and rated by the same code, then one transaction with its INSERT and its rollup upsert, then one DeleteMessage. The first 100 events only warm up, since so few follow. Prices and tenants are read once, before the clock.',
  input: { ...CLEAN, shape: 'single' },
  writesEntries: true,
  size: 'usual',
  processes: 1,
  run: measureUsualWay,
};

async function measureUsualWay(job: Job): Promise<Measured> {
  const cache = await readReferences(job);
  const client = new pg.Client({ connectionString: job.databaseUrl });
  await client.connect();
  await client.query(ROLLUPS);
  const sqs = connect(
    { endpoint: job.endpoint, region: null },
    { requestTimeoutMs: 30_000, maxSockets: 4 },
  );
  const queue = { QueueUrl: job.queueUrl };
  const watch = new Stopwatch();
  let posted = 0;
  for (;;) {
    const answer = await sqs.send(new ReceiveMessageCommand({ ...queue, MaxNumberOfMessages: 10 }));
    if (answer.Messages === undefined || answer.Messages.length === 0) break;
    for (const { Body = '', ReceiptHandle } of answer.Messages) {
      if (posted === WARM_UP_EVENTS) watch.start();
      const entry = rateMessage(Body, cache);
      await client.query('begin');
      posted += await insertEntry(client, entry, posted + 1);
      await upsertRollup(client, entry);
      await client.query('commit');
      await sqs.send(new DeleteMessageCommand({ ...queue, ReceiptHandle }));
      if (posted > WARM_UP_EVENTS) watch.lap();
    }
  }
  sqs.destroy();
  await client.end();
  return watch.measured(posted, WARM_UP_EVENTS);
}

async function readReferences(job: Job): Promise<ReferenceCache> {
  const database = openDatabase({ url: job.databaseUrl, connections: 1, onConnectionLost() {} });
  const cache = new ReferenceCache();
  await inTransaction(database, async (transaction) => {
    const { rows } = await transaction.client.query<{ tenant_id: string }>(
      'select tenant_id from tenants',
    );
    await cache.refresh(transaction, new Set(rows.map((row) => row.tenant_id)), systemClock());
  });
  await closeDatabase(database);
  return cache;
}

function rateMessage(body: string, cache: ReferenceCache): NewEntry {
  const context = { receivedAt: systemClock(), litellmKey: null, attributes: {} };
  const [item] = readBody(body, context);
  if (item?.kind !== 'event') throw new Error('an event of the benchmark was refused');
  const { event, digest } = item;
  const [part] = rateEvent(event, cache.pricing());
  if (part === undefined) throw new Error('an event of the benchmark has no part');
  return usageEntry({ event, digest, part, placement: placementOf(event, cache) });
}

/** Remembered a tenant, as the worker does: all events lie in one month. */
const placements = new Map<string, ReturnType<typeof placeUsage>>();

function placementOf(event: UsageEvent, cache: ReferenceCache) {
  const tenantId = event.tags.tenantId ?? '';
  const known = placements.get(tenantId);
  if (known !== undefined) return known;
  const placement = placeUsage(cache.tenant(tenantId), event.occurredAt);
  placements.set(tenantId, placement);
  return placement;
}

async function insertEntry(client: pg.Client, entry: NewEntry, id: number): Promise<number> {
  const recordedAt = new Date(systemClock()).toISOString();
  const places = COLUMNS.map((_, index) => `$${index + 1}`).join();
  const { rowCount } = await client.query({
    name: 'insert-entry',
    text: `insert into entries (${COLUMNS.join()}) values (${places}) on conflict do nothing`,
    values: valuesOf(copyLine(entry, { entryId: BigInt(id), recordedAt, salt: NO_SALT })),
  });
  return rowCount ?? 0;
}

/** The usual way has no batches, and seals nothing. */
const NO_SALT = '';

/** The columns of a line of COPY's text format, which for these events escapes only the digest. */
function valuesOf(line: string): (string | null)[] {
  return line
    .slice(0, -1)
    .split('\t')
    .map((value) => (value === '\\N' ? null : value.replace('\\\\', '\\')));
}

/** A rollup of its own, by what a dashboard groups by: fewer columns than the product's. */
const ROLLUPS = `create table bench_rollups (
  tenant_id text not null, day date not null, requested_model text not null, feature text not null,
  entries bigint not null, input_tokens bigint not null, output_tokens bigint not null,
  charge numeric(38, 0) not null, cost numeric(38, 0) not null,
  primary key (tenant_id, day, requested_model, feature))`;

async function upsertRollup(client: pg.Client, entry: NewEntry): Promise<void> {
  await client.query({
    name: 'upsert-rollup',
    text: `insert into bench_rollups as r values ($1, $2, $3, $4, 1, $5, $6, $7, $8)
      on conflict (tenant_id, day, requested_model, feature) do update set
        entries = r.entries + 1,
        input_tokens = r.input_tokens + excluded.input_tokens,
        output_tokens = r.output_tokens + excluded.output_tokens,
        charge = r.charge + excluded.charge, cost = r.cost + excluded.cost`,
    values: [
      entry.tenantId,
      new Date(entry.occurredAt).toISOString().slice(0, 10),
      entry.requestedModel,
      entry.feature ?? '',
      entry.uncachedInputTokens + entry.cacheReadTokens + entry.cacheWriteTokens,
      entry.outputTokens,
      entry.charge ?? 0n,
      entry.cost ?? 0n,
    ],
  });
}
