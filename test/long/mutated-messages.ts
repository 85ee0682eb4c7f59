import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { startFauxqs } from 'fauxqs';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { startEmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { importBooks } from '../support/ledger.ts';
import { mutatedBody, mutation } from '../support/mutated-body.ts';
import { producerBodies } from '../support/producer-bodies.ts';
import { brokenLaws } from '../support/worker.ts';

/**
 * Mutated bodies of every producer, each a message, against a worker of the recommended heap: it ends by
 * itself never, every message is worked off, none becomes a dead letter, and every law holds at the end.
 *
 *   node test/long/mutated-messages.ts [--messages 200000] [--seed 1] [--heap 112]
 */
const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    heap: { type: 'string', default: '112' },
  },
});
const MESSAGES = Number(values.messages);
/** Waiting at the most, so that the queue of this process stays small. */
const MOST_WAITING = 400;
const ROUND = 200;
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const postgres = await startEmbeddedPostgres();
const url = postgres.urlOf('mutated_messages');
const database = openDatabase({ url, connections: 4, onConnectionLost: () => {} });
const queue = await startFauxqs({ port: 0, logger: false });
try {
  process.exitCode = await run();
} finally {
  await closeDatabase(database);
  await queue.stop();
  await postgres.stop();
}

async function run(): Promise<number> {
  const server = openDatabase({ url: postgres.url, connections: 1, onConnectionLost: () => {} });
  await server.pool.query('create database mutated_messages');
  await closeDatabase(server);
  await migrate(database);
  await importBooks(database, 'standard', 'cost');
  const dead = queue.createQueue('dead');
  const redrive = JSON.stringify({ deadLetterTargetArn: dead.queueArn, maxReceiveCount: 5 });
  const { queueUrl } = queue.createQueue('usage', { attributes: { RedrivePolicy: redrive } });
  const begun = performance.now();
  const worker = spawn(process.execPath, [MAIN, 'worker', '--json'], {
    env: {
      ...{ PATH: process.env['PATH'], DATABASE_URL: url, SPANLEDGER_LOG_LEVEL: 'error' },
      ...{ NODE_OPTIONS: `--max-old-space-size=${values.heap}`, SPANLEDGER_QUEUE_URL: queueUrl },
      AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${queue.port}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const answered: Buffer[] = [];
  worker.stdout.on('data', (chunk: Buffer) => answered.push(chunk));
  const ended = once(worker, 'exit');
  const isRunning = () => worker.exitCode === null && worker.signalCode === null;
  await sendAll(isRunning);
  while (isRunning() && left('usage') > 0) await later(100);
  worker.kill('SIGTERM');
  const [exitCode, signal] = await ended;
  const minutes = ((performance.now() - begun) / 60_000).toFixed(1);
  const laws = await brokenLaws(database);
  console.log(Buffer.concat(answered).toString('utf8').trim());
  console.log(
    `${MESSAGES} messages in ${minutes} min at ${values.heap} MiB: exit ${exitCode ?? signal}, ${left('usage')} left, ${left('dead')} dead letters, ${laws.length} laws broken`,
  );
  for (const law of laws) console.log(law.law, law.violations.slice(0, 3));
  return exitCode === 0 && left('usage') === 0 && left('dead') === 0 && laws.length === 0 ? 0 : 1;
}

async function sendAll(isRunning: () => boolean): Promise<void> {
  const bodies = producerBodies();
  const changed = fc
    .tuple(fc.nat(), fc.array(mutation, { minLength: 1, maxLength: 6 }))
    .map(([at, mutations]) =>
      JSON.stringify(mutatedBody(bodies[at % bodies.length] ?? {}, mutations)),
    );
  for (let sent = 0; sent < MESSAGES && isRunning(); sent += ROUND) {
    const seed = Number(values.seed) + sent;
    for (const body of fc.sample(changed, { numRuns: Math.min(ROUND, MESSAGES - sent), seed }))
      queue.sendMessage('usage', body);
    if (sent % 10_000 === 0) console.error(`${sent} messages sent`);
    while (isRunning() && left('usage') > MOST_WAITING) await later(20);
  }
}

function left(name: string): number {
  const { ready, delayed, inflight } = queue.inspectQueue(name)?.messages ?? {
    ...{ ready: [], delayed: [], inflight: [] },
  };
  return ready.length + delayed.length + inflight.length;
}

function later(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
