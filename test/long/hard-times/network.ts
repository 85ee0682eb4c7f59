import type { Manner } from './bad-line.ts';
import { Bridge, MONTH } from './bridge.ts';
import { later } from './own-postgres.ts';
import { goThrough } from './trouble.ts';
import { startUnderLoad } from './under-load.ts';
import { judgeEnd } from './watch.ts';

/** Every line between two processes drops half, stalls, or is cut in the middle of answers. */
export async function networkThatDropsHalf(random: () => number): Promise<readonly string[]> {
  const bridge = await Bridge.build({}, random);
  try {
    await startUnderLoad(bridge);
    const faults: string[] = [];
    const database: readonly (readonly [Manner, boolean, number])[] = [
      ['resets', false, 20_000],
      ['cuts', false, 20_000],
      ['stalls', true, 70_000],
      ['swallows', true, 70_000],
    ];
    for (const [manner, stopsReceiving, lastsMs] of database) {
      faults.push(
        ...(await goThrough(bridge, {
          name: `the line to Postgres ${manner}`,
          make: () => setManner(bridge, 'database', manner),
          mend: () => setManner(bridge, 'database', 'clean'),
          lastsMs,
          says: { worker: /receiving stopped|connection lost|not sealed|not folded/ },
          stopsReceiving,
        })),
      );
    }
    for (const manner of ['resets', 'cuts', 'stalls', 'swallows'] as const) {
      faults.push(
        ...(await goThrough(bridge, {
          name: `the line to SQS ${manner}`,
          make: () => setManner(bridge, 'queue', manner),
          mend: () => setManner(bridge, 'queue', 'clean'),
          lastsMs: manner === 'resets' || manner === 'cuts' ? 20_000 : 50_000,
          says:
            manner === 'stalls' || manner === 'swallows'
              ? { worker: /receive failed/, serve: /the queue does not take events/ }
              : {},
          stopsReceiving: false,
        })),
      );
    }
    faults.push(...(await judgeEnd(bridge)), ...(await pushThrough(bridge)));
    return faults;
  } finally {
    await bridge.close();
  }
}

function setManner(bridge: Bridge, line: keyof Bridge['lines'], manner: Manner): void {
  bridge.lines[line].manner = manner;
}

/** The month is billed over a bad line to Stripe, by commands that are run again until one ends well. */
async function pushThrough(bridge: Bridge): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const manner of ['stalls', 'swallows', 'cuts', 'resets', 'clean'] as const) {
    setManner(bridge, 'stripe', manner);
    const run = bridge.start(
      `month over a line that ${manner}`,
      [...['run-month', MONTH, '--out', bridge.folder, '--json']],
      { isKept: false },
    );
    const began = performance.now();
    if (manner !== 'clean') await later(45_000);
    const isDone = await Promise.race([
      run.exit().then(() => true),
      later(240_000).then(() => false),
    ]);
    const seconds = Math.round((performance.now() - began) / 1000);
    const code = await Promise.race([run.exit(), later(0).then(() => null)]);
    console.log(
      `run-month over a line to Stripe that ${manner}: exit ${code} after ${seconds} s: ${run.said.at(-1)?.text ?? ''}`,
    );
    if (!isDone)
      faults.push(`run-month over a line that ${manner} did not end within ${seconds} s`);
    if (manner === 'clean' && code !== 0)
      faults.push(`run-month ended with ${code}: ${run.stdout.slice(0, 400)}`);
    await run.end();
  }
  const told = bridge.double.control
    .meterEvents()
    .reduce((sum, { value }) => sum + BigInt(value), 0n);
  const { rows } = await bridge.database.pool.query<{ due: string }>(
    'select coalesce(sum(billable_micro), 0)::text as due from closes',
  );
  const due = rows[0]?.due;
  if (String(told) !== due) faults.push(`Stripe was told ${told} of ${due}`);
  return faults;
}
