import { afterAll, beforeAll, expect, it } from 'vitest';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { count, createDatabase } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

let ledger: TestDatabase;
let drop: () => Promise<void>;
const clock = () => Date.parse('2026-10-20T00:00:00Z');

beforeAll(async () => {
  ({ database: ledger, drop } = await createDatabase());
  await importBooks(ledger, 'standard', 'cost');
  await receiveEvents(ledger, [nativeEvent()]);
  await foldAll(ledger, clock);
  await sealAll(ledger, clock);
});

afterAll(() => drop());

/** As on a standby, which refuses by the same words whatever would write. */
function ask(...args: readonly string[]) {
  const url = new URL(ledger.url);
  url.searchParams.set('options', '-c default_transaction_read_only=on');
  return cli(args, { DATABASE_URL: url.href, SPANLEDGER_LOG_LEVEL: 'silent' });
}

it.each([
  { args: ['verify'], says: 'law 13  holds' },
  { args: ['verify', '--incremental'], says: 'law 8   holds' },
  { args: ['status'], says: 'rollups behind        0 batches' },
  { args: ['report', 'usage', '--by', 'tenant'], says: 'acme' },
  { args: ['report', 'runs'], says: 'acme' },
  { args: ['period', 'list'], says: 'acme' },
  { args: ['budget', 'list'], says: 'there is no budget' },
])('a database that only reads answers $args', async ({ args, says }) => {
  const { stdout, stderr } = await ask(...args);
  expect(stderr).toBe('');
  expect(stdout).toContain(says);
  expect(await count(ledger, 'verifications')).toBe(0);
});

it('a database that only reads says what is not folded there yet, and who folds it', async () => {
  await receiveEvents(ledger, [nativeEvent({ event_id: 'later' })]);
  const { stderr, exitCode } = await ask('report', 'usage', '--by', 'tenant');
  expect(exitCode).toBe(3);
  expect(stderr).toContain(
    'error: 1 recorded batch is not yet in the rollups, and this database only reads',
  );
  expect(stderr).toContain('or ask the server that writes');
});

it('a database that only reads takes no adjustment', async () => {
  const { stderr, exitCode } = await ask('adjust', 'acme', '--amount', '1', '--reason', 'a fee');
  expect(exitCode).toBe(3);
  expect(stderr).toContain('the database only reads');
});
