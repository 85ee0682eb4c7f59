import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { SimulationBench } from './bench.ts';
import { openBench } from './bench.ts';
import { planOf } from './plan.ts';
import { type Game, play } from './play.ts';
import { shrink } from './shrink.ts';

vi.mock('../../src/clock.ts', async (original) => ({
  ...(await original<typeof import('../../src/clock.ts')>()),
  pause: (await import('./virtual-time.ts')).virtualPause,
}));

/**
 * The whole bridge in one process: two workers, a server, producers, holders, closers, pushers and Stripe's webhooks,
 * whose every await is decided by a seed, and what befalls them. A failure says the fewest acts that still fail;
 * SPANLEDGER_SEED=that seed SPANLEDGER_SEEDS=1 plays it again, and SPANLEDGER_SEEDS=1000 is a part of the long run.
 */
const FROM = Number(process.env['SPANLEDGER_SEED'] ?? 1);
/** On a loaded machine its timing is not yet firm enough for every run of the suite: it is a command of its own. */
const SEEDS = Number(process.env['SPANLEDGER_SEEDS'] ?? 0);
/** Every law of the ledger is checked after each so many seeds; what was accepted is compared after each. */
const SEEDS_A_CHECK = 10;
const SHOWN_LINES = 60;
const PROGRESS_EVERY = 100;

let bench: SimulationBench;
beforeAll(async () => {
  if (SEEDS > 0) bench = await openBench();
});
afterAll(async () => {
  if (SEEDS > 0) await bench.close();
});

test.skipIf(SEEDS === 0)(
  'whatever happens to the bridge, everything that was accepted is billed once',
  {
    timeout: 6 * 3_600_000,
  },
  async () => {
    const failures: string[] = [];
    let turns = 0;
    const began = performance.now();
    for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
      const game = gameOf(seed);
      const played = await play(bench, game);
      turns += played.turns;
      if (played.wrong.length > 0) {
        failures.push(await describe(game, played.wrong));
        console.log(failures.at(-1));
      }
      const done = seed - FROM + 1;
      if (done % PROGRESS_EVERY === 0) console.log(`${done} seeds, ${failures.length} failed`);
    }
    const rate = (SEEDS * 1000) / (performance.now() - began);
    const which = `seeds ${FROM} to ${FROM + SEEDS - 1}`;
    console.log(`${which}: ${failures.length} failed, ${turns} turns, ${rate.toFixed(1)} a second`);
    expect(failures).toEqual([]);
  },
);

test.skipIf(SEEDS === 0)('a seed is one history, to the last await', async () => {
  const acts = planOf(FROM).slice(0, 12);
  const first = await play(bench, { seed: FROM, acts, withLaws: false });
  const again = await play(bench, { seed: FROM, acts, withLaws: false });
  expect(again.story).toEqual(first.story);
});

function gameOf(seed: number): Game {
  return { seed, acts: planOf(seed), withLaws: seed % SEEDS_A_CHECK === FROM % SEEDS_A_CHECK };
}

/** What is left of a failing history when every act is left out that it fails without. */
async function describe(game: Game, wrong: readonly string[]): Promise<string> {
  const acts = await shrink(
    game.acts,
    async (fewer) => (await play(bench, { ...game, acts: fewer })).wrong.length > 0,
  );
  const shortest = await play(bench, { ...game, acts });
  return [
    `seed ${game.seed}: ${wrong.join('; ')}`,
    `of its acts these are enough: ${acts.map(({ place, kind }) => `${place} ${kind}`).join(', ')}`,
    ...shortest.wrong,
    ...shortest.story.slice(-SHOWN_LINES),
  ].join('\n');
}
