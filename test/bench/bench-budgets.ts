import { checkBudgets } from '../../src/budgets/check-budgets.ts';
import { reserveHold } from '../../src/budgets/reserve-hold.ts';
import { meterFetch } from '../../src/client/calls/meter-fetch.ts';
import { openClient } from '../../src/client/client.ts';
import { systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import type { NativeEvent } from '../../src/events/native-event.ts';
import { formatPico, type Pico } from '../../src/money.ts';
import { callRequest, putBudget } from '../support/budgets.ts';
import { importBooks, makeTenant } from '../support/ledger.ts';
import type { Servers } from './bench-servers.ts';

/**
 * The public benchmark of budgets. So many callers ask at once for calls of 0.01 to 0.30 against one limit of 5.00,
 * once by reserving, and once as most gateways do: read what is spent, compare, make the call, record it.
 * Then checks, holds and empty transactions at a steady rate, in turn, so that their ratio holds on other machines.
 * Last what a call waits for its wrapper.
 */
export interface BudgetsPlan {
  readonly callers: number;
  readonly connections: number;
  /** Of each kind. */
  readonly perSecond: number;
  readonly seconds: number;
}

export interface BudgetsReport {
  readonly plan: BudgetsPlan;
  readonly rushes: readonly Rush[];
  readonly steady: readonly Steady[];
  readonly metered: readonly Steady[];
}

interface Rush extends Spread {
  readonly name: string;
  readonly admitted: string;
  readonly over: string;
  readonly refused: number;
  /** Refused although what was left in the end would have borne the call. */
  readonly refusedInVain: number;
}

interface Steady extends Spread {
  readonly name: string;
}

interface Spread {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const LIMIT: Pico = 5_000_000_000_000n;
const CENT: Pico = 10_000_000_000n;

/** How long a provider takes, from the check until what the call came to is recorded. */
const CALL_MS = 200;

export async function measureBudgets(servers: Servers, plan: BudgetsPlan): Promise<BudgetsReport> {
  const database = openDatabase({
    url: await servers.createDatabase('budget_benchmark', 0),
    connections: plan.connections,
    onConnectionLost: () => {},
  });
  try {
    await importBooks(database, 'standard');
    for (const tenant of ['acme', 'steady']) await makeTenant(database, tenant);
    const now = new Date().toISOString();
    await putBudget(database, { amount: '5', per: 'once' }, now);
    for (const per of ['day', 'month'] as const) {
      await putBudget(database, { tenant_id: 'steady', per, amount: '1000000' }, now);
    }
    await database.pool.query('create table plain_spent (amount numeric not null)');
    // The first question makes the plans and opens the connections; it holds nothing.
    await Promise.all(amounts(plan.connections).map(() => tryReserve(database, 0n)));
    await database.pool.query('truncate budget_holds');
    const asked = amounts(plan.callers);
    return {
      plan,
      rushes: [
        rushOf(
          'check, then record',
          await rush(asked, (amount) => checkThenRecord(database, amount)),
        ),
        rushOf('reserve', await rush(asked, (amount) => tryReserve(database, amount))),
      ],
      steady: await measureSteady(database, plan),
      metered: await measureMetered(),
    };
  } finally {
    await closeDatabase(database);
  }
}

interface Asked {
  readonly amount: Pico;
  readonly admitted: boolean;
  readonly milliseconds: number;
}

function rush(
  asked: readonly Pico[],
  ask: (amount: Pico) => Promise<Asked>,
): Promise<readonly Asked[]> {
  return Promise.all(asked.map(ask));
}

/** The same calls every time, 0.01 to 0.30 in an order that looks random. */
function amounts(callers: number): readonly Pico[] {
  return Array.from({ length: callers }, (_, place) => CENT * (1n + BigInt((place * 7919) % 30)));
}

const requestOf = (amount: Pico, tenant = 'acme') => ({
  ...callRequest({ tenant_id: tenant, input_tokens: null, max_output_tokens: null }),
  amount,
});

async function tryReserve(on: Database, amount: Pico): Promise<Asked> {
  const begun = performance.now();
  const parts = { database: on, clock: systemClock };
  const request = { ...requestOf(amount), hold_id: null, expires_in_seconds: null };
  const { verdict } = await reserveHold(parts, request);
  return { amount, admitted: verdict === 'allow', milliseconds: performance.now() - begun };
}

async function checkThenRecord(on: Database, amount: Pico): Promise<Asked> {
  const begun = performance.now();
  const { rows } = await on.pool.query<{ spent: Pico }>(
    'select coalesce(sum(amount), 0) as spent from plain_spent',
  );
  const milliseconds = performance.now() - begun;
  const admitted = (rows[0]?.spent ?? 0n) + amount <= LIMIT;
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
  const left = LIMIT - admitted;
  return {
    name,
    admitted: formatPico(admitted),
    over: admitted > LIMIT ? formatPico(admitted - LIMIT) : '0',
    refused: refused.length,
    refusedInVain: refused.filter(({ amount }) => amount <= left).length,
    ...spreadOf(asked.map(({ milliseconds }) => milliseconds)),
  };
}

/** Each kind at the rate by itself, in rounds of a second in turn: what else the machine does meets all alike. */
async function measureSteady(on: Database, plan: BudgetsPlan): Promise<readonly Steady[]> {
  const parts = { database: on, clock: systemClock };
  const holding = { hold_id: null, expires_in_seconds: null };
  const kinds: Readonly<Record<string, () => Promise<unknown>>> = {
    'an empty transaction': () => emptyTransaction(on),
    check: () => checkBudgets(parts, requestOf(CENT, 'steady')),
    reserve: () => reserveHold(parts, { ...requestOf(CENT, 'steady'), ...holding }),
  };
  const times = new Map(Object.keys(kinds).map((name) => [name, [] as number[]]));
  for (let round = 0; round < plan.seconds; round += 1) {
    for (const [name, ask] of Object.entries(kinds)) {
      const found = await atRate(plan.perSecond, ask);
      if (round > 0) times.get(name)?.push(...found);
    }
  }
  return [...times].map(([name, found]) => ({ name, ...spreadOf(found) }));
}

async function emptyTransaction(on: Database): Promise<void> {
  const client = await on.pool.connect();
  await client.query('begin');
  await client.query('commit');
  client.release();
}

/** A second of it; a call begins when it is due, whether or not the one before is done. */
async function atRate(perSecond: number, ask: () => Promise<unknown>): Promise<readonly number[]> {
  const begun = performance.now();
  const calls: Promise<number>[] = [];
  for (let nth = 0; nth < perSecond; nth += 1) {
    const due = begun + (nth * 1000) / perSecond;
    const early = due - performance.now();
    if (early > 1) await new Promise((done) => setTimeout(done, early));
    const from = performance.now();
    calls.push(ask().then(() => performance.now() - from));
  }
  return Promise.all(calls);
}

const METERED_CALLS = 3_000;

/** The same call with the wrapper and without, in turn; the provider answers at once, so that nothing hides it. */
async function measureMetered(): Promise<readonly Steady[]> {
  const usage = openClient({ queueUrl: 'http://127.0.0.1:1/0/usage', folder: null });
  const answer = JSON.stringify({
    ...{ id: 'chatcmpl-0123456789abcdef', object: 'chat.completion', model: 'gpt-4o-2024-08-06' },
    choices: [{ index: 0, message: { role: 'assistant', content: 'x'.repeat(2000) } }],
    usage: {
      prompt_tokens: 2000,
      completion_tokens: 500,
      total_tokens: 2500,
    } satisfies NonNullable<NativeEvent['provider_usage']>,
  });
  const headers = { 'content-type': 'application/json' };
  const plain = async () => new Response(answer, { headers });
  const metered = meterFetch(usage, {}, plain);
  const messages = Array.from({ length: 20 }, () => ({
    role: 'user',
    content: 'a word '.repeat(60),
  }));
  const init = { method: 'POST', body: JSON.stringify({ model: 'gpt-4o', messages }) };
  const times = { plain: [] as number[], metered: [] as number[] };
  for (let nth = 0; nth < METERED_CALLS; nth += 1) {
    for (const [name, ask] of [
      ['plain', plain],
      ['metered', metered],
    ] as const) {
      const begun = performance.now();
      const response = await ask('https://api.openai.com/v1/chat/completions', init);
      await response.json();
      if (nth >= METERED_CALLS / 10) times[name].push(performance.now() - begun);
    }
    // An application does other things between two calls, and the client sends then.
    await new Promise((done) => setImmediate(done));
  }
  await usage.close({ deadlineMs: 0 });
  return [
    { name: 'a call without its wrapper', ...spreadOf(times.plain) },
    { name: 'a call with its wrapper', ...spreadOf(times.metered) },
  ];
}

function spreadOf(milliseconds: readonly number[]): Spread {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) };
}

export function renderBudgets({ plan, rushes, steady, metered }: BudgetsReport): string {
  const of = ({ p50Ms, p99Ms }: Spread) => `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`;
  const [empty] = steady;
  const ratio = ({ p50Ms, p99Ms }: Spread) =>
    empty === undefined
      ? ''
      : `, ${(p50Ms / empty.p50Ms).toFixed(1)} and ${(p99Ms / empty.p99Ms).toFixed(1)} times an empty transaction`;
  return [
    `${plan.callers} callers at once against ${formatPico(LIMIT)}, calls of 0.01 to 0.30:`,
    ...rushes.map(
      (one) =>
        `  ${one.name}: ${one.admitted} admitted, ${one.over} over the limit; ${one.refused} refused, ` +
        `${one.refusedInVain} of them although what was left would have borne them; ${of(one)}`,
    ),
    `${plan.perSecond} a second on ${plan.connections} connections:`,
    ...steady.map((one) => `  ${one.name}: ${of(one)}${one === empty ? '' : ratio(one)}`),
    'what a call waits for its wrapper, its provider answering at once:',
    ...metered.map((one) => `  ${one.name}: ${of(one)}`),
  ].join('\n');
}
