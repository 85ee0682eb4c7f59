import type { Manner } from './bad-line.ts';
import { Bridge, MONTH } from './bridge.ts';
import { goThrough, type Trouble } from './trouble.ts';
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
        ...(await goOver(bridge, 'database', manner, {
          name: `the line to Postgres ${manner}`,
          lastsMs,
          says: { worker: /receiving stopped|connection lost|not sealed|not folded/ },
          stopsReceiving,
        })),
      );
    }
    for (const manner of ['resets', 'cuts', 'stalls', 'swallows'] as const) {
      faults.push(
        ...(await goOver(bridge, 'queue', manner, {
          name: `the line to SQS ${manner}`,
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

/** Makes a line bad for a while. Where it spoilt no connection, nothing was tried. */
async function goOver(
  bridge: Bridge,
  name: keyof Bridge['lines'],
  manner: Manner,
  trouble: Omit<Trouble, 'make' | 'mend'>,
): Promise<readonly string[]> {
  const line = bridge.lines[name];
  const before = line.spoilt;
  const faults = await goThrough(bridge, {
    ...trouble,
    make: () => line.turn(manner),
    mend: () => line.turn('clean'),
  });
  const spoilt = line.spoilt - before;
  console.log(`${trouble.name}: ${spoilt} connections were spoilt`);
  return spoilt > 0 ? faults : [...faults, `${trouble.name}: no connection was spoilt`];
}

/** The month is billed over a bad line to Stripe, by commands that are run again until one ends well. */
async function pushThrough(bridge: Bridge): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const manner of ['stalls', 'swallows', 'cuts', 'resets', 'clean'] as const) {
    bridge.lines.stripe.turn(manner);
    const run = bridge.start(
      `month over a line that ${manner}`,
      [...['run-month', MONTH, '--out', bridge.folder, '--json']],
      { isKept: false },
    );
    const began = performance.now();
    const code = await run.exitWithin(285_000);
    const seconds = Math.round((performance.now() - began) / 1000);
    console.log(
      `run-month over a line to Stripe that ${manner}: exit ${code} after ${seconds} s, ${bridge.lines.stripe.spoilt} connections spoilt so far: ${run.said.at(-1)?.text ?? ''}`,
    );
    if (code === 'running')
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
