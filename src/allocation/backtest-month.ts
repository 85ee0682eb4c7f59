import type { Parts } from '../parts.ts';
import type { BacktestAnswer, BacktestRequest } from './allocation-answer.ts';
import { readConsumption } from './allocation-store.ts';
import { backtest } from './backtest.ts';
import { DEFAULT_WEIGHTS } from './token-weights.ts';

/**
 * Sets both allocations of a month beside direct attribution, and finds the weights that diverge
 * least. What has no known cost is in neither, since nothing can be compared with what nobody knows.
 */
export async function backtestMonth(
  { database }: Pick<Parts, 'database'>,
  { month, currency, amount, weights }: BacktestRequest,
): Promise<BacktestAnswer> {
  const all = await readConsumption(database, { month, succeeded: false, costed: true });
  const consumed = all.filter((one) => one.currency === currency);
  const given = { amount, weights: weights ?? DEFAULT_WEIGHTS };
  return { month, currency, ...backtest(consumed, given) };
}
