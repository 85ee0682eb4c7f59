import { afterAll, beforeAll, expect, test } from 'vitest';
import { lanesFor, playInLanes } from './lanes.ts';
import type { ScheduleBench } from './schedule.ts';
import { openScheduleBench } from './schedule.ts';

/**
 * Random histories of two months: late usage, corrections, crashes, faults of Stripe, moves of the clock, two pushers at
 * once, processes that stand still for a day, databases restored from a backup, a key of another account; one tenant
 * is billed by invoice items, and so are all where nobody looks for 40 days. A failure names its seed: SPANLEDGER_SCHEDULE_FROM=that seed SPANLEDGER_SCHEDULES=1 plays it
 * again; SPANLEDGER_SCHEDULES=2000 is the long run.
 */
const FROM = Number(process.env['SPANLEDGER_SCHEDULE_FROM'] ?? 1);
const SEEDS = Number(process.env['SPANLEDGER_SCHEDULES'] ?? 2);
const LONG = 3 * 3_600_000;

const LANES = lanesFor(SEEDS);

let benches: readonly ScheduleBench[];
beforeAll(async () => {
  benches = await Promise.all(Array.from({ length: LANES }, openScheduleBench));
});
afterAll(() => Promise.all(benches.map((bench) => bench.close())));

test('whatever happens in two months, laws 5 and 6 hold and the invoices are the statements', {
  timeout: LONG,
}, async () => {
  const failures: string[] = [];
  const stories: string[] = [];
  const seeds = Array.from({ length: SEEDS }, (_, index) => FROM + index);
  await playInLanes(benches, seeds, async (bench, seed) => {
    const { wrong, story } = await bench.play(seed);
    stories.push(story.join('\n'));
    if (wrong.length > 0) {
      failures.push(`seed ${seed}: ${wrong.join('; ')}\n${story.join('\n')}`);
      console.log(failures.at(-1));
    }
    if (stories.length % 100 === 0) {
      console.log(`${stories.length} of ${SEEDS} seeds, ${failures.length} failed`);
    }
  });
  const having = (part: string | RegExp) =>
    stories.filter((story) => story.search(part) >= 0).length;
  console.log(
    `seeds ${FROM} to ${FROM + SEEDS - 1}: ${failures.length} failed; ${having('correctUsage')} with corrections, ${having(/exact -/)} with a negative sum, ${having('dies')} with a crash, ${having('restored,')} restored, ${having('suspended')} suspended, ${having('otherAccount')} with another account, ${having('40 days')} too late for the meter`,
  );
  expect(failures).toEqual([]);
});
