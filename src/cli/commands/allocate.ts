import type { Command } from 'commander';
import { Option } from 'commander';
import { allocatePool, listPools, reversePool, showPool } from '../../allocation/allocate-pool.ts';
import type {
  AllocationAnswer,
  BacktestAnswer,
  BacktestRow,
  ShareRow,
} from '../../allocation/allocation-answer.ts';
import {
  allocateRequest,
  backtestRequest,
  poolRequest,
  poolsRequest,
  reverseRequest,
} from '../../allocation/allocation-answer.ts';
import { backtestMonth } from '../../allocation/backtest-month.ts';
import type { Basis } from '../../allocation/consumption.ts';
import { BASES, UNIT_NAMES } from '../../allocation/consumption.ts';
import { DEFAULT_WEIGHTS, formatWeights } from '../../allocation/token-weights.ts';
import { divideHalfUp, formatDecimal, PICO_PER_MICRO, parseDecimal } from '../../money.ts';
import { DEFAULT_CURRENCY } from '../../rating/rate-event.ts';
import { readRequest } from '../../request.ts';
import { addActor } from '../terminal/actor.ts';
import { readAmount, readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { moneyText } from '../terminal/figures.ts';
import type { Column, DrawTable } from '../terminal/table.ts';

const MONTH = 'the month in which the divided periods begin, YYYY-MM';
const WEIGHT = `what tokens weigh, such as ${formatWeights(DEFAULT_WEIGHTS)}, which is the default`;

export function addAllocate(program: Command): void {
  const group = program
    .command('allocate')
    .description('divide shared spend among the tenants of a month, exactly');
  addPost(group);
  addReverse(group);
  addShow(group);
  addList(group);
  addBacktest(group);
}

/** `allocate POOL …` is this one: whatever is no other subcommand is a pool. */
function addPost(group: Command): void {
  const command = group
    .command('post', { isDefault: true })
    .argument('<pool>', 'what was spent on, such as gpu-cluster')
    .description('post a share for every tenant; the same pool again is a duplicate')
    .requiredOption('--amount <amount>', 'what was spent, in the major unit', readAmount)
    .option(
      '--currency <code>',
      'of the amount; tenants in another have no share',
      DEFAULT_CURRENCY,
    )
    .requiredOption('--month <month>', MONTH, readMonth)
    .addOption(
      new Option('--by <basis>', 'calls; tokens by weight; or what the entries cost')
        .choices(BASES)
        .makeOptionMandatory(),
    )
    .option('--weight <weights>', WEIGHT)
    .option(
      '--bill',
      'charge the tenants their shares, too; otherwise they are a cost of ours only',
    )
    .option('--dry-run', 'show the shares and post nothing')
    .option('--reason <text>', 'why; every share keeps it', 'shared spend');
  perform<PostFlags>(addActor(command), async (session, { args: [pool = ''], options }) => {
    const { amount, currency, month, by, weight = null, reason, actor } = options;
    const { bill: billed = false, dryRun: dry_run = false } = options;
    const request = readRequest(allocateRequest, {
      pool,
      month,
      amount,
      currency,
      by,
      weights: weight,
      billed,
      dry_run,
      reason,
      actor,
    });
    const answer = await allocatePool(session.parts(), request);
    session.out.answer(answer, (shown) => renderAllocation(shown, session.out.table));
  });
}

interface PostFlags {
  readonly amount: string;
  readonly currency: string;
  readonly month: string;
  readonly by: Basis;
  readonly weight?: string;
  readonly bill?: boolean;
  readonly dryRun?: boolean;
  readonly reason: string;
  readonly actor: string;
}

function addReverse(group: Command): void {
  const command = group
    .command('reverse')
    .argument('<pool>')
    .description('take a pool back by reversing each share; you can allocate it again')
    .requiredOption('--month <month>', MONTH, readMonth)
    .requiredOption('--reason <text>', 'why');
  perform<{ month: string; reason: string; actor: string }>(
    addActor(command),
    async (session, { args: [pool = ''], options: { month, reason, actor } }) => {
      const request = readRequest(reverseRequest, { pool, month, reason, actor });
      const answer = await reversePool(session.parts(), request);
      session.out.answer(answer, (shown) => renderAllocation(shown, session.out.table));
    },
  );
}

function addShow(group: Command): void {
  const command = group
    .command('show')
    .argument('<pool>')
    .description('a pool as it stands, and how each share follows from the weights')
    .requiredOption('--month <month>', MONTH, readMonth);
  perform<{ month: string }>(command, async (session, { args: [pool = ''], options }) => {
    const request = readRequest(poolRequest, { pool, month: options.month });
    const answer = await showPool(session.parts(), request);
    session.out.answer(answer, (shown) => renderAllocation(shown, session.out.table));
  });
}

function addList(group: Command): void {
  const command = group
    .command('list')
    .description('all pools, and whether they stand')
    .option('--month <month>', 'only of this one', readMonth);
  perform<{ month?: string }>(command, async (session, { options }) => {
    const request = readRequest(poolsRequest, { month: options.month ?? null });
    const rows = await listPools(session.parts(), request);
    const text = session.out.table(rows, [
      { title: 'POOL', value: (row) => row.pool },
      { title: 'MONTH', value: (row) => row.month },
      { title: 'STATE', value: (row) => row.state },
      { title: 'AMOUNT', value: (row) => `${moneyText(row.amount)} ${row.currency}`, figure: true },
      { title: 'BY', value: (row) => row.by },
      { title: 'BILLED', value: (row) => (row.billed ? 'yes' : 'no') },
    ]);
    session.out.answer(rows, rows.length === 0 ? 'no pool was allocated' : text);
  });
}

function renderAllocation(answer: AllocationAnswer, table: DrawTable): string {
  const weights = answer.weights === null ? '' : ` (${answer.weights})`;
  const total = `${moneyText(answer.weight_total)} ${UNIT_NAMES[answer.by]}${weights}`;
  const head = `${answer.pool} ${answer.month}: ${moneyText(answer.amount)} ${answer.currency} over ${total}`;
  const shares = table(answer.shares, [
    { title: 'TENANT', value: (row) => row.tenant_id },
    { title: 'WEIGHT', value: (row) => moneyText(row.weight), figure: true },
    { title: '% OF ALL', value: (row) => percentOf(row, answer), figure: true },
    { title: 'COST', value: (row) => moneyText(row.cost), figure: true },
    ...(answer.billed
      ? [{ title: 'CHARGE', value: (row: ShareRow) => moneyText(row.charge), figure: true }]
      : []),
    { title: 'PLACE', value: (row) => String(row.remainder_place), figure: true, spare: true },
    { title: 'PERIOD', value: (row) => row.period_start + (row.late ? ' (late)' : '') },
    { title: 'ENTRY', value: (row) => row.entry_id ?? '' },
  ]);
  return [head, STATE_NAMES[answer.state], '', shares, ...answer.notes.map(note)].join('\n');
}

const STATE_NAMES: Readonly<Record<AllocationAnswer['state'], string>> = {
  posted: 'posted',
  duplicate: 'nothing was posted: it stands already as asked',
  dry_run: 'nothing was posted (--dry-run)',
  reversed: 'taken back',
  standing: 'stands',
};

function note(text: string): string {
  return `note: ${text}`;
}

/**
 * The percentage is the share's own ratio of the weights, with two decimals, before it is exact to
 * the picodollar.
 */
function percentOf(row: ShareRow, answer: AllocationAnswer): string {
  const weight = parseDecimal(row.weight, 12) ?? 0n;
  const total = parseDecimal(answer.weight_total, 12) ?? 0n;
  return total === 0n ? '' : formatDecimal(divideHalfUp(weight * 10_000n, total), 2);
}

function addBacktest(group: Command): void {
  const command = group
    .command('backtest')
    .description('both allocations beside direct attribution, and the weights that diverge least')
    .requiredOption('--month <month>', MONTH, readMonth)
    .option(
      '--pool-amount <amount>',
      'the amount to divide; default: what the entries cost',
      readAmount,
    )
    .option('--currency <code>', 'only what was used in this currency', DEFAULT_CURRENCY)
    .option('--weight <weights>', WEIGHT);
  perform<BacktestFlags>(command, async (session, { options }) => {
    const { month, currency, poolAmount: amount = null, weight: weights = null } = options;
    const request = readRequest(backtestRequest, { month, currency, amount, weights });
    const answer = await backtestMonth(session.parts(), request);
    session.out.answer(answer, (shown) => renderBacktest(shown, session.out.table));
  });
}

interface BacktestFlags {
  readonly month: string;
  readonly poolAmount?: string;
  readonly currency: string;
  readonly weight?: string;
}

function renderBacktest(result: BacktestAnswer, table: DrawTable): string {
  const titles = result.candidates.map(({ by, fitted }) =>
    fitted ? 'FITTED' : by === 'activity' ? 'ACTIVITY' : 'WEIGHTED',
  );
  const columns = titles.flatMap((title, index): readonly Column<BacktestRow>[] => [
    { title, value: (row) => rounded(row.shares[index]?.share), figure: true },
    {
      title: 'MORE',
      value: (row) => rounded(row.shares[index]?.divergence),
      figure: true,
      spare: true,
    },
    {
      title: '% OF DIRECT',
      value: (row) => row.shares[index]?.divergence_percent ?? '',
      figure: true,
      spare: true,
    },
  ]);
  const tenants = table(result.tenants, [
    { title: 'TENANT', value: (row) => row.tenant_id },
    { title: 'DIRECT', value: (row) => rounded(row.direct), figure: true },
    ...columns,
  ]);
  const candidates = table(result.candidates, [
    { title: 'BY', value: (row) => (row.fitted ? 'fitted weights' : row.by) },
    { title: 'MISALLOCATED', value: (row) => rounded(row.misallocated), figure: true },
    { title: '% OF ALL', value: (row) => row.misallocated_percent, figure: true },
    { title: 'RMS', value: (row) => rounded(row.rms), figure: true, spare: true },
    { title: 'WEIGHTS', value: (row) => row.weights ?? '' },
  ]);
  const head = `${moneyText(result.amount)} ${result.currency} divided each way, beside what each tenant's entries cost`;
  return [head, '', tenants, '', candidates, ...result.notes.map(note)].join('\n');
}

/**
 * The amount is rounded to six decimals, so that a table fits a terminal; --json has every digit.
 */
function rounded(amount = '0'): string {
  const micro = divideHalfUp(parseDecimal(amount, 12) ?? 0n, PICO_PER_MICRO);
  return moneyText(formatDecimal(micro, 6));
}
