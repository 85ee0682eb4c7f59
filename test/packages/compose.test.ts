import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { connect } from '../../src/aws/sqs-client.ts';
import { type CliProcess, cli, startCli } from '../support/cli.ts';
import { freshDatabase, textRows } from '../support/database.ts';
import { ROOT } from '../support/source-files.ts';
import { brokenLaws } from '../support/worker.ts';

/** The parts of the compose file, started as processes: its commands, its environment, its queues. */

interface Service {
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly image?: string;
}

const compose = parse(readFileSync(join(ROOT, 'infra/compose.yaml'), 'utf8'), { merge: true });
const services: Readonly<Record<string, Service>> = compose.services;

function serviceOf(name: string): Service {
  const service = services[name];
  if (service === undefined) throw new Error(`the compose file has no service ${name}`);
  return service;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (typeof address !== 'object' || address === null) throw new Error('no free port');
  return address.port;
}

/** What the file calls by names and ports of its network, as this machine reaches it. */
type Addresses = Readonly<Record<string, string>>;

function reach(text: string, addresses: Addresses): string {
  return Object.entries(addresses).reduce((said, [from, to]) => said.replaceAll(from, to), text);
}

/** Starts a service of the file as it says, or with other arguments in its environment. */
function start(name: string, addresses: Addresses, command = serviceOf(name).command): CliProcess {
  return startCli(
    command.map((arg) => reach(arg, addresses)),
    environmentOf(name, addresses),
  );
}

function environmentOf(name: string, addresses: Addresses): Readonly<Record<string, string>> {
  const { environment = {} } = serviceOf(name);
  return Object.fromEntries(
    Object.entries(environment).map(([variable, value]) => [variable, reach(value, addresses)]),
  );
}

/** The queue server, by the very package and the very queues that the file names. */
async function startQueue(port: number): Promise<void> {
  const { command, environment = {} } = serviceOf('queue');
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(command).toContain(`fauxqs@${manifest.devDependencies.fauxqs}`);
  const folder = mkdtempSync(join(tmpdir(), 'spanledger-queue-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const init = join(folder, 'queues.json');
  writeFileSync(init, compose.configs.queues.content);
  const given = { ...environment, FAUXQS_PORT: String(port), FAUXQS_INIT: init };
  const server = spawn(process.execPath, [join(ROOT, 'node_modules/fauxqs/dist/cli.js')], {
    env: { PATH: process.env['PATH'] ?? '', ...given },
    stdio: 'ignore',
  });
  onTestFinished(() => void server.kill('SIGKILL'));
  await until(async () => (await fetch(`http://127.0.0.1:${port}/health`)).ok);
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await isSo().catch(() => false)) return;
    await after(100);
  }
  throw new Error('it did not come to be so within a minute');
}

const eventsOf = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => ({
    event_id: `event-${from + n}`,
    occurred_at: new Date().toISOString(),
    status: 'ok',
    tenant_id: `tenant-${n % 7}`,
    requested_model: 'gpt-4o',
    usage: { input_tokens: 1_000, output_tokens: 100 },
  }));

it('the parts work together, and a killed worker, a redrive and a deploy lose and double nothing', async () => {
  const database = await freshDatabase({ schema: 'empty' });
  const [queuePort, servePort, stripePort] = [await freePort(), await freePort(), await freePort()];
  const addresses = {
    'postgres://spanledger:spanledger@postgres:5432/spanledger': database.url,
    'http://queue:4566': `http://127.0.0.1:${queuePort}`,
    '8080': String(servePort),
    '12111': String(stripePort),
  };
  await startQueue(queuePort);
  const migrated = await cli(serviceOf('migrate').command, environmentOf('migrate', addresses));
  expect(migrated, migrated.stderr).toMatchObject({ exitCode: 0 });
  const key = await cli(
    ['key', 'create', '--role', 'ingest', '--source', 'app', '--json'],
    environmentOf('migrate', addresses),
  );
  start('stripe', addresses);
  start('serve', addresses);
  const url = `http://127.0.0.1:${servePort}`;
  await until(async () => (await fetch(`${url}/readyz`)).ok);

  // A producer sends what the first worker is killed with, and more of it afterwards.
  const { key: bearer } = JSON.parse(key.stdout);
  const send = async (from: number, to: number) => {
    const answer = await fetch(`${url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      body: JSON.stringify({ events: eventsOf(from, to) }),
    });
    expect(answer.status, await answer.text()).toBeLessThan(300);
  };
  for (let from = 0; from < 3_000; from += 100) await send(from, from + 100);
  const countEntries = async () => {
    const rows = await textRows(database, 'select count(*)::int as entries from audit.entries');
    return Number(rows[0]?.['entries']);
  };
  const killed = start('worker', addresses);
  await until(async () => (await countEntries()) > 0);
  killed.kill('SIGKILL');
  await killed.finished;

  // A dead letter that is sent back is a new message; given twice, its events are there already.
  const sqs = connect(
    { endpoint: addresses['http://queue:4566'], region: null },
    { requestTimeoutMs: 10_000, maxSockets: 4 },
  );
  onTestFinished(() => sqs.destroy());
  const usage = reach(serviceOf('worker').environment?.['SPANLEDGER_QUEUE_URL'] ?? '', addresses);
  const letters = `${usage}-dead-letters`;
  const redriven = eventsOf(0, 51).map((event) => ({ ...event, source: 'redriven' }));
  const body = JSON.stringify({ events: redriven });
  await sqs.send(new SendMessageCommand({ QueueUrl: letters, MessageBody: body }));
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: letters }));
  for (const { Body = '' } of [...Messages, ...Messages]) {
    await sqs.send(new SendMessageCommand({ QueueUrl: usage, MessageBody: Body }));
  }

  // A deploy: the new worker begins before the old one has drained.
  const left = await countEntries();
  const before = start('worker', addresses);
  await until(async () => (await countEntries()) > left);
  const next = start('worker', addresses);
  before.kill('SIGTERM');
  expect(await before.finished).toMatchObject({ exitCode: 0 });
  await send(3_000, 3_100);
  await until(async () => (await countEntries()) === 3_100 + 51);
  next.kill('SIGTERM');
  expect(await next.finished).toMatchObject({ exitCode: 0 });
  const twice = await textRows(
    database,
    'select event_id from audit.entries group by source, event_id having count(*) > 1',
  );
  expect(twice).toEqual([]);
  expect(await brokenLaws(database)).toEqual([]);
  const set = await cli(['stripe', 'setup', '--json'], environmentOf('serve', addresses));
  expect(set, set.stderr).toMatchObject({ exitCode: 0 });
});

it('every part that is not ours waits for nobody, and ours wait for what they need', () => {
  const waits = Object.entries(services).map(([name, { depends_on = {} }]) => [
    name,
    Object.keys(depends_on),
  ]);
  expect(Object.fromEntries(waits)).toEqual({
    postgres: [],
    queue: [],
    stripe: [],
    migrate: ['postgres'],
    worker: ['migrate', 'queue'],
    serve: ['migrate'],
  });
});
