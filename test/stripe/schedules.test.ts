import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ScheduleBench } from './schedule.ts';
import { openScheduleBench } from './schedule.ts';

vi.mock('../../src/clock.ts', async (original) => ({
  ...(await original<typeof import('../../src/clock.ts')>()),
  pause: () => new Promise((resolve) => setImmediate(resolve)),
}));

/**
 * Random histories of a month: late usage, crashes, faults of Stripe, moves of the clock, two pushers at
 * once. A failure names its seed: SPANLEDGER_SCHEDULE_FROM=that seed SPANLEDGER_SCHEDULES=1 plays it
 * again; SPANLEDGER_SCHEDULES=2000 is the long run.
 */
const FROM = Number(process.env['SPANLEDGER_SCHEDULE_FROM'] ?? 1);
const SEEDS = Number(process.env['SPANLEDGER_SCHEDULES'] ?? 8);
const LONG = 3 * 3_600_000;

let bench: ScheduleBench;
beforeAll(async () => {
  bench = await openScheduleBench();
});
afterAll(() => bench.close());

test('whatever happens in a month, laws 5 and 6 hold and the invoice is the statement', {
  timeout: LONG,
}, async () => {
  const failures: string[] = [];
  for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
    const { wrong, story } = await bench.play(seed);
    if (wrong.length > 0) {
      failures.push(`seed ${seed}: ${wrong.join('; ')}\n${story.join('\n')}`);
      console.log(failures.at(-1));
    }
    if (SEEDS > 100 && (seed - FROM + 1) % 100 === 0) {
      console.log(`${seed - FROM + 1} of ${SEEDS} seeds, ${failures.length} failed`);
    }
  }
  console.log(`seeds ${FROM} to ${FROM + SEEDS - 1}: ${failures.length} failed`);
  expect(failures).toEqual([]);
});
