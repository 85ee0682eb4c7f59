import { releaseHold } from '../../src/budgets/release-hold.ts';
import { reserveHold } from '../../src/budgets/reserve-hold.ts';
import { monthAfter, parseInstant, utcDay } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import { releaseInvoices } from '../../src/stripe/invoices/invoice.ts';
import { pushMonth } from '../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../src/stripe/reconcile-month.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';
import { FAULTS } from '../stripe/fault-cases.ts';
import { callRequest } from '../support/budgets.ts';
import { randomFrom } from '../support/faulty-queue.ts';
import { ofMonth } from '../support/stripe.ts';
import type { Corrected, Promised, SaidCall } from './accepted.ts';
import { accept, BOXED, eventOf, TENANTS } from './accepted.ts';
import { FIRST_MONTH, SERVE } from './bench.ts';
import { adjust, correct, runWholeMonth, tellReceivers } from './operators.ts';
import type { Act, ActKind } from './plan.ts';
import type { Posted, World } from './world.ts';

/** What an act is drawn from. */
interface Dice {
  readonly act: Act;
  whole(below: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
}

/** As many turns as so many others have together. */
const HURRY = 8;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export async function perform(world: World, act: Act): Promise<void> {
  const dice = diceOf(act);
  world.turns.story.push(`== ${act.place} ${act.kind}`);
  await ACTS[act.kind](world, dice);
}

function diceOf(act: Act): Dice {
  const random = randomFrom(act.seed);
  const whole = (below: number) => Math.floor(random() * below);
  return {
    act,
    whole,
    chance: (probability) => random() < probability,
    pick: (items) => {
      const item = items[whole(items.length)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
  };
}

const ACTS: Readonly<Record<ActKind, (world: World, dice: Dice) => Promise<void> | void>> = {
  calls(world, dice) {
    for (let message = 0; message <= dice.whole(4); message += 1) {
      const body = bodyOf(saySome(world, dice, `${message}`));
      for (let copy = 0; copy <= (dice.chance(0.2) ? 1 : 0); copy += 1) send(world, body);
    }
  },

  post(world, dice) {
    const posted: Posted = { body: bodyOf(saySome(world, dice, 'p')), isAnswered: false };
    world.posted.push(posted);
    void post(world, posted);
  },

  /** A producer, or an operator weeks later, sends something for a second time. */
  again(world, dice) {
    if (world.sent.length > 0) world.queue.send(dice.pick(world.sent));
    for (const posted of world.posted.filter(({ isAnswered }) => !isAnswered)) {
      void post(world, posted);
    }
  },

  reserve(world, dice) {
    const tokens = { input: 100 + dice.whole(2_000), output: 10 + dice.whole(400) };
    for (let hold = 0; hold <= dice.whole(3); hold += 1) {
      const holdId = `h-${dice.act.place}-${hold}`;
      const promised: Promised = { holdId, ...tokens, state: 'asked' };
      world.accepted.promised.set(holdId, promised);
      const isMade = dice.chance(0.7);
      const used = { input: dice.whole(tokens.input), output: dice.whole(tokens.output) };
      const seconds = dice.pick([1, 60, 3600]);
      world.start('holder', async (parts) => {
        await reserve(parts, promised, seconds);
        if (promised.state !== 'admitted' || !isMade) return;
        send(world, bodyOf([say(world, { ...callOfHold(world, promised), ...used })]));
      });
    }
  },

  /** What is released belongs to a call that is not made. */
  release(world, dice) {
    const { promised, calls } = world.accepted;
    const open = [...promised.values()].filter(
      ({ state, holdId }) => state === 'admitted' && !calls.has(`e-${holdId}`),
    );
    if (open.length === 0) return;
    const one = dice.pick(open);
    one.state = 'releasing';
    world.start('releaser', async (parts) => {
      await releaseHold(parts, { hold_id: one.holdId, tenant_id: null, actor: 'simulation' });
      one.state = 'released';
    });
  },

  async jump(world, dice) {
    const ms = dice.pick([5_000, 60_000, HOUR_MS, 9 * HOUR_MS, 23 * HOUR_MS, DAY_MS, 5 * DAY_MS]);
    await world.turns.moveTo(world.now + ms);
  },

  /** The clock comes to the next month: to its first instant, or some days into it. */
  async month_ends(world, dice) {
    const first = parseInstant(`${monthAfter(utcDay(world.now).slice(0, 7))}-01T00:00:00Z`);
    await world.turns.moveTo(first + dice.pick([0, HOUR_MS, DAY_MS, 2 * DAY_MS, 4 * DAY_MS]));
  },

  close: (world, dice) =>
    startJob(world, dice, 'closer', (parts, month) =>
      closePeriods(parts, { month, tenant_id: null }),
    ),
  push: (world, dice) =>
    startJob(world, dice, 'pusher', (parts, month) => pushMonth(parts, ofMonth(month))),
  reconcile: (world, dice) =>
    startJob(world, dice, 'reconciler', (parts, month) => reconcileMonth(parts, ofMonth(month))),
  let_go: (world, dice) =>
    startJob(world, dice, 'releaser', (parts) => releaseInvoices(parts, { month: null })),
  fold: (world, dice) =>
    startJob(world, dice, 'folder', ({ database, clock }) => foldAll(database, clock)),
  seal: (world, dice) =>
    startJob(world, dice, 'sealer', ({ database, clock }) => sealAll(database, clock)),

  /** Whoever got no answer asks again. */
  adjust(world, dice) {
    const { adjusted } = world.accepted;
    const id = `a-${dice.act.place}`;
    const tenantId = dice.pick(TENANTS).tenantId;
    const amount = BigInt(dice.whole(1_000_001) - 600_000) * 1_000_003n || 1n;
    adjusted.set(id, { id, tenantId, amount, isPosted: false });
    for (const one of adjusted.values()) {
      if (!one.isPosted) world.start('adjuster', (parts) => adjust(parts, one));
    }
  },

  correct(world, dice) {
    const known = [...world.accepted.calls.values()].flat().filter(isCorrected);
    if (known.length === 0) return;
    for (let copy = 0; copy <= (dice.chance(0.3) ? 1 : 0); copy += 1) {
      const { eventId } = dice.pick(known);
      const output = dice.chance(0.2) ? null : 10_000 + dice.act.place * 10 + copy;
      const one: Corrected = { eventId, output, isPosted: false };
      world.accepted.corrected.push(one);
      world.start('corrector', (parts) => correct(parts, one));
    }
  },

  run_month: (world, dice) => startJob(world, dice, 'month runner', runWholeMonth),
  tell: (world, dice) =>
    startJob(world, dice, 'teller', (parts) => tellReceivers(parts, dice.chance(0.3))),

  receiver_fails(world, dice) {
    world.receiver.failing = dice.pick([0, 0.3, 1]);
  },

  async kill(world, dice) {
    const actors = [...world.actors];
    if (actors.length > 0) await world.kill(dice.pick(actors));
  },

  restart_serve: (world) => world.restartServe(),
  lose_machine: (world) => world.killAll(),
  deploy: (world) => world.deploy(),

  trap(world, dice) {
    world.traps.add({
      does: dice.pick(['cut', 'kill']),
      when: dice.pick(['before', 'after']),
      isNoticed: dice.chance(0.5),
      statement: dice.pick(['', '', 'commit', 'commit', 'insert', 'delete', 'update', 'connect']),
      skip: dice.whole(12),
      of: dice.pick(['', 'worker', 'server', 'pusher', 'closer', 'holder']),
    });
  },

  restart: (world, dice) => world.restartPostgres(dice.whole(25)),

  queue_faults(world, dice) {
    const chance = () => dice.pick([0, 0, 0.1, 0.4]);
    world.queue.chances = {
      duplicate: chance(),
      expire: chance(),
      lostDelete: chance(),
      failedDelete: chance(),
      receiveError: chance(),
    };
  },

  stripe_fault(world, dice) {
    const fault = dice.pick(FAULTS);
    const times = dice.pick([fault.times ?? 1, fault.times ?? 1, 6]);
    world.bench.double.control.injectFault({ ...fault, times, after: dice.whole(8) });
  },

  summary_lag(world, dice) {
    world.bench.double.control.setSummaryLag(dice.pick([0, 60_000, HOUR_MS]));
  },

  redrive(world) {
    world.queue.redrive();
  },

  /** A process stands still, and later goes on as if nothing had been. */
  freeze(world, dice) {
    for (const actor of world.actors) actor.weight = 1;
    const actors = [...world.actors].filter(({ name }) => name !== 'server');
    if (actors.length > 0 && dice.chance(0.8)) dice.pick(actors).weight = 0;
  },

  /** A process that does one thing and ends, if one is under way, gets most of the turns. */
  hurry(world, dice) {
    const jobs = [...world.actors].filter(
      ({ name, weight }) => weight > 0 && !/^(?:server|worker)/.test(name),
    );
    if (jobs.length > 0) dice.pick(jobs).weight = HURRY;
  },
};

/** The budget of holds reckons with what their calls said, and not with what they were corrected to. */
function isCorrected({ holdId, isBroken, members }: SaidCall): boolean {
  return holdId === null && !isBroken && members === null;
}

function startJob(
  world: World,
  dice: Dice,
  name: string,
  work: (parts: StripeParts, month: string) => Promise<unknown>,
): void {
  const monthsBack = dice.chance(0.85) ? 1 : 2;
  const ended = monthAfter(utcDay(world.now).slice(0, 7), -monthsBack);
  const month = ended < FIRST_MONTH ? FIRST_MONTH : ended;
  const isTwice = dice.chance(0.15);
  for (let copy = 0; copy <= (isTwice ? 1 : 0); copy += 1) {
    world.start(name, (parts) => work(parts, month));
  }
}

async function reserve(parts: StripeParts, promised: Promised, seconds: number): Promise<void> {
  const { holdId, input, output } = promised;
  const call = { tenant_id: BOXED, model: 'gpt-4o-mini', provider: 'openai' };
  const tokens = { input_tokens: input, max_output_tokens: output };
  const request = { ...callRequest({ ...call, ...tokens }), hold_id: holdId };
  const answer = await reserveHold(parts, { ...request, expires_in_seconds: seconds });
  promised.state = answer.hold_id === null ? 'denied' : 'admitted';
}

function callOfHold(world: World, { holdId }: Promised): SaidCall {
  const of = {
    tenantId: BOXED,
    occurredAt: world.now,
    model: 'gpt-4o-mini',
    status: 'ok',
  } as const;
  return {
    ...of,
    eventId: `e-${holdId}`,
    holdId,
    input: 0,
    output: 0,
    isBroken: false,
    members: null,
  };
}

/** Some calls of one message; now and then one under an id that is taken, with another content. */
function saySome(world: World, dice: Dice, message: string): readonly SaidCall[] {
  return Array.from({ length: 1 + dice.whole(4) }, (_, index) => {
    const known = [...world.accepted.calls.values()].flat().filter((call) => call.holdId === null);
    if (known.length > 0 && dice.chance(0.12)) {
      const other = dice.pick(known);
      return say(
        world,
        dice.chance(0.5) || other.members !== null ? other : { ...other, output: other.output + 1 },
      );
    }
    return say(world, newCall(world, dice, `e-${dice.act.place}-${message}-${index}`));
  });
}

function newCall(world: World, dice: Dice, eventId: string): SaidCall {
  const [acme, kathmandu] = TENANTS.map(({ tenantId }) => tenantId);
  const ago = dice.pick([0, 0, dice.whole(HOUR_MS), dice.whole(DAY_MS), dice.whole(20 * DAY_MS)]);
  const isBatched = dice.chance(0.15);
  const members = Array.from({ length: 2 + dice.whole(3) }, () =>
    dice.pick([acme ?? null, kathmandu ?? null, null]),
  );
  return {
    eventId,
    members: isBatched ? members : null,
    tenantId: isBatched
      ? null
      : dice.pick([acme ?? null, acme ?? null, kathmandu ?? null, kathmandu ?? null, null]),
    occurredAt: world.now - ago,
    model: dice.pick(['gpt-4o', 'gpt-4o-mini']),
    status: dice.pick(['ok', 'ok', 'ok', 'error']),
    input: dice.whole(100_000),
    output: dice.whole(5_000),
    holdId: null,
    isBroken: !isBatched && dice.chance(0.05),
  };
}

function say(world: World, call: SaidCall): SaidCall {
  accept(world.accepted, call);
  return call;
}

function bodyOf(calls: readonly SaidCall[]): string {
  return JSON.stringify({ events: calls.map(eventOf) });
}

function send(world: World, body: string): void {
  world.sent.push(body);
  world.queue.send(body);
}

/** A producer goes on sending until it is answered, which the last act sees to. */
async function post(world: World, posted: Posted): Promise<void> {
  const headers = {
    authorization: `Bearer ${world.bench.key()}`,
    'content-type': 'application/json',
  };
  const init = { method: 'POST', body: posted.body, headers };
  try {
    const { status } = await world.fetch(new Request(`${SERVE}/v1/events`, init));
    world.turns.story.push(`   posted: ${status}`);
    if (status < 500 && status !== 429) posted.isAnswered = true;
  } catch {
    world.turns.story.push('   posted: no answer');
  }
}
