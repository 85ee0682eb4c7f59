import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { SimulationBench } from './bench.ts';
import { openBench } from './bench.ts';
import { KEPT } from './kept.ts';
import { planOf } from './plan.ts';
import { type Game, play } from './play.ts';
import { shrink } from './shrink.ts';

vi.mock('../../src/clock.ts', async (original) => ({
  ...(await original<typeof import('../../src/clock.ts')>()),
  pause: (await import('./virtual-time.ts')).virtualPause,
  monotonicMs: (await import('./virtual-time.ts')).virtualMonotonicMs,
}));
vi.mock('../../src/webhooks/delivery-client.ts', async () => ({
  sendSigned: (await import('./virtual-time.ts')).virtualSendSigned,
}));
vi.mock('node:crypto', async (original) => ({
  ...(await original<typeof import('node:crypto')>()),
  randomBytes: (await import('./seeded-chance.ts')).seededBytes,
  randomUUID: (await import('./seeded-chance.ts')).seededUuid,
}));

/**
 * The whole bridge in one process: two workers, a server, producers, holders, closers, pushers and Stripe's webhooks,
 * whose every await is decided by a seed, and what befalls them. Four of five histories are short, and close and push a
 * month while something fails; one is long, with any acts in any order (plan.ts draws them). A failure says the fewest acts that still fail;
 * SPANLEDGER_SEED=that seed SPANLEDGER_SEEDS=1 plays it again, kept.ts keeps what was mended, and SPANLEDGER_STORIES=a folder writes down what
 * happened. A shard of the long run begins with a SPANLEDGER_SEED of its own, and plays SPANLEDGER_SEEDS from there:
 *   for from in $(seq 720001 250 729751); do
 *     SPANLEDGER_SEED=$from SPANLEDGER_SEEDS=250 npx vitest run --project simulation; done
 * Several shards may be played at once, each with a Postgres of its own. The history that is printed at the end is
 * the same on every machine, however busy it is.
 */
const FROM = Number(process.env['SPANLEDGER_SEED'] ?? 1);
const SEEDS = Number(process.env['SPANLEDGER_SEEDS'] ?? 2);
/** A folder for what happened in each seed, where somebody wants to read it. */
const STORIES = process.env['SPANLEDGER_STORIES'] ?? null;
/** Every law of the ledger is checked after each so many seeds; what was accepted is compared after each. */
const SEEDS_A_CHECK = 10;
const SHOWN_LINES = 60;
const PROGRESS_EVERY = 100;

let bench: SimulationBench;
/** What the first seed was the first time. */
let firstStory: readonly string[] = [];
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

test('whatever happens to the bridge, everything that was accepted is billed once', {
  timeout: 6 * 3_600_000,
}, async () => {
  const failures: string[] = [];
  let turns = 0;
  const digest = createHash('sha256');
  const began = performance.now();
  for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
    const game = gameOf(seed);
    const played = await play(bench, game);
    turns += played.turns;
    if (seed === FROM) firstStory = played.story;
    const story = played.story.join('\n');
    digest.update(story);
    if (STORIES !== null) await writeFile(`${STORIES}/${seed}.txt`, `${story}\n`);
    if (played.wrong.length > 0) {
      failures.push(await describe(game, played.wrong));
      console.log(failures.at(-1));
    }
    const done = seed - FROM + 1;
    if (done % PROGRESS_EVERY === 0) console.log(`${done} seeds, ${failures.length} failed`);
  }
  const rate = (SEEDS * 60_000) / (performance.now() - began);
  const which = `seeds ${FROM} to ${FROM + SEEDS - 1}`;
  const history = digest.digest('hex').slice(0, 16);
  console.log(
    `${which}: ${failures.length} failed, ${turns} turns, ${rate.toFixed(0)} seeds a minute, history ${history}`,
  );
  expect(failures).toEqual([]);
});

test.each(KEPT)('$what', async ({ seed, acts }) => {
  expect((await play(bench, { seed, acts, withLaws: false })).wrong).toEqual([]);
});

test('whoever a server was answering when its process was restarted hears nothing, and is billed once all the same', async () => {
  const acts = [
    { place: 0, kind: 'post', seed: 1, turns: 3 },
    { place: 1, kind: 'restart_serve', seed: 2, turns: 9 },
    { place: 2, kind: 'post', seed: 3, turns: 1 },
    { place: 3, kind: 'lose_machine', seed: 4, turns: 9 },
    { place: 4, kind: 'post', seed: 5, turns: 40 },
    { place: 5, kind: 'deploy', seed: 6, turns: 400 },
  ] as const;
  const { wrong, story } = await play(bench, { seed: 1, acts, withLaws: true });
  expect(wrong).toEqual([]);
  expect(story.filter((line) => line === '   server is killed').length).toBeGreaterThanOrEqual(2);
  expect(story.filter((line) => line === '   posted: no answer')).toHaveLength(2);
  expect(story).toContain('   server is done');
  expect(story).toContain('   worker 1 is done');
});

test('a seed is one history, to the last await', async () => {
  const again = await play(bench, gameOf(FROM));
  expect(again.story).toEqual(firstStory);
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
    `of its acts these are enough: ${JSON.stringify(acts)}`,
    ...shortest.wrong,
    ...shortest.story.slice(-SHOWN_LINES),
  ].join('\n');
}
