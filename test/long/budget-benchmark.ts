import { parseArgs } from 'node:util';
import { reserveHold } from '../../src/budgets/reserve-hold.ts';
import { systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { formatPico, type Pico } from '../../src/money.ts';
import { startServers } from '../bench/bench-servers.ts';
import { callRequest, putBudget } from '../support/budgets.ts';
import { importBooks, makeTenant } from '../support/ledger.ts';

/**
 * The public benchmark of budgets: so many callers ask at once for calls of 0.01 to 0.30 against one limit of 5.00,
 * once by reserving, and once as most gateways do: read what is spent, compare, make the call, record it.
 *
 *   node test/long/budget-benchmark.ts [--callers 1000] [--connections 20]
 */
const { values } = parseArgs({
  options: {
    callers: { type: 'string', default: '1000' },
    connections: { type: 'string', default: '20' },
  },
});

const LIMIT: Pico = 5_000_000_000_000n;
const CENT: Pico = 10_000_000_000n;

/** How long a provider takes, from the check until what the call came to is recorded. */
const CALL_MS = 200;

interface Asked {
  readonly amount: Pico;
  readonly admitted: boolean;
  readonly milliseconds: number;
}

const servers = await startServers();
const database = openDatabase({
  url: await servers.createDatabase('budget_benchmark', 0),
  connections: Number(values.connections),
  onConnectionLost: () => {},
});
try {
  await importBooks(database, 'standard');
  await makeTenant(database, 'acme');
  await putBudget(database, { amount: '5', per: 'once' }, new Date().toISOString());
  await database.pool.query(`create table plain_spent (amount numeric not null)`);
  // The first question makes the plans and opens the connections; it holds nothing.
  await Promise.all(amounts(Number(values.connections)).map(() => tryReserve(database, 0n)));
  await database.pool.query('truncate budget_holds');
  const asked = amounts(Number(values.callers));
  show('check, then record', await Promise.all(asked.map((amount) => checkThenRecord(amount))));
  show('reserve', await Promise.all(asked.map((amount) => tryReserve(database, amount))));
} finally {
  await closeDatabase(database);
  await servers.stop();
}

/** The same calls every time, 0.01 to 0.30 in an order that looks random. */
function amounts(callers: number): readonly Pico[] {
  return Array.from({ length: callers }, (_, place) => CENT * (1n + BigInt((place * 7919) % 30)));
}

async function tryReserve(on: Database, amount: Pico): Promise<Asked> {
  const begun = performance.now();
  const request = { ...callRequest({ input_tokens: null, max_output_tokens: null }), amount };
  const parts = { database: on, clock: systemClock };
  const { verdict } = await reserveHold(parts, {
    ...{ ...request, hold_id: null, expires_in_seconds: null },
  });
  return { amount, admitted: verdict === 'allow', milliseconds: performance.now() - begun };
}

async function checkThenRecord(amount: Pico): Promise<Asked> {
  const begun = performance.now();
  const { rows } = await database.pool.query<{ spent: Pico }>(
    'select coalesce(sum(amount), 0) as spent from plain_spent',
  );
  const milliseconds = performance.now() - begun;
  const admitted = (rows[0]?.spent ?? 0n) + amount <= LIMIT;
  if (admitted) {
    await new Promise((done) => setTimeout(done, CALL_MS));
    await database.pool.query('insert into plain_spent values ($1)', [amount]);
  }
  return { amount, admitted, milliseconds };
}

function show(what: string, asked: readonly Asked[]): void {
  const admitted = asked
    .filter((one) => one.admitted)
    .reduce((sum, { amount }) => sum + amount, 0n);
  const refused = asked.filter((one) => !one.admitted);
  const left = LIMIT - admitted;
  const inVain = refused.filter(({ amount }) => amount <= left).length;
  const times = asked.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]?.toFixed(1);
  const over = admitted > LIMIT ? formatPico(admitted - LIMIT) : '0';
  process.stdout.write(
    `${what}: ${asked.length} callers at once, ${formatPico(admitted)} admitted of ${formatPico(LIMIT)}, ` +
      `${over} over it; ${refused.length} refused, ${inVain} of them although what is left would have borne them; ` +
      `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms\n`,
  );
}
