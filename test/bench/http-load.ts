import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** A request that is made again and again. */
export interface Asking {
  readonly url: string;
  readonly key: string | null;
  /** Made anew each time; null asks with GET. */
  readonly body: (() => string) | null;
}

/** Milliseconds of each answer: so many connections, each of which asks again as soon as it is answered. */
export async function askInLoops(
  asking: Asking,
  of: { readonly connections: number; readonly seconds: number },
): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: of.connections });
  const until = performance.now() + of.seconds * 1000;
  const millis: number[] = [];
  const loop = async () => {
    while (performance.now() < until) millis.push(await ask(agent, asking));
  };
  await Promise.all(Array.from({ length: of.connections }, loop));
  agent.destroy();
  return millis;
}

/** Asks at a rate until the signal, whether or not what was asked before is answered. Rejects at its end where one failed. */
export async function askAtRate(
  asking: Asking,
  perSecond: number,
  stop: AbortSignal,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const begun = performance.now();
  const calls = new Set<Promise<unknown>>();
  const failures: unknown[] = [];
  for (let nth = 0; !stop.aborted; nth += 1) {
    const early = begun + (nth * 1000) / perSecond - performance.now();
    if (early > 1) await pause(early);
    const call = ask(agent, asking)
      .catch((error: unknown) => failures.push(error))
      .finally(() => calls.delete(call));
    calls.add(call);
  }
  await Promise.all(calls);
  agent.destroy();
  if (failures.length > 0) throw failures[0];
}

/** Rejects where the answer is none of success. */
function ask(agent: Agent, { url, key, body }: Asking): Promise<number> {
  const text = body?.() ?? null;
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const headers = {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(text === null ? {} : { 'content-type': 'application/json' }),
    };
    const sent = request(url, { agent, headers, method: text === null ? 'GET' : 'POST' });
    sent.on('error', reject);
    sent.on('response', (answer) => {
      const status = answer.statusCode ?? 0;
      answer.on('error', reject);
      answer.on('end', () =>
        status < 300
          ? resolve(performance.now() - begun)
          : reject(new Error(`${url} answered ${status}`)),
      );
      answer.resume();
    });
    sent.end(text ?? undefined);
  });
}
