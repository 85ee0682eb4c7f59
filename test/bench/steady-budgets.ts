import { fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { checkBudgets } from '../../src/budgets/check-budgets.ts';
import { reserveHold } from '../../src/budgets/reserve-hold.ts';
import { systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import type { Pico } from '../../src/money.ts';
import { callRequest } from '../support/budgets.ts';
import { quantile } from './spread.ts';

/** Checks and holds at a steady rate, each kind by itself and in turn, so that what else the machine does meets all alike. */
export interface Steady {
  readonly name: string;
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface SteadyPlan {
  readonly connections: number;
  /** Of each kind. */
  readonly perSecond: number;
  readonly seconds: number;
}

type Kinds = Readonly<Record<string, () => Promise<unknown>>>;

const AMOUNT: Pico = 10_000_000_000n;

/** The tenant whose budgets bear everything: here it is the time that counts. */
export const STEADY = 'steady';

/** What the rest is compared with; what is held must be on disk, and a commit on disk has a row of its own. */
const EMPTY = 'an empty transaction';
export const CHECK = 'check';
export const RESERVE = 'reserve';

/** In one process with the database's connections, without HTTP. */
export function measureInProcess(on: Database, plan: SteadyPlan): Promise<readonly Steady[]> {
  const parts = { database: on, clock: systemClock };
  const request = {
    ...callRequest({ tenant_id: STEADY, input_tokens: null, max_output_tokens: null }),
    amount: AMOUNT,
  };
  const holding = { hold_id: null, expires_in_seconds: null };
  return inTurn(plan, {
    [EMPTY]: () => emptyTransaction(on),
    'an empty commit on disk': () => commitOnDisk(on),
    [CHECK]: () => checkBudgets(parts, request),
    [RESERVE]: () => reserveHold(parts, { ...request, ...holding }),
  });
}

/** The same over HTTP, asked of a server in a process of its own. */
export async function measureOverHttp(url: string, plan: SteadyPlan): Promise<readonly Steady[]> {
  const path = fileURLToPath(new URL('budget-server-process.ts', import.meta.url));
  const server = fork(path, [url, String(plan.connections)]);
  try {
    const [started] = (await once(server, 'message')) as [{ url: string; key: string }];
    const agent = new http.Agent({ keepAlive: true, maxSockets: plan.connections });
    const ask = (at: string) => post(`${started.url}${at}`, { key: started.key, agent });
    return await inTurn(plan, {
      'a request that asks the database nothing': () => ask('/healthz'),
      'check over HTTP': () => ask('/v1/budgets/check'),
      'reserve over HTTP': () => ask('/v1/budgets/reserve'),
    });
  } finally {
    server.disconnect();
  }
}

async function inTurn(plan: SteadyPlan, kinds: Kinds): Promise<readonly Steady[]> {
  const times = new Map(Object.keys(kinds).map((name) => [name, [] as number[]]));
  for (let round = 0; round <= plan.seconds; round += 1) {
    for (const [name, ask] of Object.entries(kinds)) {
      const found = await atRate(plan.perSecond, ask);
      // The first round opens connections and compiles.
      if (round > 0) times.get(name)?.push(...found);
    }
  }
  return [...times].map(([name, found]) => ({
    ...{ name, count: found.length },
    ...{ p50Ms: quantile(found, 0.5), p99Ms: quantile(found, 0.99) },
  }));
}

async function emptyTransaction(on: Database): Promise<void> {
  const client = await on.pool.connect();
  await client.query('begin');
  await client.query('commit');
  client.release();
}

async function commitOnDisk(on: Database): Promise<void> {
  await on.pool.query({
    name: 'commit-on-disk',
    text: `select pg_logical_emit_message(true, 'bench', '')`,
  });
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

const CALL = JSON.stringify({ tenant_id: STEADY, model: 'gpt-4o', amount: '0.01' });

function post(
  url: string,
  { key, agent }: { readonly key: string; readonly agent: http.Agent },
): Promise<void> {
  const isQuestion = url.endsWith('/healthz');
  return new Promise((resolve, reject) => {
    const sent = http.request(url, {
      ...{ method: isQuestion ? 'GET' : 'POST', agent },
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    });
    sent.on('response', (response) => {
      response.resume();
      response.on('end', () =>
        response.statusCode === 200
          ? resolve()
          : reject(new Error(`status ${response.statusCode}`)),
      );
    });
    sent.on('error', reject);
    sent.end(isQuestion ? undefined : CALL);
  });
}
