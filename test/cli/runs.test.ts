import { afterAll, beforeAll, expect, it } from 'vitest';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

let database: TestDatabase;
let drop: () => Promise<void>;

const SPAN = { agent_run_id: 'run-1', trace_id: 'trace-1', parent_span_id: 'a', feature: 'search' };

/** An agent whose first call failed, and which then asked the same four times with more each time. */
beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  const usage = (input_tokens: number) => ({ input_tokens, output_tokens: 0 });
  await receiveEvents(database, [
    nativeEvent({
      ...SPAN,
      event_id: 'agent',
      operation: 'invoke_agent',
      started_at: '2026-10-15T11:00:00Z',
      span_id: 'a',
      parent_span_id: null,
    }),
    nativeEvent({
      ...SPAN,
      event_id: 'failed',
      status: 'error',
      error_type: 'timeout',
      occurred_at: '2026-10-15T11:59:00Z',
      usage: usage(2000),
    }),
    ...[1, 2, 3, 4].map((n) =>
      nativeEvent({
        ...SPAN,
        event_id: `step-${n}`,
        attempt: n === 1 ? 2 : 1,
        occurred_at: `2026-10-15T12:00:0${n}Z`,
        usage: usage(n * 1000),
      }),
    ),
  ]);
  const clock = () => Date.parse('2026-11-01T00:00:00Z');
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
});

afterAll(() => drop());

const run = (...args: readonly string[]) =>
  cli(args, { DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'silent' });

it('audit run draws the tree with tokens, amounts, attempts and the loop', async () => {
  const { stdout, exitCode } = await run('audit', 'run', 'run-1');
  expect(exitCode).toBe(0);
  // 2,000 failed + 1,000 + 2,000 + 3,000 of 12,000 tokens at 2.50 a million: 0.02 of 0.03
  expect(stdout).toMatchInlineSnapshot(`
    "Run run-1 of tenant acme: answered
    5 calls, 1 failed, 1 loop; charge 0.03, cost 0.03 USD
    66.66 % of the cost, 0.02, was spent before the answer

    STEP            STATUS           INPUT  CHARGE    COST
    invoke_agent    ok              12,000   0.03   0.03
    ├─ chat gpt-4o  error: timeout   2,000   0      0.005
    ├─ chat gpt-4o  ok               1,000   0.003  0.0025  attempt 2, loop 1: step…
    ├─ chat gpt-4o  ok               2,000   0.006  0.005   loop 1: step 2 of 4
    ├─ chat gpt-4o  ok               3,000   0.009  0.0075  loop 1: step 3 of 4
    └─ chat gpt-4o  ok               4,000   0.012  0.01    loop 1: step 4 of 4
    (--wide shows OUTPUT, ENTRY and what ends in …)

    a failed call is not charged
    charged on the model requested, gpt-4o, at price book standard of 2026-01-01T00:00:00Z
    costed on the model executed, gpt-4o, at price book provider-list of 2026-01-01T00:00:00Z
    "
  `);
});

it('report runs puts what was spent before the answer beside the cost, by run, feature and tenant', async () => {
  const [byRun, byFeature, byTenant] = await Promise.all(
    ['run', 'feature', 'tenant'].map((by) => run('report', 'runs', '--by', by)),
  );
  expect(byRun?.stdout).toMatchInlineSnapshot(`
    "TENANT  RUN    ANSWER  CALLS       CHARGE  COST  BEFORE ANSWER  % OF COST
    acme    run-1  yes         5  USD    0.03  0.03           0.02      66.66
    total          1 of 1      5  USD    0.03  0.03           0.02      66.66
    (--wide shows FAILED, RETRIES, LOOPS)

    Attribution coverage 100.00 %: 0.03 of 0.03 USD of cost belongs to a tenant
    "
  `);
  expect(byFeature?.stdout.split('\n')[1]).toMatch(/^search .* 66\.66$/m);
  expect(byTenant?.stdout.split('\n')[1]).toMatch(/^acme .* 66\.66$/m);
});

it('report runs --json has exact amounts as strings, and the coverage that every report has', async () => {
  const { stdout } = await run('report', 'runs', '--json');
  const { rows, totals, coverage, ...rest } = JSON.parse(stdout);
  expect(rest).toEqual({
    ...{ by: 'run', as_of: null, loop_steps: 4 },
    ...{ next_cursor: null, rows_in_all: 1, rows_with_waste: 1 },
  });
  expect(coverage).toMatchObject([{ currency: 'USD', share: '100.00' }]);
  const [{ tenant, run: runId, ...figures }] = rows;
  expect({ tenant, runId }).toEqual({ tenant: 'acme', runId: 'run-1' });
  expect(totals).toEqual([figures]);
  expect(rows).toHaveLength(1);
  expect(totals).toEqual([
    {
      currency: 'USD',
      runs: 1,
      succeeded: 1,
      calls: 5,
      failed: 1,
      later_attempts: 1,
      loops: 1,
      loop_steps: 4,
      calls_without_cost_rate: 0,
      calls_without_price: 0,
      charge: '0.03',
      not_due: '0',
      cost: '0.03',
      known_cost: '0.03',
      charge_before_answer: '0.018',
      cost_before_answer: '0.02',
      share_before_answer: '66.66',
      cost_failed: '0.005',
      cost_superseded: '0',
      cost_repeated: '0.015',
      cost_per_success: '0.03',
    },
  ]);
});

it('audit line lists the lines of a statement, and the entries behind one', async () => {
  const [lines, line] = await Promise.all([
    run('audit', 'line', 'acme', '2026-10'),
    run('audit', 'line', 'acme', '2026-10', '1', '--limit', '1'),
  ]);
  expect(lines?.stdout).toMatchInlineSnapshot(`
    "LINE  MODEL   METER  TIER      QUANTITY  RATE  EXACT  AMOUNT
       1  gpt-4o  input  standard    10,000     3   0.03    0.03
    "
  `);
  expect(line?.stdout.replaceAll(/ent_\d+/g, 'ent_…')).toMatchInlineSnapshot(`
    "Line 1 of the statement of acme from 2026-10-01: gpt-4o input
    10,000 at 3 = 0.03 USD, on the statement 0.03
    input that no cache held, at the input rate of the model requested
    price: standard of 2026-01-01T00:00:00Z
    4 entries sum to 0.03, which is the line exactly

    ENTRY        COMPLETED             SOURCE   EVENT   KIND   QUANTITY  EXACT
    ent_…  2026-10-15T12:00:01Z  default  step-1  usage     1,000  0.003
    3 more (--limit shows them)
    "
  `);
});

it('what is not there is refused with the remedy', async () => {
  const [unknownRun, unknownLine] = await Promise.all([
    run('audit', 'run', 'run-9'),
    run('audit', 'line', 'acme', '2026-10', '7'),
  ]);
  expect(unknownRun?.exitCode).toBe(1);
  expect(unknownRun?.stderr).toContain('there is no run "run-9"');
  expect(unknownLine?.stderr).toContain('no line 7');
});
