import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/aws/sqs-client.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { systemClock } from '../../src/clock.ts';
import { type LocalQueue, startLocalQueue } from '../../src/demo/local-queue.ts';
import { openLog } from '../../src/log.ts';
import { settingsAnswer, settingsRequest } from '../../src/setup/settings-answer.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase } from '../support/database.ts';

let folder: string;
let database: TestDatabase;
let queue: LocalQueue;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanledger-init-'));
  closing.push(() => rm(folder, { recursive: true }));
  const created = await createDatabase({ schema: 'empty' });
  database = created.database;
  closing.push(created.drop);
  queue = await startLocalQueue();
  closing.push(() => queue.stop());
});

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

const place = (name: string) => join(folder, name);
const environment = () => ({
  AWS_ENDPOINT_URL_SQS: queue.endpoint,
  SPANLEDGER_LOG_LEVEL: 'silent',
});

/** The variables that a shell has after it has read the file. */
function sourced(file: string): Readonly<Record<string, string>> {
  const script = `env -i sh -c 'set -a; . ${file}; env'`;
  const lines = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
  return Object.fromEntries(lines.map((line) => /^(\w+)=(.*)$/.exec(line)?.slice(1) ?? []));
}

async function redriveOf(queueUrl: string): Promise<unknown> {
  const address = { endpoint: queue.endpoint, region: null };
  const sqs = connect(address, { requestTimeoutMs: 10_000, maxSockets: 2 });
  const command = new GetQueueAttributesCommand({
    QueueUrl: queueUrl,
    AttributeNames: ['RedrivePolicy'],
  });
  const { Attributes } = await sqs.send(command);
  sqs.destroy();
  return JSON.parse(Attributes?.['RedrivePolicy'] ?? 'null');
}

describe('init, without questions', () => {
  it('makes the queue with its dead letters, and writes what a shell can read', async () => {
    const out = place('made.env');
    const url = `${database.url}?application_name=it's%20ours&x=1`;
    const args = [
      '--out',
      out,
      '--database-url',
      url,
      '--queue',
      'calls',
      '--region',
      'eu-north-1',
    ];
    const { stdout, exitCode } = await cli(['init', ...args, '--json'], environment());
    const answer = settingsAnswer.parse(JSON.parse(stdout));
    expect(answer.lacks).toEqual([]);
    expect(exitCode).toBe(0);
    expect(answer.queue).toMatchObject({ state: 'made', dead_letters: 'calls-dead-letters' });
    const queueUrl = answer.queue?.queue_url ?? '';
    expect(await redriveOf(queueUrl)).toMatchObject({
      deadLetterTargetArn: expect.stringMatching(/:calls-dead-letters$/),
      maxReceiveCount: 10,
    });
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    expect(sourced(out)).toMatchObject({
      DATABASE_URL: url,
      SPANLEDGER_QUEUE_URL: queueUrl,
      AWS_REGION: 'eu-north-1',
      AWS_ENDPOINT_URL_SQS: queue.endpoint,
    });
  });

  it('finds a queue of that name, and says what to do next', async () => {
    const out = place('found.env');
    const args = ['--out', out, '--queue', 'usage', '--stripe-key-file', 'stripe.key'];
    const variables = { ...environment(), DATABASE_URL: database.url };
    const { stdout, exitCode } = await cli(['init', ...args], variables);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(' was there; what fails ten times goes to usage-dead-letters\n');
    expect(stdout).toContain(`Next:\n  set -a; . ${out}; set +a\n  spanledger migrate\n`);
    expect(sourced(out)['STRIPE_API_KEY_FILE']).toMatch(/^\/.*\/stripe\.key$/);
  });

  it('writes the region that the address of a queue names, and where Stripe is asked', async () => {
    const out = place('region.env');
    const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/123456789012/usage';
    const { exitCode } = await cli(
      ['init', '--out', out, '--database-url', database.url, '--queue', queueUrl],
      { STRIPE_API_KEY: 'sk_test_double', STRIPE_API_BASE: 'http://127.0.0.1:12111' },
    );
    expect(exitCode).toBe(0);
    expect(sourced(out)).toMatchObject({
      AWS_REGION: 'eu-west-1',
      STRIPE_API_BASE: 'http://127.0.0.1:12111',
    });
  });

  it('writes over no file', async () => {
    const args = ['init', '--out', place('found.env'), '--database-url', database.url];
    const before = await readFile(place('found.env'), 'utf8');
    const { stderr, exitCode } = await cli(args, environment());
    expect(exitCode).toBe(1);
    expect(stderr).toContain('is there already');
    expect(await readFile(place('found.env'), 'utf8')).toBe(before);
  });

  it('names what does not answer, and writes the rest', async () => {
    const out = place('away.env');
    const away = { ...environment(), AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1' };
    const args = ['--out', out, '--database-url', 'postgres://a@127.0.0.1:1/b', '--queue', 'calls'];
    const { stdout, exitCode } = await cli(['init', ...args], away);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^still missing: the database could not be asked: .*ECONNREFUSED/m);
    expect(stdout).toMatch(/^still missing: the queue "calls" could not be made: /m);
    expect(sourced(out)['DATABASE_URL']).toBe('postgres://a@127.0.0.1:1/b');
  }, 30_000);
});

describe('init, at a keyboard', () => {
  it('asks for what is not given, and never shows the key', async () => {
    const out = place('asked.env');
    const key = 'rk_test_secret4711';
    const { stderr, stdout, exitCode } = await typed(
      ['init', '--out', out],
      [database.url, '', key],
    );
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain('The database, as postgres://USER:PASSWORD@HOST:5432/NAME: ');
    expect(stderr).toContain("Stripe's restricted key, rk_…; empty for later: ");
    expect(stderr + stdout).not.toContain(key);
    expect(stdout).toContain('  spanledger stripe setup\n  spanledger serve --direct\n');
    expect(sourced(out)).toMatchObject({ DATABASE_URL: database.url, STRIPE_API_KEY: key });
  });

  it('ends where the keyboard does, and writes nothing', async () => {
    const { stderr, exitCode } = await typed(['init', '--out', place('ended.env')], [database.url]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('the input ended before every question was answered');
    await expect(stat(place('ended.env'))).rejects.toThrow('ENOENT');
  });
});

async function typed(args: readonly string[], lines: readonly string[]) {
  const written = { stdout: '', stderr: '' };
  const remember = (to: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk, _encoding, done) {
        written[to] += String(chunk);
        done();
      },
    });
  const keyboard = Readable.from(typedAfter(lines, () => written.stderr));
  const stdin = Object.assign(keyboard, { isTTY: true });
  const exitCode = await runCommandLine(args, {
    environment: environment(),
    stdout: remember('stdout'),
    stderr: Object.assign(remember('stderr'), { isTTY: true }),
    stdin: () => stdin,
    openLog: (level) => openLog(level),
    clock: systemClock,
  });
  return { ...written, exitCode };
}

/** Each line once it is asked for, as a person types. */
async function* typedAfter(lines: readonly string[], shown: () => string) {
  for (const [index, line] of lines.entries()) {
    while (shown().split(/[A-Za-z…] ?[A-Za-z]*: /).length < index + 2) await setTimeout(5);
    yield `${line}\n`;
  }
}

it('a request is read by its schema, and nothing beside it', () => {
  const json = {
    ...{ file: 'a.env', database_url: 'postgres://a/b', queue: 'usage', region: null },
    ...{ endpoint: null, stripe_api_key: 'rk_test_1', stripe_api_key_file: null },
    stripe_api_base: null,
  };
  expect(settingsRequest.parse(json)).toEqual(json);
  expect(settingsRequest.safeParse({ ...json, queue: 'usage.fifo' }).success).toBe(false);
  expect(settingsRequest.safeParse({ ...json, tenant: 'acme' }).success).toBe(false);
});
