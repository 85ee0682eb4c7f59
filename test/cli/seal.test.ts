import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { startS3 } from '../support/s3-server.ts';
import { tamper } from '../support/tamper.ts';

let database: TestDatabase;
let drop: () => Promise<void>;
let folder: string;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  folder = await mkdtemp(join(tmpdir(), 'spanledger-seal-'));
  await importBooks(database, 'standard', 'cost');
  await receiveEvents(database, [nativeEvent(), nativeEvent({ event_id: 'evt-2' })]);
  const clock = () => Date.parse('2026-11-01T00:00:00Z');
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
});

afterAll(async () => {
  await drop();
  await rm(folder, { recursive: true });
});

const run = (...args: readonly string[]) =>
  cli(args, { DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'silent' });

it('publishes the chain to a file, and finds by it what was written anew', async () => {
  // given a chain that was published
  const file = join(folder, 'seals.jsonl');
  const published = await run('seal', 'publish', '--to', file);
  expect(published.exitCode, published.stderr).toBe(0);
  expect(published.stdout).toMatch(/^published to .*: 1 day, the last is seal 1, [0-9a-f]{64}\n$/);
  expect((await run('seal', 'publish', '--to', file)).stdout).toMatch(/^nothing was sealed since/);
  const [line, ...rest] = (await readFile(file, 'utf8')).split('\n');
  expect(rest).toEqual(['']);
  expect(JSON.parse(line ?? '')).toMatchObject({ format: 'spanledger-published-seal-1', seal: 1 });
  const listed = JSON.parse((await run('seal', 'list', '--json')).stdout);
  expect(listed).toMatchObject([
    { seal_number: '1', entries: 2, seal_hash: JSON.parse(line ?? '').hash },
  ]);
  const compared = await run('verify', '--against', file);
  expect(compared.exitCode).toBe(0);
  // Nobody is to take silence for a law that held, or for a comparison that was made.
  expect(compared.stdout).toContain('left out: law 6, what Stripe counted: nobody could ask it');
  expect(compared.stdout).toMatch(
    /^compared with \d+ published seals? of .*, the last of them number \d+$/m,
  );

  // when the chain is written anew
  await tamper(database, 'delete from seals; insert into seal_queue select batch_id from batches');

  // then the file shows it, to verify and to the next publication
  const verified = await run('verify', '--incremental', '--against', file);
  expect(verified.exitCode).toBe(1);
  expect(verified.stdout).toContain('seal 1 is not the one that was published');
  const again = await run('seal', 'publish', '--to', file);
  expect(again.exitCode).toBe(1);
  expect(again.stderr).toContain('seal 1, published for');
});

it('publishes to a bucket under object lock, and finds by it what was written anew', async () => {
  // given a chain that was published there
  const s3 = await startS3();
  s3.makeBucket('acme-audit');
  const place = 's3://acme-audit/seals';
  const onS3 = (...args: readonly string[]) =>
    cli(args, { DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'silent', ...s3.environment });
  const publish = ['seal', 'publish', '--to', place, '--retain-days', '400'];
  const published = await onS3(...publish);
  expect(published.stdout, published.stderr).toMatch(
    /^published to s3:\/\/acme-audit\/seals: 1 day, the last is seal 1, [0-9a-f]{64}\n$/,
  );
  expect((await onS3(...publish)).stdout).toMatch(/^nothing was sealed since the last seal in s3:/);
  const [version, ...others] = s3.versions('acme-audit');
  expect(others).toEqual([]);
  expect(version?.key).toMatch(/^seals\/\d{4}-\d{2}-\d{2}-seal-1\.jsonl$/);
  expect(version?.lockMode).toBe('COMPLIANCE');
  const days = (Date.parse(version?.retainUntil ?? '') - Date.now()) / 86_400_000;
  expect(Math.round(days)).toBe(400);

  // when the chain is written anew, a moment later
  await tamper(database, 'delete from seals; insert into seal_queue select batch_id from batches');

  // then the bucket shows it
  const verified = await onS3('verify', '--incremental', '--against', place);
  expect(verified.stdout).toContain('seal 1 is not the one that was published');
  expect(verified.exitCode).toBe(1);
});

it('writes a proof that another machine can check, and that fails when a digit of it changes', async () => {
  const file = join(folder, 'proof.json');
  const written = await run('statement', 'acme', '2026-10', '--proof', '--out', file);
  expect(written.stdout).toBe(`wrote ${file}: the proof of 2 entries\n`);
  const sound = await cli(['prove', file], {});
  expect(sound.exitCode, sound.stdout).toBe(0);
  expect(sound.stdout).toMatch(/^statement {2}holds {2}all 2 entries sum to /m);

  await writeFile(file, (await readFile(file, 'utf8')).replace('\\tevt-2\\t', '\\tevt-3\\t'));
  const altered = await cli(['prove', file, '--json'], {});
  expect(altered.exitCode).toBe(1);
  const steps: { step: string; holds: boolean }[] = JSON.parse(altered.stdout).steps;
  expect(steps.find((step) => !step.holds)?.step).toBe('root');

  const page = join(folder, 'proof.html');
  await run(
    'statement',
    'acme',
    '2026-10',
    '--proof',
    '--format',
    'html',
    '--line',
    '1',
    '--out',
    page,
  );
  expect(await readFile(page, 'utf8')).toContain('function checkProof(proof');
});

it.concurrent.each([
  {
    args: ['statement', 'acme', '2026-10', '--line', '1'],
    exitCode: 2,
    says: '--line goes with --proof',
  },
  {
    args: ['statement', 'acme', '2026-10', '--proof', '--line', '9'],
    exitCode: 1,
    says: 'give one of: 1 gpt-4o input, 2 gpt-4o output',
  },
  {
    args: ['statement', 'acme', '2026-10', '--proof', '--format', 'pdf'],
    exitCode: 2,
    says: 'a proof has no pdf form',
  },
  { args: ['prove', '/does/not/exist'], exitCode: 2, says: 'cannot open /does/not/exist' },
  {
    args: ['verify', '--against', '/does/not/exist'],
    exitCode: 1,
    says: 'no seal is published at /does/not/exist',
  },
  {
    args: ['verify', '--against', '/'],
    exitCode: 2,
    says: 'cannot open /: it is a folder',
  },
  { args: ['verify', '--full', '--incremental'], exitCode: 2, says: 'cannot be used with' },
  {
    args: ['seal', 'publish', '--to', 's3://bucket/seals'],
    exitCode: 2,
    says: 'such as "spanledger seal publish --to s3://bucket/seals --retain-days 2557"',
  },
  {
    args: ['seal', 'publish', '--to', 's3://B/seals', '--retain-days', '1'],
    exitCode: 2,
    says: 'write s3://BUCKET or s3://BUCKET/PREFIX',
  },
  {
    args: ['seal', 'publish', '--to', 'seals.jsonl', '--lock-mode', 'compliance'],
    exitCode: 2,
    says: 'a retention and a lock mode go with a bucket, and seals.jsonl is a file',
  },
  {
    args: ['seal', 'publish', '--to', 's3://acme-audit', '--retain-days', '1'],
    exitCode: 2,
    says: 'set AWS_REGION',
  },
])('spanledger $args is refused', async ({ args, exitCode, says }) => {
  const result = await run(...args);
  expect(result.stderr).toContain(says);
  expect(result.exitCode).toBe(exitCode);
});
