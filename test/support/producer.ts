import { writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { meterFetch } from '../../src/client/calls/meter-fetch.ts';
import { openClient } from '../../src/client/client.ts';
import type { ClientOptions } from '../../src/client/client-contract.ts';

/** A producer in a process of its own, to be killed. Its one argument is a `ProducerOrder` as JSON. */
export interface ProducerOrder {
  readonly client: Omit<ClientOptions, 'clock' | 'onLost' | 'onTrouble'>;
  /** The first event's number, and how many. */
  readonly from: number;
  readonly events: number;
  /** What it does after them; `wait` leaves that to a signal. */
  readonly afterwards: 'close' | 'wait' | 'exit' | 'call and exit' | 'call and kill';
}

const order: ProducerOrder = JSON.parse(process.argv[2] ?? '');
const client = openClient(order.client);
for (let n = order.from; n < order.from + order.events; n += 1) {
  const answer = client.record({
    event_id: `evt-${n}`,
    occurred_at: '2026-10-15T12:00:00Z',
    status: 'ok',
    requested_model: 'gpt-4o',
    tenant_id: `tenant-${n % 5}`,
    usage: { input_tokens: 1000, output_tokens: 100 },
  });
  // Written at once, so that whoever kills this process knows what was accepted before.
  say(`${JSON.stringify(answer)}\n`);
  if (n % 50 === 0) await nextTurn();
}
if (order.afterwards === 'close') await client.close();
if (order.afterwards === 'exit') process.exit();
if (order.afterwards === 'call and exit') {
  await callModel();
  process.exit();
}
if (order.afterwards === 'call and kill') {
  await callModel();
  process.kill(process.pid, 'SIGKILL');
}
if (order.afterwards === 'wait') setInterval(() => {}, 1_000);

/** One call through the wrapper, whose provider answers at once; whoever calls has the whole answer. */
async function callModel(): Promise<void> {
  const answer = {
    id: 'chatcmpl-the-last-call-of-all',
    usage: { prompt_tokens: 7, completion_tokens: 3 },
  };
  const metered = meterFetch(client, {}, async () => Response.json({ model: 'gpt-4o', ...answer }));
  const init = { method: 'POST', body: '{"model":"gpt-4o"}' };
  await (await metered('https://api.openai.com/v1/chat/completions', init)).json();
}

/** All of it, however slowly the other end of the pipe reads. */
function say(line: string): void {
  for (let left = line; left !== ''; ) {
    try {
      left = left.slice(writeSync(1, left));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
