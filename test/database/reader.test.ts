import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { makeRoles } from '../../src/database/roles.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { type Login, makeLogin } from '../support/login.ts';

let owner: TestDatabase;
let drop: () => Promise<void>;
let login: Login;
const clock = () => Date.parse('2026-11-02T00:00:00Z');

beforeAll(async () => {
  ({ database: owner, drop } = await createDatabase());
  await importBooks(owner, 'standard', 'cost');
  await makeRoles(owner);
  login = await makeLogin(owner, 'spanledger_reader');
  await makeTenant(owner, 'acme', { mode: 'live', stripeCustomer: 'cus_acme' });
  const call = { trace_id: 't', agent_run_id: 'run-1' };
  await receiveEvents(owner, [
    nativeEvent(call),
    { ...nativeEvent(), event_id: 'bad', attempt: 0 },
  ]);
  await closePeriods({ database: owner, clock }, { month: '2026-10', tenant_id: null });
  await foldAll(owner, clock);
  await sealAll(owner, clock);
});

afterAll(async () => {
  await login.drop();
  await drop();
});

/** As a user who was granted the role and nothing else. */
const ask = (...args: readonly string[]) =>
  cli(args, { DATABASE_URL: login.url, SPANLEDGER_LOG_LEVEL: 'silent' });

it.each([
  { args: ['statement', 'acme', '2026-10'], says: '0.00' },
  { args: ['statement', 'acme', '2026-10', '--proof'], says: 'acme' },
  { args: ['report', 'usage', '--by', 'tenant,user', '--month', '2026-10'], says: 'acme' },
  { args: ['report', 'runs'], says: 'run-1' },
  { args: ['report', 'coverage', '--month', '2026-10'], says: 'tenant' },
  { args: ['report', 'cost-drift'], says: 'openai' },
  { args: ['report', 'counts'], says: 'reported' },
  { args: ['report', 'leavers'], says: 'nobody left' },
  { args: ['verify'], says: 'law 13  holds' },
  { args: ['audit', 'event', 'default', 'evt-1'], says: 'posted for acme' },
  { args: ['audit', 'entry', 'ent_1000000'], says: 'posted for acme' },
  { args: ['audit', 'line', 'acme', '2026-10', '1'], says: 'which is the line exactly' },
  { args: ['audit', 'run', 'run-1'], says: 'answered' },
  { args: ['reconcile', '2026-10'], says: 'Stripe was not asked' },
  { args: ['issuer', 'show'], says: 'nobody is named yet' },
  { args: ['tenant', 'list'], says: 'cus_acme' },
  { args: ['tenant', 'show', 'acme'], says: '2026-10-01' },
  { args: ['period', 'list'], says: 'acme' },
  { args: ['push', 'list'], says: 'nothing was told' },
  { args: ['price-book', 'list'], says: 'standard' },
  { args: ['quarantine', 'list'], says: 'invalid field' },
  { args: ['seal', 'list'], says: 'SEALED' },
  { args: ['stripe', 'alerts'], says: 'no open alerts' },
])('an auditor, who may only read, runs $args', async ({ args, says }) => {
  const { stdout, stderr } = await ask(...args);
  expect(stderr).toBe('');
  expect(stdout).toContain(says);
});

it.each([
  { args: ['close', '2026-10'] },
  { args: ['tenant', 'set', 'acme', '--mode', 'shadow'] },
  { args: ['key', 'list'] },
])('and is refused $args', async ({ args }) => {
  const { exitCode, stderr } = await ask(...args);
  expect(stderr).toContain('permission denied');
  expect(exitCode).toBe(3);
});

it('is told to wait while batches are neither in the rollups nor in the chain', async () => {
  await receiveEvents(owner, [nativeEvent({ event_id: 'fresh' })], '2026-11-02T00:00:00Z');
  const { exitCode, stderr } = await ask('report', 'usage', '--by', 'tenant');
  expect(stderr).toContain(
    '1 recorded batch is not yet in the rollups, and this user may only read',
  );
  expect(exitCode).toBe(3);
});

it('is given files that nobody else may read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spanledger-files-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const files = [
    ['statement', 'acme', '2026-10', '--format', 'html'],
    ['statement', 'acme', '2026-10', '--proof'],
    ['export', 'focus', '2026-10'],
    ['export', 'journal', '2026-10'],
  ];
  for (const [at, args] of files.entries()) {
    const file = join(folder, String(at));
    expect((await ask(...args, '--out', file)).stderr).toBe('');
    expect((await stat(file)).mode & 0o777, args.join(' ')).toBe(0o600);
  }
});
