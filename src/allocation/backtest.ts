import type { Pico } from '../money.ts';
import { divideHalfUp, formatDecimal, formatPico } from '../money.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import type { BacktestAnswer, BacktestRow } from './allocation-answer.ts';
import type { Basis, Consumption } from './consumption.ts';
import { weightOf } from './consumption.ts';
import { dividePool } from './divide-pool.ts';
import { fitWeights } from './fit-weights.ts';
import type { TokenWeights } from './token-weights.ts';
import { BUCKETS, formatWeights } from './token-weights.ts';

type Backtest = Omit<BacktestAnswer, 'month' | 'currency'>;

interface Way {
  readonly by: Basis;
  readonly weights: TokenWeights | null;
  readonly fitted: boolean;
}

/**
 * Divides an amount by activity, by the given weights and by those that fit best, and compares each
 * division with direct attribution (R20). Without an amount it is what the entries cost. Refuses where
 * nothing had a cost.
 */
export function backtest(
  consumed: readonly Consumption[],
  given: { readonly amount: Pico | null; readonly weights: TokenWeights },
): Backtest {
  const cost = consumed.reduce((sum, one) => sum + weightOf(one, 'direct', null).weight, 0n);
  if (cost === 0n) refuseWithoutCost();
  const amount = given.amount ?? cost;
  if (amount <= 0n) refuseNothing(amount);
  const fitted = fitWeights(consumed.map(observationOf));
  const ways: readonly Way[] = [
    { by: 'activity', weights: null, fitted: false },
    { by: 'weighted-tokens', weights: given.weights, fitted: false },
    ...(fitted === null ? [] : [{ by: 'weighted-tokens' as const, weights: fitted, fitted: true }]),
  ];
  const tenantIds = consumed.map(({ tenantId }) => tenantId).sort((a, b) => (a < b ? -1 : 1));
  const direct = divisionOf(amount, consumed, { by: 'direct', weights: null, fitted: false });
  const divisions = ways.map((way) => divisionOf(amount, consumed, way));
  return {
    amount: formatPico(amount),
    candidates: ways.map((way, index) => {
      const division = divisions[index] ?? NOBODY;
      const differences = tenantIds.map((id) => partOf(division, id) - partOf(direct, id));
      return { ...describeWay(way), ...divergenceOf(differences, amount) };
    }),
    tenants: tenantIds.map((id) => rowOf(id, direct, divisions)),
    notes: notesOf(consumed, fitted),
  };
}

function refuseWithoutCost(): never {
  throw new Refusal(
    'incomplete',
    'no entry of the month has a known cost, so there is nothing to compare with',
    advise`import a cost book for the models and run ${{ operation: 'rerate', month: null, tenant_id: null }} for the month`,
  );
}

function refuseNothing(amount: Pico): never {
  throw new Refusal(
    'bad_request',
    `an amount of ${formatPico(amount)} leaves nothing to divide`,
    'give the amount of the pool, or leave it out for what the entries cost',
  );
}

function observationOf(one: Consumption) {
  const tokens = { ...one.tokens };
  for (const { key } of BUCKETS) if (tokens[key] < 0n) tokens[key] = 0n;
  return { tokens, directCost: weightOf(one, 'direct', null).weight };
}

/** Each tenant's part of the amount. */
type Division = ReadonlyMap<string, Pico>;

const NOBODY: Division = new Map();

function divisionOf(amount: Pico, consumed: readonly Consumption[], way: Way): Division {
  const weighed = consumed.map((one) => weightOf(one, way.by, way.weights));
  return new Map(dividePool(amount, weighed).map(({ tenantId, share }) => [tenantId, share]));
}

function partOf(division: Division, tenantId: string): Pico {
  return division.get(tenantId) ?? 0n;
}

function describeWay({ by, weights, fitted }: Way) {
  return { by, weights: weights === null ? null : formatWeights(weights), fitted };
}

function divergenceOf(differences: readonly Pico[], amount: Pico) {
  const sum = differences.reduce((total, one) => total + (one < 0n ? -one : one), 0n);
  const squares = differences.reduce((total, one) => total + one * one, 0n);
  return {
    misallocated: formatPico(sum / 2n),
    misallocated_percent: percent(sum / 2n, amount),
    rms: formatPico(squareRoot(squares / BigInt(differences.length))),
  };
}

function rowOf(tenantId: string, direct: Division, divisions: readonly Division[]): BacktestRow {
  const caused = partOf(direct, tenantId);
  return {
    tenant_id: tenantId,
    direct: formatPico(caused),
    shares: divisions.map((division) => {
      const share = partOf(division, tenantId);
      const divergence = share - caused;
      return {
        share: formatPico(share),
        divergence: formatPico(divergence),
        divergence_percent: caused === 0n ? null : percent(divergence, caused),
      };
    }),
  };
}

function percent(part: bigint, whole: bigint): string {
  return formatDecimal(divideHalfUp(part * 10_000n, whole), 2);
}

/** Returns the largest integer whose square is not above the value, by Newton's method. */
function squareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (root + value / root) / 2n;
    if (next >= root) return root;
    root = next;
  }
}

function notesOf(consumed: readonly Consumption[], fitted: TokenWeights | null): readonly string[] {
  const notes: string[] = [];
  const without = consumed.reduce((sum, one) => sum + one.entriesWithoutCost, 0n);
  if (without > 0n) {
    notes.push(
      `${without} entries have no known cost and are left out of every division; import a cost book and rerate`,
    );
  }
  if (fitted === null) {
    notes.push('no weights fit: no tokens of any bucket go with the costs');
  } else if (consumed.length <= BUCKETS.length) {
    notes.push(
      `many weights fit alike with so few tenants (${consumed.length}): trust fitted weights where there are more than the ${BUCKETS.length} buckets`,
    );
  }
  return notes;
}
