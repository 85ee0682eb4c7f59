import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatInstant, monthAfter, systemClock } from '../../../src/clock.ts';
import type { Actor, ActorOptions } from './actor.ts';
import { Bridge, MONTH } from './bridge.ts';
import { goThrough } from './trouble.ts';
import { startUnderLoad } from './under-load.ts';
import { judgeEnd, within } from './watch.ts';

const PRELOADED = fileURLToPath(new URL('./shifted-clock.ts', import.meta.url));
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The clock of the machine of all processes jumps, forward and back, while Postgres has another one. */
export async function clockThatJumps(random: () => number): Promise<readonly string[]> {
  const bridge = await Bridge.build({}, random);
  const file = join(bridge.folder, 'shift');
  const shift = (milliseconds: number) => writeFile(file, String(milliseconds));
  const shifted: ActorOptions = {
    node: [`--import=${PRELOADED}`],
    environment: { SHIFTED_CLOCK_FILE: file },
  };
  const startedAt = systemClock();
  try {
    await shift(0);
    bridge.load.undated = true;
    await startUnderLoad(bridge, { all: shifted });
    const faults: string[] = [];
    for (const [name, milliseconds] of JUMPS) {
      faults.push(
        ...(await goThrough(bridge, {
          name: `the clock jumps ${name}`,
          make: () => shift(milliseconds),
          mend: () => shift(0),
          lastsMs: 15_000,
          says: {
            worker: /a clock is wrong.*apart.*set the clock/,
            serve: /a clock is wrong/,
            direct: /a clock is wrong/,
          },
          stopsReceiving: true,
        })),
        ...(await datedWrong(bridge, startedAt)),
      );
    }
    const run: Run = { bridge, shift, shifted };
    faults.push(...(await closeTooEarly(run)), ...(await judgeEnd(bridge)));
    return [...faults, ...(await pushAcross(run)), ...(await datedWrong(bridge, startedAt))];
  } finally {
    await bridge.close();
  }
}

const JUMPS = [
  ['an hour forward', HOUR_MS],
  ['an hour back', -HOUR_MS],
  ['forty days forward, into another month', 40 * DAY_MS],
  ['forty days back', -40 * DAY_MS],
  ['a year forward', 365 * DAY_MS],
  ['a year back', -365 * DAY_MS],
] as const;

interface Run {
  readonly bridge: Bridge;
  readonly shift: (milliseconds: number) => Promise<void>;
  readonly shifted: ActorOptions;
}

/** What the processes date themselves must lie in the time of this run. */
async function datedWrong({ database }: Bridge, from: number): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ what: string; n: number }>(
    `select 'entries' as what, count(*)::int as n from entries
       where recorded_at not between $1 and now() + interval '5 minutes'
     union all select 'undated events', count(*)::int from entries
       where source like '%batch%' and occurred_at not between $1 and now() + interval '5 minutes'
     union all select 'seals', count(*)::int from seals
       where sealed_at not between $1 and now() + interval '5 minutes'`,
    [formatInstant(from - 5 * 60_000)],
  );
  return rows.flatMap(({ what, n }) => (n === 0 ? [] : [`${n} ${what} are dated wrong`]));
}

/** By a clock of the next month, this month would have ended. */
async function closeTooEarly({ bridge, shift, shifted }: Run): Promise<readonly string[]> {
  const thisMonth = monthAfter(MONTH);
  await shift(40 * DAY_MS);
  const faults: string[] = [];
  for (const args of [
    ['close', thisMonth],
    ['run-month', thisMonth, '--out', bridge.folder],
  ]) {
    const command = bridge.start(`forty days ahead, ${args[0]}`, [...args, '--json'], {
      ...shifted,
      isKept: false,
    });
    const code = await ended(command);
    const words = command.said.map(({ text }) => text).join(' ');
    console.log(`${command.name}: exit ${code}: ${words.slice(0, 300)}`);
    if (code === 0 || !/clock/.test(words))
      faults.push(`${command.name} ended with ${code}: ${words}`);
  }
  await shift(0);
  const { rows } = await bridge.database.pool.query<{ n: number }>(
    'select count(*)::int as n from closes',
  );
  return rows[0]?.n === 0 ? faults : [...faults, 'a month was closed before its end'];
}

/**
 * Stripe answers nothing, so that what was told is unknown; then the clock goes back by more than a day, by which an
 * identifier would still be known at Stripe for long. Nothing is sent by such a clock; by a right one each once.
 */
async function pushAcross({ bridge, shift, shifted }: Run): Promise<readonly string[]> {
  const month = (name: string) =>
    bridge.start(name, ['run-month', MONTH, '--out', bridge.folder, '--json'], {
      ...shifted,
      isKept: false,
    });
  const first = month('run-month, whose clock jumps back meanwhile');
  const hasPushed = await within(60_000, () => bridge.double.control.meterEvents().length > 2);
  await shift(-30 * HOUR_MS);
  const code = await ended(first);
  console.log(`${first.name}: exit ${code}: ${first.said.at(-2)?.text} ${first.said.at(-1)?.text}`);
  const sent = bridge.double.control.meterEvents().length;
  const second = month('run-month with a clock that is thirty hours slow');
  const refused = await ended(second);
  const words = second.said.map(({ text }) => text).join(' ');
  console.log(`${second.name}: exit ${refused}: ${words.slice(0, 300)}`);
  const sentMeanwhile = bridge.double.control.meterEvents().length - sent;
  await shift(0);
  const third = month('run-month with the right clock');
  const done = await ended(third);
  const events = bridge.double.control.meterEvents();
  const told = events.reduce((sum, { value }) => sum + BigInt(value), 0n);
  const { rows } = await bridge.database.pool.query<{ due: string }>(
    'select coalesce(sum(billable_micro), 0)::text as due from closes',
  );
  return [
    ...(hasPushed ? [] : ['nothing was told before the clock jumped']),
    ...(refused !== 0 && /clock/.test(words) ? [] : [`a slow clock billed: ${refused} ${words}`]),
    ...(sentMeanwhile === 0 ? [] : [`${sentMeanwhile} were told by a wrong clock`]),
    ...(done === 0 ? [] : [`run-month ended with ${done}: ${third.said.at(-1)?.text}`]),
    ...(String(told) === rows[0]?.due ? [] : [`Stripe was told ${told} of ${rows[0]?.due}`]),
  ];
}

async function ended(actor: Actor): Promise<number | null> {
  const code = await actor.exitWithin(180_000);
  return code === 'running' ? null : code;
}
