import { afterAll, beforeAll, expect, it } from 'vitest';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

let database: TestDatabase;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  const at = { occurred_at: '2026-01-15T12:00:00Z' };
  await receiveEvents(database, [
    nativeEvent({ ...at, event_id: 'e1' }),
    nativeEvent({ ...at, event_id: 'e2', usage: { input_tokens: 200, output_tokens: 400 } }),
    nativeEvent({ ...at, event_id: 'e3', tenant_id: 'birch' }),
  ]);
});

afterAll(() => drop());

const run = (...args: readonly string[]) =>
  cli(args, { DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'silent' });

it('allocates a pool, shows it, takes it back, and lists it', async () => {
  const posted = await run(
    'allocate',
    'gpu',
    '--amount',
    '10',
    '--month',
    '2026-01',
    '--by',
    'activity',
  );
  expect(posted).toMatchObject({ exitCode: 0, stderr: '' });
  expect(withoutIds(posted.stdout)).toBe(`gpu 2026-01: 10 USD over 3 calls
posted

TENANT  WEIGHT  % OF ALL            COST  PLACE  PERIOD      ENTRY
acme         2     66.67  6.666666666667      1  2026-01-01  ent_…
birch        1     33.33  3.333333333333      2  2026-01-01  ent_…
`);
  const other = await run(
    'allocate',
    'gpu',
    '--amount',
    '9',
    '--month',
    '2026-01',
    '--by',
    'activity',
  );
  expect(other).toMatchObject({ exitCode: 1, stdout: '' });
  expect(other.stderr).toBe(
    `error: pool "gpu" stands for 2026-01 with other content: 10 USD by activity
  take it back first with "spanledger allocate reverse gpu --month 2026-01", then allocate again; or name another pool
`,
  );
  const shown = await run('allocate', 'show', 'gpu', '--month', '2026-01', '--json');
  expect(JSON.parse(shown.stdout)).toMatchObject({
    state: 'standing',
    shares: [{ explanation: 'shared spend: 2 of 3 calls, remainder place 1, rounded up' }, {}],
  });
  const reverse = ['allocate', 'reverse', 'gpu', '--month', '2026-01', '--reason', 'wrong bill'];
  expect((await run(...reverse)).stdout).toContain('taken back');
  const listed = await run('allocate', 'list');
  expect(listed.stdout).toBe(`POOL  MONTH    STATE     AMOUNT  BY        BILLED
gpu   2026-01  reversed  10 USD  activity  no
`);
});

it('backtests both allocations, and prints weights that can be fed back', async () => {
  const result = await run(
    'allocate',
    'backtest',
    '--month',
    '2026-01',
    '--weight',
    'input=1,output=1',
    '--wide',
  );
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  // Acme's entries cost 3500 + 4500 µ, birch's 3500 µ. Two of three calls, 1700 of 2800 tokens.
  expect(result.stdout).toBe(`0.0115 USD divided each way, beside what each tenant's entries cost

TENANT    DIRECT  ACTIVITY       MORE  % OF DIRECT  WEIGHTED       MORE  % OF DIRECT    FITTED      MORE  % OF DIRECT
acme    0.008000  0.007667  -0.000333        -4.17  0.006982  -0.001018       -12.72  0.008000  0.000000         0.00
birch   0.003500  0.003833   0.000333         9.52  0.004518   0.001018        29.08  0.003500  0.000000         0.00

BY               MISALLOCATED  % OF ALL       RMS  WEIGHTS
activity             0.000333      2.90  0.000333
weighted-tokens      0.001018      8.85  0.001018  input=1,cache_read=1,cache_write=1,output=1
fitted weights       0.000000      0.00  0.000000  input=1,cache_read=0,cache_write=0,output=4
note: many weights fit alike with so few tenants (2): trust fitted weights where there are more than the 4 buckets
`);
});

it.concurrent.each([
  { args: ['gpu', '--month', '2026-01', '--by', 'activity'], says: "'--amount <amount>'" },
  { args: ['gpu', '--amount', '1', '--month', '2026-01'], says: "'--by <basis>'" },
  {
    args: ['gpu', '--amount', '1e3', '--month', '2026-01', '--by', 'direct'],
    says: 'plain amount',
  },
  {
    args: [
      'gpu',
      '--amount',
      '1',
      '--month',
      '2026-01',
      '--by',
      'activity',
      '--weight',
      'input=1,output=1',
    ],
    says: 'weights of tokens have no meaning where a pool is divided by activity',
  },
  {
    args: [
      'gpu',
      '--amount',
      '1',
      '--month',
      '2026-01',
      '--by',
      'weighted-tokens',
      '--weight',
      'input=x',
    ],
    says: 'is not a list of token weights',
  },
])('a wrong command line exits with 2: allocate $args', async ({ args, says }) => {
  const result = await run('allocate', ...args);
  expect(result).toMatchObject({ exitCode: 2, stdout: '' });
  expect(result.stderr).toContain(says);
});

function withoutIds(text: string): string {
  return text.replaceAll(/ent_\d+/g, 'ent_…');
}
