import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  allocationAnswer,
  backtestAnswer,
  poolsAnswer,
} from '../../src/allocation/allocation-answer.ts';
import { actsAnswer } from '../../src/audit/acts/acts-answer.ts';
import { lineAnswer, linesAnswer } from '../../src/audit/line-answer.ts';
import { storyAnswer } from '../../src/audit/story-answer.ts';
import {
  budgetAnswer,
  budgetsAnswer,
  checkAnswer,
  removeBudgetAnswer,
} from '../../src/budgets/budget-answer.ts';
import { releaseHoldAnswer, reserveAnswer } from '../../src/budgets/hold-answer.ts';
import { raiseAnswer, raisesAnswer } from '../../src/budgets/raises/raise-answer.ts';
import { focusAnswer } from '../../src/exports/focus/focus-answer.ts';
import { journalAnswer } from '../../src/exports/journal/journal-answer.ts';
import {
  acceptConflictAnswer,
  dismissAnswer,
  purgeAnswer,
  quarantineAnswer,
  quarantinedAnswer,
  replayAnswer,
} from '../../src/ingest/quarantine/quarantine-answer.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import {
  closeTenantAnswer,
  keepTenantAnswer,
} from '../../src/ledger/closes/close-tenant-answer.ts';
import { adjustmentAnswer } from '../../src/ledger/corrections/adjustment-answer.ts';
import { correctWhereAnswer } from '../../src/ledger/corrections/bulk-answer.ts';
import {
  acceptAnswer,
  correctionAnswer,
  reattributeAnswer,
} from '../../src/ledger/corrections/correction-answer.ts';
import { rerateAnswer } from '../../src/ledger/corrections/rerate-answer.ts';
import {
  bookAnswer,
  booksAnswer,
  compareAnswer,
  defaultBookAnswer,
  importAnswer,
  seedAnswer,
} from '../../src/rating/books/price-book-answer.ts';
import { exchangeListAnswer } from '../../src/rating/exchange/exchange-answer.ts';
import { costDriftAnswer } from '../../src/reports/cost-drift-answer.ts';
import { countsAnswer } from '../../src/reports/counts-answer.ts';
import { leaversAnswer } from '../../src/reports/leavers-answer.ts';
import { runAnswer } from '../../src/reports/runs/run-answer.ts';
import { runsAnswer } from '../../src/reports/runs/runs-answer.ts';
import { tagCoverageAnswer } from '../../src/reports/tag-coverage-answer.ts';
import { usageAnswer, usageRequest } from '../../src/reports/usage-answer.ts';
import {
  setTenantAnswer,
  shownTenantAnswer,
  tenantsAnswer,
} from '../../src/tenants/tenant-answer.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

/** What the commands that ask and correct the ledger print with `--json` is read by their schemas, strictly. */

let database: TestDatabase;
let drop: () => Promise<void>;

/** An agent's run with a retry, a call without a tenant, one that waits, and a closed October. */
beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'birch');
  const run = { agent_run_id: 'run-1', trace_id: 'trace-1', parent_span_id: 'a' };
  await receiveEvents(database, [
    nativeEvent({ ...run, event_id: 'a', operation: 'invoke_agent', span_id: 'a' }),
    nativeEvent({ ...run, event_id: 'b', status: 'error', error_type: 'timeout' }),
    nativeEvent({ ...run, event_id: 'c', attempt: 2, feature: 'search' }),
    nativeEvent({ event_id: 'd', tenant_id: undefined }),
    nativeEvent({ event_id: 'e', tenant_id: 'cedar', usage: {} }),
    nativeEvent({ event_id: 'f', tenant_id: 'cedar', usage: {} }),
    { ...nativeEvent(), event_id: 'bad', attempt: 0 },
    nativeEvent({ event_id: 'x' }),
    nativeEvent({ event_id: 'x', feature: 'search' }),
  ]);
  const clock = () => Date.parse('2026-11-01T00:00:00Z');
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
});

afterAll(() => drop());

const environment = () => ({ DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'silent' });

interface Case {
  readonly args: readonly string[];
  readonly answer: z.ZodType;
}

const AS_OF = '2026-10-25T00:00:00Z';

const BOOK = fileURLToPath(new URL('../scenarios/books/standard.json', import.meta.url));

const QUESTIONS: readonly Case[] = [
  { args: ['report', 'usage', '--by', 'tenant,layer,day'], answer: usageAnswer },
  { args: ['report', 'usage', '--by', 'user', '--as-of', AS_OF], answer: usageAnswer },
  { args: ['export', 'focus', '2026-10'], answer: focusAnswer },
  { args: ['export', 'journal', '2026-10'], answer: journalAnswer },
  { args: ['fx', 'list'], answer: exchangeListAnswer },
  { args: ['report', 'cost-drift'], answer: costDriftAnswer },
  { args: ['report', 'counts'], answer: countsAnswer },
  { args: ['report', 'coverage', '--month', '2026-10'], answer: tagCoverageAnswer },
  { args: ['report', 'runs'], answer: runsAnswer },
  { args: ['report', 'runs', '--by', 'feature', '--from', '2026-10-01'], answer: runsAnswer },
  { args: ['audit', 'run', 'run-1'], answer: runAnswer },
  { args: ['audit', 'event', 'default', 'c'], answer: storyAnswer },
  { args: ['audit', 'event', 'default', 'a'], answer: storyAnswer },
  { args: ['audit', 'event', 'default', 'bad', '--as-of', AS_OF], answer: storyAnswer },
  { args: ['audit', 'entry', 'ent_1000000'], answer: storyAnswer },
  { args: ['audit', 'acts', '--limit', '3'], answer: actsAnswer },
  { args: ['quarantine', 'list'], answer: quarantineAnswer },
  { args: ['quarantine', 'show', '1'], answer: quarantinedAnswer },
  { args: ['quarantine', 'replay'], answer: replayAnswer },
  { args: ['price-book', 'import', BOOK], answer: importAnswer },
  { args: ['price-book', 'list'], answer: booksAnswer },
  { args: ['price-book', 'default', 'standard'], answer: defaultBookAnswer },
  { args: ['price-book', 'show', 'standard'], answer: bookAnswer },
  { args: ['price-book', 'diff', 'standard', 'provider-list'], answer: compareAnswer },
  { args: ['price-book', 'seed', '--from', '2026-10-01T00:00:00Z'], answer: seedAnswer },
  { args: ['audit', 'line', 'acme', '2026-10'], answer: linesAnswer },
  { args: ['tenant', 'show', 'acme'], answer: shownTenantAnswer },
  { args: ['audit', 'line', 'acme', '2026-10', '1'], answer: lineAnswer },
];

const named = (cases: readonly Case[]) =>
  cases.map((one) => ({ ...one, command: one.args.join(' ') }));

it.concurrent.each(named(QUESTIONS))('$command prints its answer', ({ args, answer }) =>
  expectAnswer(args, answer),
);

const OCTOBER = ['--month', '2026-10'];
const POOL = ['--amount', '10', '--by', 'weighted-tokens'];
const CALL = ['--model', 'gpt-4o', '--input-tokens', '1000', '--max-output-tokens', '200'];

/** One after the other, since each changes the ledger. */
const CHANGES: readonly Case[] = [
  { args: ['correct', 'ent_1000001', '--void', '--reason', 'twice'], answer: correctionAnswer },
  {
    args: ['correct', 'ent_1000002', '--units', 'images=2', '--reason', 'x'],
    answer: correctionAnswer,
  },
  { args: ['accept', 'ent_1000003', 'ent_1000003', '--reason', 'a trial'], answer: acceptAnswer },
  {
    args: ['audit', 'reattribute', '--tenant', 'birch', '--reason', 'untagged'],
    answer: reattributeAnswer,
  },
  { args: ['rerate', '2026-10', '--dry-run'], answer: rerateAnswer },
  {
    args: ['tenant', 'close', 'birch', '--at', '2030-01-01T00:00:00Z'],
    answer: closeTenantAnswer,
  },
  { args: ['tenant', 'stay', 'birch', '--reason', 'it stays'], answer: keepTenantAnswer },
  { args: ['report', 'leavers'], answer: leaversAnswer },
  {
    args: ['adjust', 'acme', '--amount', '-0.000001', '--reason', 'sorry'],
    answer: adjustmentAnswer,
  },
  {
    args: ['correct', '--where', 'tenant=acme', '--user', '', '--reason', 'x', '--dry-run'],
    answer: correctWhereAnswer,
  },
  { args: ['quarantine', 'accept', '2'], answer: acceptConflictAnswer },
  { args: ['quarantine', 'dismiss', '1', '--reason', 'sent again'], answer: dismissAnswer },
  { args: ['quarantine', 'purge', '--before', '2100-01-01'], answer: purgeAnswer },
  { args: ['allocate', 'gpu', ...OCTOBER, ...POOL, '--dry-run'], answer: allocationAnswer },
  { args: ['allocate', 'gpu', ...OCTOBER, ...POOL], answer: allocationAnswer },
  { args: ['allocate', 'show', 'gpu', ...OCTOBER], answer: allocationAnswer },
  { args: ['allocate', 'reverse', 'gpu', ...OCTOBER, '--reason', 'x'], answer: allocationAnswer },
  { args: ['allocate', 'list'], answer: poolsAnswer },
  { args: ['allocate', 'backtest', ...OCTOBER], answer: backtestAnswer },
  { args: ['tenant', 'set', 'acme', '--anchor-day', '5'], answer: setTenantAnswer },
  { args: ['tenant', 'list'], answer: tenantsAnswer },
  { args: ['budget', 'set', 'acme', '--per', 'day', '--amount', '5'], answer: budgetAnswer },
  { args: ['budget', 'list'], answer: budgetsAnswer },
  {
    args: ['budget', 'ask', 'acme', '1', '--limit', '9', '--reason', 'a launch'],
    answer: raiseAnswer,
  },
  { args: ['budget', 'requests'], answer: raisesAnswer },
  { args: ['budget', 'approve', '1', '--reason', 'agreed'], answer: raiseAnswer },
  { args: ['budget', 'check', 'acme', ...CALL], answer: checkAnswer },
  { args: ['budget', 'reserve', 'acme', ...CALL, '--hold', 'h-1'], answer: reserveAnswer },
  { args: ['budget', 'release', 'h-1'], answer: releaseHoldAnswer },
  { args: ['budget', 'remove', 'acme', '--per', 'day'], answer: removeBudgetAnswer },
];

it.each(named(CHANGES))('$command prints its answer', ({ args, answer }) =>
  expectAnswer(args, answer),
);

it.concurrent.each([
  ['images:2', 'write units as images=2,searches=1; there are cache_write_1h_tokens'],
  ['input_tokens=2', 'there are cache_write_1h_tokens'],
])('correct --units %s is refused with what there is', async (units, message) => {
  const args = ['correct', 'ent_1000000', '--units', units, '--reason', 'x'];
  const { exitCode, stderr } = await cli(args, environment());
  expect(exitCode).toBe(2);
  expect(stderr).toContain(message);
});

it.concurrent.each([
  'correct ent_1000000 --void',
  'audit reattribute --tenant acme',
  'rerate 2026-10',
])('%s takes --actor for who acts, and says so where --by is given', async (command) => {
  const { exitCode, stderr } = await cli([...command.split(' '), '--by', 'ada'], environment());
  expect(exitCode).toBe(2);
  expect(stderr).toContain('say who acts with --actor');
});

async function expectAnswer(args: readonly string[], answer: z.ZodType): Promise<void> {
  const { stdout, stderr } = await cli([...args, '--json'], environment());
  expect(stderr).toBe('');
  expect(answer.safeParse(JSON.parse(stdout)).error?.issues).toBeUndefined();
}

it('a request that travels as text is read as what code reckons with', () => {
  const request = {
    ...{ by: ['tenant'], tenant_id: null, month: null },
    ...{ from: '2026-10-01', to: null, as_of: AS_OF },
  };
  expect(usageRequest.parse(request)).toEqual({
    ...request,
    from: Date.parse('2026-10-01T00:00:00Z'),
    as_of: Date.parse(AS_OF),
  });
  expect(usageRequest.encode(usageRequest.parse(request))).toEqual({
    ...request,
    as_of: '2026-10-25T00:00:00.000Z',
  });
});
