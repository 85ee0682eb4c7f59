import { hash } from 'node:crypto';
import { CURRENCY_ALLOWED, isSupportedCurrency } from '../currencies.ts';
import type { CorrectionNote } from '../ledger/reversals/correction.ts';
import type { Pico } from '../money.ts';
import { formatPico } from '../money.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import type { Basis } from './consumption.ts';
import type { TokenWeights } from './token-weights.ts';
import { formatWeights } from './token-weights.ts';

/**
 * A pool is what was spent for several tenants together in a month: a GPU bill, a subscription, a
 * cached system prompt (R20). Each tenant's share is a cost of that tenant. A pool that is billed is
 * charged to it, too, at cost.
 */
export interface Pool {
  readonly pool: string;
  /** YYYY-MM: it is divided over the tenants' periods that begin in it. */
  readonly month: string;
  readonly amount: Pico;
  readonly currency: string;
  readonly basis: Basis;
  /** The weights are for weighted tokens only. */
  readonly weights: TokenWeights | null;
  readonly billed: boolean;
}

/** A pool to be divided, why and by whom. */
export interface PoolRequest extends Pool {
  readonly note: CorrectionNote;
}

/** The source under which the shares of all pools stand in the ledger. */
export const ALLOCATION_SOURCE = 'allocation';

/** Returns the event id: with the source and the tenant it is the identity of a share (R9). */
export function eventIdOf(pool: Pick<Pool, 'pool' | 'month'>): string {
  return `${pool.pool}/${pool.month}`;
}

/**
 * The digest covers everything that decides the division except the usage: equal digests are the
 * same pool.
 */
export function digestOf(pool: Pool): Buffer {
  const weights = pool.weights === null ? null : formatWeights(pool.weights);
  const content = JSON.stringify([
    'spanledger-allocation-1',
    pool.pool,
    pool.month,
    formatPico(pool.amount),
    pool.currency,
    pool.basis,
    weights,
    pool.billed,
  ]);
  return hash('sha256', content, 'buffer');
}

const LONGEST_NAME = 100;

/** Throws a `Refusal` on what cannot be divided, whatever was used. */
export function refuseImpossiblePool(pool: Pool): void {
  const { pool: name, amount, currency } = pool;
  if (name.length === 0 || name.length > LONGEST_NAME || /\p{Cc}/u.test(name)) {
    throw new Refusal(
      'bad_request',
      `a pool is named by 1 to ${LONGEST_NAME} characters on one line`,
      'name it for the bill, such as gpu-cluster; statements show the name where it is billed',
    );
  }
  if (amount <= 0n) {
    throw new Refusal(
      'bad_request',
      `a pool of ${formatPico(amount)} divides nothing: its amount is above zero`,
      advise`to take a pool back, use ${{ operation: 'allocate reverse', pool: name, month: pool.month }}`,
    );
  }
  if (!isSupportedCurrency(currency)) {
    throw new Refusal(
      'bad_request',
      `currency ${currency} is not supported`,
      `give ${CURRENCY_ALLOWED}`,
    );
  }
}
