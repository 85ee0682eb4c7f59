import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FetchFunction, meterFetch } from '../../src/client/calls/meter-fetch.ts';
import { openClient } from '../../src/client/client.ts';
import { quantile } from './spread.ts';

/** What one call waits, and what it costs the process with all that is done for it afterwards. */
export interface CallCost {
  readonly name: string;
  readonly count: number;
  readonly p50Ms: number;
  /** The median of the rounds, since a neighbour on the machine spoils some of them. */
  readonly p99Ms: number;
  readonly cpuMs: number;
}

const ROUNDS = 20;
const CALLS_A_ROUND = 300;

/**
 * The same call without its wrapper and with it, in rounds in turn; the provider answers at once, so that nothing hides
 * the wrapper, and events go to a folder as in an application that keeps them.
 */
export async function measureWrapper(): Promise<readonly CallCost[]> {
  const folder = await mkdtemp(join(tmpdir(), 'spanledger-bench-'));
  const usage = openClient({ queueUrl: 'http://127.0.0.1:1/0/usage', folder });
  const plain: FetchFunction = async () =>
    new Response(ANSWER, { headers: { 'content-type': 'application/json' } });
  const asked = new Map([
    ['a call without its wrapper', plain],
    ['a call with its wrapper', meterFetch(usage, {}, plain)],
  ]);
  const rounds = new Map([...asked.keys()].map((name) => [name, [] as Round[]]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, ask] of asked) {
      const measured = await measureRound(ask);
      // The first ones compile the code.
      if (round >= ROUNDS / 5) rounds.get(name)?.push(measured);
    }
  }
  await usage.close({ deadlineMs: 0 });
  await rm(folder, { recursive: true });
  return [...rounds].map(([name, of]) => costOf(name, of));
}

interface Round {
  readonly milliseconds: readonly number[];
  readonly cpuMs: number;
}

async function measureRound(ask: FetchFunction): Promise<Round> {
  const cpu = process.cpuUsage();
  const milliseconds: number[] = [];
  for (let nth = 0; nth < CALLS_A_ROUND; nth += 1) {
    const begun = performance.now();
    const response = await ask('https://api.openai.com/v1/chat/completions', REQUEST);
    await response.json();
    milliseconds.push(performance.now() - begun);
    // An application does other things between two calls, and the client does its work then.
    await new Promise((done) => setImmediate(done));
  }
  const { user, system } = process.cpuUsage(cpu);
  return { milliseconds, cpuMs: (user + system) / 1000 / CALLS_A_ROUND };
}

function costOf(name: string, rounds: readonly Round[]): CallCost {
  const all = rounds.flatMap(({ milliseconds }) => milliseconds);
  return {
    ...{ name, count: all.length, p50Ms: quantile(all, 0.5) },
    p99Ms: quantile(
      rounds.map(({ milliseconds }) => quantile(milliseconds, 0.99)),
      0.5,
    ),
    cpuMs: quantile(
      rounds.map(({ cpuMs }) => cpuMs),
      0.5,
    ),
  };
}

const ANSWER = JSON.stringify({
  ...{ id: 'chatcmpl-0123456789abcdef', object: 'chat.completion', model: 'gpt-4o-2024-08-06' },
  choices: [{ index: 0, message: { role: 'assistant', content: 'x'.repeat(2000) } }],
  usage: { prompt_tokens: 2000, completion_tokens: 500, total_tokens: 2500 },
});

const REQUEST = {
  method: 'POST',
  body: JSON.stringify({
    model: 'gpt-4o',
    messages: Array.from({ length: 20 }, () => ({ role: 'user', content: 'a word '.repeat(60) })),
  }),
};
