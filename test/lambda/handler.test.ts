import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pause, systemClock } from '../../src/clock.ts';
import { type LambdaHandler, type LambdaTimes, openHandler } from '../../src/lambda/handler.ts';
import { openLog } from '../../src/log.ts';
import { createDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant } from '../support/ledger.ts';
import { brokenLaws } from '../support/worker.ts';

let database: TestDatabase;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard');
  await makeTenant(database, 'acme', { mode: 'shadow', priceBook: 'standard' });
});
afterAll(() => drop());

/** Each test tells its own events by their source. */
let source = '';
beforeEach(() => {
  source = randomUUID();
});

const usage = { input_tokens: 1_000, output_tokens: 100 };

function eventOf(id: string, more: object = {}) {
  const call = { status: 'ok', requested_model: 'gpt-4o', tenant_id: 'acme', usage };
  return { event_id: id, source, occurred_at: '2026-10-15T12:00:00Z', ...call, ...more };
}

/** A record as Lambda's event source mapping hands it over. */
function recordOf(body: string, messageId = randomUUID()) {
  return {
    messageId,
    receiptHandle: `AQEB${randomUUID()}`,
    body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: '1792065600000',
      SenderId: 'AROAEXAMPLEEXAMPLE:producer',
      ApproximateFirstReceiveTimestamp: '1792065600012',
    },
    messageAttributes: {
      origin: {
        stringValue: 'gateway',
        binaryListValues: [],
        stringListValues: [],
        dataType: 'String',
      },
    },
    md5OfBody: createHash('md5').update(body).digest('hex'),
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:usage',
    awsRegion: 'eu-central-1',
  };
}

const packOf = (...events: readonly object[]) => recordOf(JSON.stringify({ events }));

function openTestHandler(times?: LambdaTimes, url = database.url) {
  const log = openLog('silent');
  return openHandler(
    { DATABASE_URL: url },
    systemClock,
    times === undefined ? { log } : { log, times },
  );
}

/** The context of a call that begins now. */
function lasting(ms: number) {
  const end = systemClock() + ms;
  return { getRemainingTimeInMillis: () => end - systemClock() };
}

async function postedIds(): Promise<readonly string[]> {
  const rows = await textRows(
    database,
    `select event_id from audit.entries where source = '${source}' order by event_id`,
  );
  return rows.map((row) => String(row['event_id']));
}

describe('a call by SQS', () => {
  let handle: LambdaHandler;
  beforeAll(() => {
    handle = openTestHandler();
  });

  it('posts what is good and quarantines what is bad, and nothing of it comes again', async () => {
    const answer = await handle(
      { Records: [packOf(eventOf('a'), eventOf('b', { status: 'maybe' })), recordOf('no json')] },
      lasting(30_000),
    );
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await postedIds()).toEqual(['a']);
    const reasons = await textRows(
      database,
      'select distinct reason from audit.quarantine order by 1',
    );
    expect(reasons.map((row) => row['reason'])).toEqual(['invalid_field', 'not_json']);
  });

  it('takes six megabytes at once', async () => {
    const tags = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [`tag-${n}`, `${n}`.padEnd(190, 'x')]),
    );
    const records = Array.from({ length: 99 }, (_, message) =>
      packOf(...Array.from({ length: 14 }, (_, n) => eventOf(`${message}-${n}`, { tags }))),
    );
    const event = { Records: records };
    expect(JSON.stringify(event).length).toBeGreaterThan(6_000_000);
    expect(await handle(event, lasting(60_000))).toEqual({ batchItemFailures: [] });
    expect(await postedIds()).toHaveLength(99 * 14);
  });

  it('posts once what two calls are given at the same time', async () => {
    const messages = Array.from({ length: 12 }, (_, n) =>
      packOf(eventOf(`m${n}`), eventOf(`n${n}`)),
    );
    const other = openTestHandler();
    const answers = await Promise.all([
      handle({ Records: messages }, lasting(30_000)),
      other({ Records: messages }, lasting(30_000)),
    ]);
    expect(answers).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }]);
    expect(await postedIds()).toHaveLength(24);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('isolates the event of a pack that the ledger refuses, and posts the others', async () => {
    // The database refuses one value, whatever our own schema thinks of it.
    await database.pool.query(
      `alter table entries add constraint poison check (event_id <> 'poison') not valid`,
    );
    const events = ['before', 'poison', 'after'].map((id) => eventOf(id));
    const answer = await handle({ Records: [packOf(...events)] }, lasting(30_000));
    await database.pool.query('alter table entries drop constraint poison');
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await postedIds()).toEqual(['after', 'before']);
  });

  it('says what is wrong where something else than a queue calls', async () => {
    await expect(handle({ 'detail-type': 'Scheduled Event' }, lasting(30_000))).rejects.toThrow(
      'the function was invoked with something other than messages of SQS (Records); make the queue its event source',
    );
  });
});

describe('a call that runs out of time', () => {
  const times = { stopBefore: 500, drain: 100, answerBefore: 200 };

  it('names what is not committed, and the next call posts it once', async () => {
    const handle = openTestHandler(times);
    const first = packOf(eventOf('first'));
    const later = Array.from({ length: 25 }, (_, n) => packOf(eventOf(`later-${n}`)));
    await handle({ Records: [first] }, lasting(30_000));
    // The ledger stands still while the time runs.
    const locking = await database.pool.connect();
    await locking.query('begin; lock table receipts in access exclusive mode');
    const answer = await handle({ Records: later }, lasting(800));
    await locking.query('rollback');
    locking.release();
    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(
      later.map(({ messageId }) => messageId),
    );
    const again = { Records: [first, ...later] };
    expect(await handle(again, lasting(30_000))).toEqual({ batchItemFailures: [] });
    expect(await postedIds()).toHaveLength(26);
  });

  it('leaves no transaction behind, which would hold its locks as long as the function is frozen', async () => {
    const handle = openTestHandler(times);
    const first = packOf(eventOf('a'));
    await handle({ Records: [first] }, lasting(30_000));
    const locking = await database.pool.connect();
    await locking.query('begin; lock table receipts in access exclusive mode');
    const records = [packOf(eventOf('b'))];
    const answer = await handle({ Records: records }, lasting(1_500));
    await locking.query('rollback');
    locking.release();
    expect(answer.batchItemFailures).toHaveLength(1);
    // Only the server ends what a frozen function began: here nothing of it goes on.
    await pause(500);
    expect(await postedIds()).toEqual(['a']);
    expect(await handle({ Records: records }, lasting(30_000))).toEqual({ batchItemFailures: [] });
    expect(await postedIds()).toEqual(['a', 'b']);
  });

  it('waits for a slow ledger as long as the call has time, and not as long as a drain', async () => {
    const handle = openTestHandler(times);
    const locking = await database.pool.connect();
    await locking.query('begin; lock table receipts in access exclusive mode');
    const answer = handle({ Records: [packOf(eventOf('slow'))] }, lasting(30_000));
    await pause(10 * times.drain);
    await locking.query('rollback');
    locking.release();
    expect(await answer).toEqual({ batchItemFailures: [] });
    expect(await postedIds()).toEqual(['slow']);
  });

  it('names every message where there is no database, and does not wait for the end', async () => {
    const handle = openTestHandler(times, 'postgres://nobody@127.0.0.1:1/nowhere');
    const records = [packOf(eventOf('x')), packOf(eventOf('y'))];
    const began = systemClock();
    const answer = await handle({ Records: records }, lasting(900));
    expect(answer.batchItemFailures).toHaveLength(2);
    expect(systemClock() - began).toBeLessThan(900);
  });
});
