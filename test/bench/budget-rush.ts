import { reserveHold } from '../../src/budgets/reserve-hold.ts';
import { systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { formatPico, type Pico } from '../../src/money.ts';
import { callRequest } from '../support/budgets.ts';
import { quantile } from './spread.ts';

/** So many callers ask at once for calls of 0.01 to 0.30 against one limit. */
export interface Rush {
  readonly name: string;
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly admitted: string;
  readonly over: string;
  readonly refused: number;
  /** Refused although what was left in the end would have borne the call. */
  readonly refusedInVain: number;
}

export const RUSH_LIMIT: Pico = 5_000_000_000_000n;
const CENT: Pico = 10_000_000_000n;

/** How long a provider takes, from the check until what the call came to is recorded. */
const CALL_MS = 200;

/** Once as most gateways do, which read what is spent, compare, make the call and record it, and once by reserving. */
export async function measureRushes(
  on: Database,
  of: { readonly callers: number; readonly connections: number; readonly tenant: string },
): Promise<readonly Rush[]> {
  await on.pool.query('create table plain_spent (amount numeric not null)');
  // The first question makes the plans and opens the connections; it holds nothing.
  await Promise.all(amounts(of.connections).map(() => tryReserve(on, of.tenant, 0n)));
  await on.pool.query('truncate budget_holds');
  const asked = amounts(of.callers);
  return [
    rushOf(
      'check, then record',
      await Promise.all(asked.map((amount) => checkThenRecord(on, amount))),
    ),
    rushOf(RESERVING, await Promise.all(asked.map((amount) => tryReserve(on, of.tenant, amount)))),
  ];
}

export const RESERVING = 'reserve';

interface Asked {
  readonly amount: Pico;
  readonly admitted: boolean;
  readonly milliseconds: number;
}

/** The same calls every time, 0.01 to 0.30 in an order that looks random. */
function amounts(callers: number): readonly Pico[] {
  return Array.from({ length: callers }, (_, place) => CENT * (1n + BigInt((place * 7919) % 30)));
}

async function tryReserve(on: Database, tenant: string, amount: Pico): Promise<Asked> {
  const begun = performance.now();
  const parts = { database: on, clock: systemClock };
  const call = callRequest({ tenant_id: tenant, input_tokens: null, max_output_tokens: null });
  const holding = { hold_id: null, expires_in_seconds: null };
  const { verdict } = await reserveHold(parts, { ...call, amount, ...holding });
  return { amount, admitted: verdict === 'allow', milliseconds: performance.now() - begun };
}

async function checkThenRecord(on: Database, amount: Pico): Promise<Asked> {
  const begun = performance.now();
  const { rows } = await on.pool.query<{ spent: Pico }>(
    'select coalesce(sum(amount), 0) as spent from plain_spent',
  );
  const milliseconds = performance.now() - begun;
  const admitted = (rows[0]?.spent ?? 0n) + amount <= RUSH_LIMIT;
  if (admitted) {
    await new Promise((done) => setTimeout(done, CALL_MS));
    await on.pool.query('insert into plain_spent values ($1)', [amount]);
  }
  return { amount, admitted, milliseconds };
}

function rushOf(name: string, asked: readonly Asked[]): Rush {
  const admitted = asked
    .filter((one) => one.admitted)
    .reduce((sum, { amount }) => sum + amount, 0n);
  const refused = asked.filter((one) => !one.admitted);
  const left = RUSH_LIMIT - admitted;
  const times = asked.map(({ milliseconds }) => milliseconds);
  return {
    ...{ name, count: asked.length, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) },
    admitted: formatPico(admitted),
    over: admitted > RUSH_LIMIT ? formatPico(admitted - RUSH_LIMIT) : '0',
    refused: refused.length,
    refusedInVain: refused.filter(({ amount }) => amount <= left).length,
  };
}
