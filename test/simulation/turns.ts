import type pg from 'pg';
import { formatInstant, type InstantMs } from '../../src/clock.ts';
import type { Receiver, Signed } from './receiver.ts';
import type { ServerProcesses } from './server-processes.ts';
import { asWaiter, nextTurnOfLoop, outsideOfActors } from './virtual-time.ts';

/** One process of ours, as far as the simulation sees it: what it asks of the world, and whether it lives. */
export interface Actor {
  readonly name: string;
  isDead: boolean;
  /** A share of the turns; 0 stands still, as a suspended process does. */
  weight: number;
  /** The connections that it has now. */
  readonly sessions: Set<pg.PoolClient>;
  /** Rejects when it dies. */
  readonly died: Promise<never>;
  readonly die: () => void;
}

/** What Postgres was asked and has not answered yet. */
export interface Flight {
  readonly actor: Actor;
  readonly text: string;
  /** The server's process that answers; null until a connection is there. */
  pid: number | null;
  /** It waited for another that waited for it, and was ended. */
  isDeadlock: boolean;
  /** Whether its transaction goes on once it is answered, so that nobody who waits for a lock of that has it yet. */
  keepsLocks: boolean;
}

/** What an actor asks. */
export interface Question<Answer> {
  readonly text: string;
  /** Whether Postgres answers, which is waited for; whatever else is asked is answered within this process. */
  readonly isOfPostgres: boolean;
  readonly pid: number | null;
  readonly ask: (flight: Flight) => Promise<Answer>;
}

/** What may happen next. */
interface Next {
  readonly actor: Actor;
  readonly what: string;
  readonly weight: number;
  readonly go: () => void;
}

interface Timer {
  readonly actor: Actor;
  readonly due: InstantMs;
  readonly fire: () => void;
}

export interface TurnsParts {
  readonly random: () => number;
  readonly now: () => InstantMs;
  /** Moves the clock of the world, and does what falls due on the way. */
  readonly setClock: (instant: InstantMs) => Promise<void>;
  readonly processes: ServerProcesses;
  readonly receiver: Receiver;
}

/** A statement that takes longer than this may wait for a lock. */
const PATIENCE_MS = 1;
/** All that goes on in this process without Postgres goes on within so many turns of its loop. */
const TURNS_OF_CODE = 5;
const STUCK_MS = 60_000;
const CHANCE_OF_TIME = 0.06;

/**
 * Decides every await of the actors: whatever one asks of Postgres, of Stripe or of the queue waits here for its turn.
 * At most one thing is under way at a time, and the next turn is given when it is over: Postgres has answered, or its
 * process waits for a lock and stands still until it has a turn of its own; and our own code has come to rest. No time
 * that passes decides anything, so that one seed is one order of all that happens, on any machine.
 */
export class Turns {
  readonly #parts: TurnsParts;
  readonly #asked: Next[] = [];
  /** What Postgres is at, which is one thing, or the end of several connections. */
  readonly #running = new Set<Flight>();
  /** Statements that wait for a lock, whose processes are stopped. */
  readonly #waiting = new Set<Flight>();
  /** Those of them whose lock has become free; null when somebody may have let one go since they were asked for. */
  #free: ReadonlySet<number> | null = null;
  readonly #timers = new Set<Timer>();
  #landed: () => void = () => {};
  #isMoving = false;
  /** Counts whatever stirs, so that it shows when nothing does. */
  #stirs = 0;
  /** What happened, so that a failure can be read. */
  readonly story: string[] = [];
  random: () => number;
  taken = 0;

  constructor(parts: TurnsParts) {
    this.#parts = parts;
    this.random = parts.random;
  }

  actor(name: string): Actor {
    let die = () => {};
    const died = new Promise<never>((_, reject) => {
      die = () => reject(new Error(`${name} died`));
    });
    // Nobody may be waiting for an answer of it.
    died.catch(() => {});
    return { name, isDead: false, weight: 1, sessions: new Set(), died, die };
  }

  /** Runs an actor's work, whose pauses pass by the clock of the world. */
  run<Result>(actor: Actor, work: () => Result): Result {
    const pause = (milliseconds: number, signal: AbortSignal | undefined) =>
      this.pause(actor, milliseconds, signal);
    const tell = (signed: Signed) =>
      this.ask(actor, {
        ...{ text: 'webhook', isOfPostgres: false, pid: null },
        ask: async () => this.#parts.receiver.take(signed),
      });
    return asWaiter({ pause, tell }, work);
  }

  stir(): void {
    this.#stirs += 1;
  }

  /** Asks when it is the actor's turn. Of a dead one nothing is asked, and nobody hears an answer. */
  ask<Answer>(actor: Actor, question: Question<Answer>): Promise<Answer> {
    const { text, pid, isOfPostgres } = question;
    return new Promise((resolve, reject) => {
      if (actor.isDead) return;
      const go = () => {
        const flight: Flight = { actor, text, pid, isDeadlock: false, keepsLocks: false };
        const landed = isOfPostgres ? this.fly(flight) : () => this.stir();
        question.ask(flight).then(
          (answer) => {
            landed();
            if (!actor.isDead) resolve(answer);
          },
          (error: unknown) => {
            landed();
            if (!actor.isDead) reject(flight.isDeadlock ? asDeadlock(error) : error);
          },
        );
      };
      this.#asked.push({ actor, what: text, weight: 1, go });
      this.stir();
    });
  }

  /** Waits for something before the next turn, until what it returns is called. */
  fly(flight: Flight): () => void {
    this.#running.add(flight);
    return () => {
      this.stir();
      this.#running.delete(flight);
      this.#waiting.delete(flight);
      if (!flight.keepsLocks) this.#free = null;
      this.#landed();
    };
  }

  /** Takes no turn before this is done, which nobody asked for. */
  async hold(work: () => Promise<void>): Promise<void> {
    const landed = this.fly({
      ...{ actor: WORLD, text: '', pid: null },
      ...{ isDeadlock: false, keepsLocks: false },
    });
    await work().finally(landed);
  }

  pause(actor: Actor, milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (actor.isDead) return;
      if (signal?.aborted) return resolve();
      const fire = () => {
        this.stir();
        this.#timers.delete(timer);
        signal?.removeEventListener('abort', fire);
        if (!actor.isDead) resolve();
      };
      const timer: Timer = { actor, due: this.#parts.now() + milliseconds, fire };
      this.stir();
      this.#timers.add(timer);
      signal?.addEventListener('abort', fire, { once: true });
    });
  }

  /** Nothing that it asked for happens any more, but what is with the server already. */
  bury(actor: Actor): void {
    actor.isDead = true;
    for (const asked of this.#asked.filter((one) => one.actor === actor)) {
      this.#asked.splice(this.#asked.indexOf(asked), 1);
    }
    for (const timer of this.#timers) if (timer.actor === actor) this.#timers.delete(timer);
    for (const flights of [this.#running, this.#waiting]) {
      for (const flight of flights) if (flight.actor === actor) flights.delete(flight);
    }
    actor.die();
  }

  /** Takes so many turns, or until nobody has anything to do. */
  async take(turns: number, isOver: () => boolean = () => false): Promise<void> {
    await this.#quiet();
    for (let turn = 0; turn < turns && !isOver(); turn += 1) {
      if (!(await this.#turn())) return;
    }
  }

  /** Moves the clock and wakes whoever waited for that; false where somebody is still at moving it. */
  async moveTo(instant: InstantMs): Promise<boolean> {
    if (this.#isMoving) return false;
    this.story.push(`-- ${formatInstant(instant)}`);
    this.#isMoving = true;
    void outsideOfActors(() => this.#parts.setClock(instant)).finally(() => {
      this.stir();
      this.#isMoving = false;
      this.#fireDue();
    });
    await this.#quiet();
    return true;
  }

  get isMoving(): boolean {
    return this.#isMoving;
  }

  async #turn(): Promise<boolean> {
    const next = [...this.#asked, ...(await this.#freed())];
    const ready = next
      .map((one) => ({ ...one, weight: one.weight * one.actor.weight }))
      .filter(({ weight }) => weight > 0)
      .sort(byName);
    const due = this.#isMoving ? null : this.#nextDue();
    if (ready.length === 0 && due === null) return false;
    this.taken += 1;
    if (due !== null && (ready.length === 0 || this.random() < CHANCE_OF_TIME)) {
      return this.moveTo(Math.max(this.#parts.now(), due));
    }
    const picked = this.#pick(ready);
    const place = this.#asked.findIndex(({ go }) => go === picked.go);
    if (place >= 0) this.#asked.splice(place, 1);
    this.story.push(`${picked.actor.name}: ${picked.what}`);
    picked.go();
    await this.#quiet();
    return true;
  }

  /** Statements whose lock has become free. */
  async #freed(): Promise<readonly Next[]> {
    const waiting = [...this.#waiting];
    if (waiting.length === 0) return [];
    const free = this.#free ?? (await this.#askForFree(pidsOf(waiting)));
    this.#free = free;
    return waiting
      .filter(({ pid }) => pid !== null && free.has(pid))
      .map((flight) => ({
        actor: flight.actor,
        what: `${flight.text} goes on`,
        weight: 1,
        go: () => {
          this.#waiting.delete(flight);
          this.#running.add(flight);
          if (flight.pid !== null) this.#parts.processes.goOn(flight.pid);
        },
      }));
  }

  async #askForFree(pids: readonly number[]): Promise<ReadonlySet<number>> {
    const blockers = await this.#parts.processes.blockers(pids);
    return new Set(pids.filter((pid) => blockers.get(pid)?.length === 0));
  }

  #pick(ready: readonly Next[]): Next {
    const all = ready.reduce((sum, { weight }) => sum + weight, 0);
    let place = this.random() * all;
    for (const one of ready) {
      place -= one.weight;
      if (place < 0) return one;
    }
    const last = ready.at(-1);
    if (last === undefined) throw new Error('nobody is ready');
    return last;
  }

  #nextDue(): InstantMs | null {
    let next: InstantMs | null = null;
    for (const { actor, due } of this.#timers) {
      if (actor.weight > 0 && (next === null || due < next)) next = due;
    }
    return next;
  }

  #fireDue(): void {
    const now = this.#parts.now();
    const due = [...this.#timers].filter((timer) => timer.due <= now);
    for (const { fire } of due.sort((a, b) => a.due - b.due)) fire();
  }

  /** Waits until Postgres has answered, or its process waits for a lock, and nothing goes on here either. */
  async #quiet(): Promise<void> {
    const began = performance.now();
    for (;;) {
      // Our own code has nothing to do as long as Postgres is at something: it comes to rest once, when that is over.
      if (this.#running.size === 0) {
        await this.#settle();
        if (this.#running.size === 0) return;
      }
      if (await this.#isLate()) await this.#stopBlocked();
      if (performance.now() - began > STUCK_MS) throw new Error(`stuck: ${this.#describe()}`);
    }
  }

  /** Waits until nothing has stirred for so many turns of the loop, and no file is read. */
  async #settle(): Promise<void> {
    let before = -1;
    for (let still = 0; still < TURNS_OF_CODE; still += 1) {
      await nextTurnOfLoop();
      if (this.#stirs !== before || isReadingFiles()) still = 0;
      before = this.#stirs;
    }
  }

  /** Waits for an answer; true where none came in a while. */
  #isLate(): Promise<boolean> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(true), PATIENCE_MS);
      this.#landed = () => {
        clearTimeout(late);
        resolve(false);
      };
    });
  }

  /**
   * Only one runs, so one that waits now goes on waiting. Where those that it waits for wait for it, it is ended at
   * once: Postgres would end one of them after some time, and which one would be a matter of that time.
   */
  async #stopBlocked(): Promise<void> {
    const { processes } = this.#parts;
    if (!pidsOf([...this.#running]).some((pid) => processes.maySleep(pid))) return;
    const blockers = await processes.blockers(pidsOf([...this.#running, ...this.#waiting]));
    for (const flight of [...this.#running]) {
      const { pid } = flight;
      if (pid === null || flight.isDeadlock || (blockers.get(pid) ?? []).length === 0) continue;
      if (waitsFor(pid, blockers).has(pid)) {
        this.story.push(`   ${flight.actor.name} is in a deadlock`);
        flight.isDeadlock = true;
        await processes.cancel(pid);
      } else if (this.#running.delete(flight)) {
        processes.stop(pid);
        this.#waiting.add(flight);
        this.#free = null;
        this.story.push(`   ${flight.actor.name} waits for a lock`);
      }
    }
  }

  #describe(): string {
    return [...this.#running]
      .map(({ actor, pid, text }) => `${actor.name} ${pid} ${text}`)
      .join(', ');
  }
}

/** Whoever does what befalls the actors. */
const WORLD: Actor = {
  name: 'world',
  isDead: false,
  weight: 1,
  sessions: new Set(),
  died: new Promise<never>(() => {}),
  die: () => {},
};

function pidsOf(flights: readonly Flight[]): readonly number[] {
  return flights.flatMap(({ pid }) => (pid === null ? [] : [pid]));
}

function isReadingFiles(): boolean {
  return process.getActiveResourcesInfo().some((kind) => kind.startsWith('FSReq'));
}

/** All processes that one waits for, directly or not. */
function waitsFor(
  pid: number,
  blockers: ReadonlyMap<number, readonly number[]>,
): ReadonlySet<number> {
  const found = new Set<number>();
  const open = [...(blockers.get(pid) ?? [])];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (found.has(one)) continue;
    found.add(one);
    open.push(...(blockers.get(one) ?? []));
  }
  return found;
}

/** What Postgres says of a deadlock. */
function asDeadlock(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.code !== '57014') return error;
  return Object.assign(error, { code: '40P01', message: 'deadlock detected' });
}

/** Who asked first is not to decide who is first. */
function byName(one: Next, other: Next): number {
  const places = [one, other].map(({ actor, what }) => `${actor.name}: ${what}`);
  if (places[0] === places[1]) return 0;
  return (places[0] ?? '') < (places[1] ?? '') ? -1 : 1;
}
