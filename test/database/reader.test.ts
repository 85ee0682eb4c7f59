import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeRoles } from '../../src/database/roles.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

let owner: TestDatabase;
let drop: () => Promise<void>;
const clock = () => Date.parse('2026-11-02T00:00:00Z');

beforeAll(async () => {
  ({ database: owner, drop } = await createDatabase());
  await importBooks(owner, 'standard', 'cost');
  await makeRoles(owner);
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

afterAll(() => drop());

/** As a user who was granted the role and nothing else. */
const ask = (...args: readonly string[]) =>
  cli(args, {
    DATABASE_URL: `${owner.url}?options=-c%20role%3Dspanledger_reader`,
    SPANLEDGER_LOG_LEVEL: 'silent',
  });

it.each([
  { args: ['statement', 'acme', '2026-10'], says: '0.00' },
  { args: ['statement', 'acme', '2026-10', '--proof'], says: 'acme' },
  { args: ['report', 'usage', '--by', 'tenant,user', '--month', '2026-10'], says: 'acme' },
  { args: ['report', 'runs'], says: 'run-1' },
  { args: ['report', 'coverage', '--month', '2026-10'], says: 'tenant' },
  { args: ['report', 'cost-drift'], says: 'openai' },
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
