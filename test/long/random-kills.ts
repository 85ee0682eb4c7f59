import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startFauxqs } from 'fauxqs';
import { lastMonth, systemClock } from '../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { startEmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { startStripeDouble } from '../../src/stripe-double/stripe-double.ts';
import { nativeEvent } from '../support/ledger.ts';
import { makeLiveLedger } from '../support/live-ledger.ts';
import { brokenLaws } from '../support/worker.ts';

/**
 * Real processes are killed at random while calls come in by queue and by HTTP and a month is billed: two workers, a
 * server and the monthly job. Every law is checked after each kill; at the end every call that was sent, by the
 * queue or answered 2xx, is in the ledger once, and Stripe was told what the closes say.
 *
 *   node test/long/random-kills.ts [--kills 200] [--seed 1] [--tenants 40]
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    tenants: { type: 'string', default: '40' },
  },
});
const KILLS = Number(values.kills);
const TENANTS = Number(values.tenants);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const MONTH = lastMonth(systemClock);
const random = randomOf(Number(values.seed));

const folder = await mkdtemp(join(tmpdir(), 'random-kills-'));
const postgres = await startEmbeddedPostgres();
const database = openDatabase({ url: postgres.url, connections: 6, onConnectionLost: () => {} });
const double = await startStripeDouble({ now: systemClock(), latencyMs: 0 });
const queue = await startFauxqs({ port: 0, logger: false });
const { queueUrl } = queue.createQueue('usage', { attributes: { VisibilityTimeout: '3' } });
let key = '';
const sent = new Set<string>();
/** Where each server listens, once it has said so. */
const urls = new WeakMap<ChildProcess, Promise<string | null>>();
const children: ChildProcess[] = [];
try {
  process.exitCode = await run();
} finally {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all([closeDatabase(database), queue.stop(), double.close()]);
  await postgres.stop();
  await rm(folder, { recursive: true });
}

interface Actor {
  readonly name: string;
  readonly args: readonly string[];
  child: ChildProcess;
}

async function run(): Promise<number> {
  const made = { tenants: TENANTS, actor: 'random kills' };
  key = await makeLiveLedger(database, double, made);
  const actors = [
    start('worker 1', ['worker', '--json']),
    start('worker 2', ['worker', '--json']),
    start('server', ['serve', '--direct', '--port', '0', '--json']),
    start('month', ['run-month', MONTH, '--out', folder, '--json']),
  ];
  const stop = new AbortController();
  const producing = [sendByQueue(stop.signal), sendByHttp(stop.signal, () => actors[2])];
  const killed = new Map<string, number>();
  let broken = 0;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await later(200 + random(1_800));
    const actor = actors[random(actors.length)];
    if (actor === undefined) throw new Error('there is nobody to kill');
    const wasRunning = actor.child.exitCode === null && actor.child.signalCode === null;
    actor.child.kill('SIGKILL');
    if (wasRunning) killed.set(actor.name, (killed.get(actor.name) ?? 0) + 1);
    broken += await countBroken(`kill ${kill} of ${actor.name}`);
    actor.child = start(actor.name, actor.args).child;
    if (kill % 20 === 0) console.error(`${kill} kills, ${sent.size} calls sent`);
  }
  stop.abort();
  await Promise.all(producing);
  const faults = await finish(actors);
  const kills = [...killed].map(([name, count]) => `${name} ${count}`).join(', ');
  console.log(
    `killed while running: ${kills}; ${sent.size} calls; ${broken} laws broken meanwhile`,
  );
  for (const fault of faults) console.log(fault);
  if (faults.length === 0)
    console.log('every call is there once, and Stripe was told each month once');
  return broken + faults.length === 0 ? 0 : 1;
}

function start(name: string, args: readonly string[]): Actor {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: postgres.url,
      SPANLEDGER_LOG_LEVEL: 'silent',
      SPANLEDGER_QUEUE_URL: queueUrl,
      ...{ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' },
      AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${queue.port}`,
      STRIPE_API_KEY: double.apiKey,
      STRIPE_API_BASE: double.url,
      STRIPE_WEBHOOK_SECRET: 'whsec_of_nobody',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  return { name, args, child };
}

/** A call of the month that is billed or of this one, under an id that nobody had. */
function nextCall(way: string) {
  const event_id = `${way}-${sent.size}-${random(1_000_000)}`;
  const day = String(1 + random(27)).padStart(2, '0');
  const occurred_at = random(4) === 0 ? new Date().toISOString() : `${MONTH}-${day}T12:00:00Z`;
  return nativeEvent({ event_id, occurred_at, tenant_id: `t${random(TENANTS)}` });
}

/** Messages of some calls, one in five of them twice. */
async function sendByQueue(stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const events = Array.from({ length: 1 + random(10) }, () => nextCall('q'));
    const body = JSON.stringify({ events });
    queue.sendMessage('usage', body);
    if (random(5) === 0) queue.sendMessage('usage', body);
    for (const { event_id } of events) sent.add(event_id);
    await later(400);
  }
}

/** Requests of some calls, each sent until it is answered 2xx, as every producer does. */
async function sendByHttp(stop: AbortSignal, server: () => Actor | undefined): Promise<void> {
  while (!stop.aborted) {
    const events = Array.from({ length: 1 + random(10) }, () => nextCall('h'));
    for (const { event_id } of events) sent.add(event_id);
    while ((await post(events, await urlOf(server()))) !== 202) await later(100);
    await later(400);
  }
}

/** Null where the server ended before it said where it listens. */
async function urlOf(actor: Actor | undefined): Promise<string | null> {
  if (actor === undefined) return null;
  const { child } = actor;
  const known = urls.get(child);
  if (known !== undefined) return known;
  const url = Promise.race([
    once(child.stdout ?? child, 'data').then(([line]) => String(JSON.parse(String(line)).url)),
    once(child, 'exit').then(() => null),
  ]);
  urls.set(child, url);
  return url;
}

async function post(events: readonly object[], url: string | null): Promise<number | null> {
  if (url === null) return null;
  try {
    const response = await fetch(`${url}/v1/events`, {
      method: 'POST',
      body: JSON.stringify(events),
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    });
    return response.status;
  } catch {
    return null;
  }
}

async function countBroken(when: string): Promise<number> {
  const laws = await brokenLaws(database);
  for (const { law, violations } of laws) console.log(when, `law ${law}:`, violations.slice(0, 3));
  return laws.length;
}

/** Lets the workers work off the queue and the month end, and compares what was sent, posted and told. */
async function finish(actors: readonly Actor[]): Promise<readonly string[]> {
  await ended(start('worker', ['worker', '--until-empty', '--json']));
  for (const { child } of actors) child.kill('SIGKILL');
  const month = await ended(start('month', ['run-month', MONTH, '--out', folder, '--json']));
  const verified = await ended(start('verify', ['verify', '--json']));
  const { rows } = await database.pool.query<{ event_id: string; times: bigint }>(
    `select event_id, count(*) as times from entries where kind = 'usage' group by event_id`,
  );
  const posted = new Set(rows.map((row) => row.event_id));
  const twice = rows.filter((row) => row.times !== 1n);
  const lost = [...sent].filter((id) => !posted.has(id));
  const foreign = [...posted].filter((id) => !sent.has(id));
  const told = double.control.meterEvents().reduce((sum, { value }) => sum + BigInt(value), 0n);
  const due = await database.pool.query<{ due: string }>(
    'select coalesce(sum(billable_micro), 0)::text as due from closes',
  );
  const faults: readonly (readonly [string, boolean])[] = [
    [`the month ended with ${month}`, month !== 0],
    [`verify ended with ${verified}`, verified !== 0],
    [`${lost.length} calls are lost, such as ${lost[0]}`, lost.length > 0],
    [`${twice.length} calls are there twice`, twice.length > 0],
    [`${foreign.length} calls were sent by nobody`, foreign.length > 0],
    [`Stripe was told ${told} of ${due.rows[0]?.due}`, String(told) !== due.rows[0]?.due],
  ];
  return faults.filter(([, isFault]) => isFault).map(([fault]) => fault);
}

async function ended({ child }: Actor): Promise<number | null> {
  child.stdout?.resume();
  const [exitCode] = await once(child, 'exit');
  return exitCode;
}

function later(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

/** A generator of whole numbers below a bound, the same for a seed: the kills are drawn by it. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
