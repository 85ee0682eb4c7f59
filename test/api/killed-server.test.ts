import { once } from 'node:events';
import { type FSWatcher, watch } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createKey } from '../../src/keys/create-key.ts';
import { type CliProcess, startCli } from '../support/cli.ts';
import { type CountingProxy, startCountingProxy } from '../support/counting-proxy.ts';
import { freshDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { importBooks, nativeEvent } from '../support/ledger.ts';
import { freshQueue, type TestQueue } from '../support/queue.ts';
import { openQueueProxy, type QueueProxy } from '../support/queue-proxy.ts';
import { brokenLaws, work } from '../support/worker.ts';

/**
 * A server is killed at each piece that passes between it and Postgres or SQS while it answers a producer, which are
 * its awaits: when what it asked has arrived, and when the answer was on its way. Where the queue is away, it is killed at
 * each change of the folder that takes the events meanwhile, too.
 */
const ALL = process.env['SPANLEDGER_KILLS'] === 'all';
/** One of them, at which the events are on their way to the ledger, shows in each run that the test can kill. */
const SHARE: readonly number[] = [5];
const LEFT_OUT = 3;
type Way = 'direct' | 'queue' | 'disk';

it.each<Way>(ALL ? ['direct', 'queue', 'disk'] : ['direct'])(
  'whatever was answered 2xx is in the ledger once, wherever the server was killed: %s',
  async (way) => {
    const place = await makePlace(way);
    const points = ALL ? Array.from({ length: 200 }, (_, index) => index + 1) : SHARE;
    let killed = 0;
    let met = 0;
    for (const point of points) {
      const wasKilled = await killAt(place, point);
      if (wasKilled) killed = met = point;
      // Requests meet a piece more or less: several in a row that meet fewer are the end.
      else if (ALL && point - met === LEFT_OUT) break;
    }
    expect(killed).toBeGreaterThan(0);
    if (ALL) console.log(`${way}: killed at each of ${killed} pieces`);
    expect(await brokenLaws(place.database)).toEqual([]);
  },
  ALL ? 1_800_000 : 90_000,
);

interface Place {
  readonly way: Way;
  readonly database: TestDatabase;
  readonly queue: TestQueue | null;
  readonly proxies: readonly CountingProxy[];
  /** The queue that is away while a server is killed, and the folder of the events meanwhile; null for the other ways. */
  readonly away: { readonly proxy: QueueProxy; readonly folder: string } | null;
  readonly key: string;
  readonly environment: Readonly<Record<string, string>>;
}

async function makePlace(way: Way): Promise<Place> {
  const database = await freshDatabase();
  await importBooks(database, 'standard');
  const unscoped = { tenant_id: null, source: null, tenant_ids: null, rate: null };
  const { key } = await createKey(
    { database, clock: systemClock },
    {
      ...{ role: 'ingest', name: null, ...unscoped },
      ...{ expires_at: null, expires_in_days: null, actor: 'a test' },
    },
  );
  const queue = way === 'direct' ? null : await freshQueue();
  const away = way === 'disk' && queue !== null ? await openAway(queue) : null;
  const postgres = new URL(database.url);
  const toPostgres = await proxyTo(postgres);
  postgres.hostname = '127.0.0.1';
  postgres.port = String(toPostgres.port);
  const proxies = [toPostgres];
  const environment: Record<string, string> = {
    ...{ DATABASE_URL: postgres.href, SPANLEDGER_LOG_LEVEL: 'silent' },
    ...queue?.environment,
  };
  if (queue !== null) {
    const toQueue = await proxyTo(new URL(away?.proxy.endpoint ?? queue.endpoint));
    proxies.push(toQueue);
    environment['AWS_ENDPOINT_URL_SQS'] = `http://127.0.0.1:${toQueue.port}`;
  }
  if (away !== null) environment['SPANLEDGER_INGEST_FOLDER'] = away.folder;
  return { way, database, queue, proxies, away, key, environment };
}

async function openAway(queue: TestQueue): Promise<Place['away']> {
  const proxy = await openQueueProxy(queue.endpoint);
  const folder = await mkdtemp(join(tmpdir(), 'spanledger-killed-'));
  onTestFinished(async () => {
    proxy.stop();
    await rm(folder, { recursive: true });
  });
  return { proxy, folder };
}

async function proxyTo({ hostname, port }: URL): Promise<CountingProxy> {
  const proxy = await startCountingProxy({ host: hostname, port: Number(port) });
  onTestFinished(() => proxy.close());
  return proxy;
}

/** Answers whether the request met so many pieces. */
async function killAt(place: Place, point: number): Promise<boolean> {
  const server = await serve(place);
  let wasKilled = false;
  const kill = () => {
    wasKilled = true;
    server.running.kill('SIGKILL');
  };
  // The pieces of both lines are counted together.
  let left = point;
  const count = () => {
    left -= 1;
    if (left === 0) kill();
  };
  const events = ['a', 'b'].map((name) =>
    nativeEvent({ event_id: `${point}-${name}`, occurred_at: new Date().toISOString() }),
  );
  const stopCounting = countPieces(place, count);
  const first = await send(place, server.url, events);
  stopCounting();
  server.running.kill('SIGKILL');
  await server.running.finished;
  if (first === 202 && place.away === null) {
    expect(await postedIn(place, point)).toEqual(['a', 'b']);
  } else {
    const next = await serve(place);
    // As every producer does with what was not answered.
    if (first !== 202) expect(await send(place, next.url, events)).toBe(202);
    if (place.away !== null) await emptied(place.away.folder);
    next.running.kill('SIGKILL');
    await next.running.finished;
  }
  expect(await postedIn(place, point)).toEqual(['a', 'b']);
  return wasKilled;
}

/** From here on the queue is away, where it is to be; answers what ends the counting, and brings it back. */
function countPieces({ proxies, away }: Place, count: () => void): () => void {
  away?.proxy.cut();
  const watcher: FSWatcher | null = away === null ? null : watch(away.folder, count);
  for (const proxy of proxies) proxy.arm(count);
  return () => {
    for (const proxy of proxies) proxy.disarm();
    watcher?.close();
    away?.proxy.restore();
  };
}

async function emptied(folder: string): Promise<void> {
  await expect.poll(() => readdir(folder), { timeout: 20_000 }).toEqual([]);
}

async function serve(
  place: Place,
): Promise<{ readonly running: CliProcess; readonly url: string }> {
  const how = place.way === 'direct' ? ['--direct'] : [];
  const running = startCli(['serve', ...how, '--port', '0', '--json'], place.environment);
  const { stdout } = running.child;
  if (stdout === null) throw new Error('the server has no output');
  const early = running.finished.then(({ stderr }) => {
    throw new Error(`the server ended before it listened: ${stderr}`);
  });
  const [line] = (await Promise.race([once(stdout, 'data'), early])) as [Buffer];
  early.catch(() => {});
  return { running, url: JSON.parse(line.toString('utf8')).url };
}

/** The status; null where the connection ended without an answer. */
async function send(place: Place, url: string, events: readonly object[]): Promise<number | null> {
  try {
    const response = await fetch(`${url}/v1/events`, {
      method: 'POST',
      body: JSON.stringify(events),
      headers: { authorization: `Bearer ${place.key}`, 'content-type': 'application/json' },
    });
    return response.status;
  } catch {
    return null;
  }
}

/** What of the two events the ledger has, each as often as it has it. */
async function postedIn({ database, queue }: Place, point: number): Promise<readonly string[]> {
  if (queue !== null) await work(database, queue.client);
  const rows = await textRows(
    database,
    'select event_id from entries where event_id like $1 order by event_id',
    [`${point}-%`],
  );
  return rows.map(({ event_id: id }) => String(id).split('-')[1] ?? '');
}
