import { monthAfter, parseInstant, utcDay } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { releaseInvoices } from '../../src/stripe/invoices/invoice.ts';
import { pushMonth } from '../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../src/stripe/reconcile-month.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';
import { randomFrom } from '../support/faulty-queue.ts';
import { ofMonth } from '../support/stripe.ts';
import { perform } from './acts.ts';
import type { SimulationBench } from './bench.ts';
import { FIRST_MONTH } from './bench.ts';
import { tellReceivers } from './operators.ts';
import { findWrong } from './oracle.ts';
import type { Act } from './plan.ts';
import { drawFrom } from './seeded-chance.ts';
import { measureBy } from './virtual-time.ts';
import { World } from './world.ts';

/** What is played, and how well it is looked at. */
export interface Game {
  readonly seed: number;
  readonly acts: readonly Act[];
  /** Whether every law is checked at the end, too, which takes longer than most plays. */
  readonly withLaws: boolean;
}

export interface Played {
  /** What is wrong at the end; empty when all is as it should be. */
  readonly wrong: readonly string[];
  readonly story: readonly string[];
  readonly turns: number;
}

const HOUR_MS = 3_600_000;
/** Enough for a queue of hundreds of messages. */
const MOST_TURNS_TO_DRAIN = 20_000;
/** What was told and is on no invoice is found after a week, and told anew. */
const MOST_RERUNS = 12;

/** Plays the acts, lets everything come to rest, bills what is due, and compares it with what was accepted. */
export async function play(bench: SimulationBench, game: Game): Promise<Played> {
  const { seed } = game;
  const drawAsBefore = drawFrom(seed);
  measureBy(bench.parts.clock);
  await bench.renew();
  const world = new World(bench, seed);
  const realFetch = globalThis.fetch;
  globalThis.fetch = async (url, init) => {
    const { signal: _, ...rest } = init ?? {};
    return world.fetch(new Request(String(url), rest));
  };
  try {
    const wrong = await playAll(world, game);
    return { wrong, story: world.turns.story, turns: world.turns.taken };
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { wrong: [what], story: world.turns.story, turns: world.turns.taken };
  } finally {
    await world.heal();
    bench.processes.letAllGo();
    drawAsBefore();
    globalThis.fetch = realFetch;
  }
}

async function playAll(world: World, game: Game): Promise<readonly string[]> {
  for (const act of game.acts) {
    // What follows an act is drawn from it alone, whatever was left out before it.
    world.turns.random = randomFrom(act.seed + 1);
    world.queue.random = randomFrom(act.seed + 2);
    world.receiver.random = randomFrom(act.seed + 3);
    world.supervise();
    await perform(world, act);
    await world.turns.take(act.turns);
  }
  await world.heal();
  await drain(world);
  world.serveQuietly();
  const months = await bill(world);
  await world.finish('teller', (parts) => tellReceivers(parts, true));
  await world.heal();
  const found = await findWrong(world, { months, withLaws: game.withLaws });
  return [...world.wrong, ...found];
}

/** Whoever sent something goes on until it is taken. */
async function drain(world: World): Promise<void> {
  world.turns.story.push('== drain');
  for (const { body, isAnswered } of world.posted) if (!isAnswered) world.queue.send(body);
  world.supervise();
  await emptyQueue(world);
  // What the faults had made come as often as it may became a dead letter now, and its operator sends it again.
  world.queue.redrive();
  await emptyQueue(world);
  if (world.queue.deadLetters > 0) {
    throw new Error('a message becomes a dead letter though nothing fails any more');
  }
  await world.heal();
}

async function emptyQueue({ turns, queue }: World): Promise<void> {
  await turns.take(MOST_TURNS_TO_DRAIN, () => queue.depth === 0);
  if (queue.depth > 0) throw new Error('the queue does not come to its end');
}

/** Closes and bills every month that has ended by the third of the next, until nothing is left to do. */
async function bill(world: World): Promise<readonly string[]> {
  const next = monthAfter(utcDay(world.now).slice(0, 7));
  await world.moveTo(parseInstant(`${next}-03T00:00:00Z`));
  const months: string[] = [];
  for (let month = FIRST_MONTH; month < next; month = monthAfter(month)) months.push(month);
  world.turns.story.push(`== bill ${months.join(' ')}`);
  await world.finish('closer', async (parts) => {
    for (const month of months) await closePeriods(parts, { month, tenant_id: null });
  });
  for (let run = 0; ; run += 1) {
    const left = await world.finish('biller', (parts) => billAll(parts, months));
    if (left.length === 0) break;
    if (run >= MOST_RERUNS) throw new Error(`not done: ${left.join('\n')}`);
    await world.moveTo(world.now + 25 * HOUR_MS);
  }
  await world.moveTo(world.now + 80 * HOUR_MS);
  return months;
}

/** Returns what is not done yet. */
async function billAll(parts: StripeParts, months: readonly string[]): Promise<readonly string[]> {
  const left: string[] = [];
  for (const month of months) {
    await pushMonth(parts, ofMonth(month));
    const rows = await reconcileMonth(parts, ofMonth(month));
    const open = rows.filter(({ difference }) => !DONE.has(difference));
    left.push(...open.map((row) => JSON.stringify(row)));
  }
  const invoices = await releaseInvoices(parts, { month: null });
  const held = invoices.filter(({ state }) => state === 'held' || state === 'refused');
  left.push(...held.map((invoice) => JSON.stringify(invoice)));
  return left;
}

const DONE: ReadonlySet<string> = new Set(['none', 'shadow', 'billed']);
