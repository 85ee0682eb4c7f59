import type pg from 'pg';
import { formatInstant, type InstantMs } from '../../src/clock.ts';
import { asWaiter, nextTurnOfLoop } from './virtual-time.ts';

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

/** What an actor asks of the world, and waits for a turn to ask. */
interface Asked {
  readonly actor: Actor;
  readonly what: string;
  readonly go: () => void;
}

/** What was asked and is not answered yet. */
interface Flight {
  readonly actor: Actor;
  /** The server's process that answers; null where Postgres is not asked. */
  readonly pid: number | null;
  /** It waits for what another actor holds. */
  isBlocked: boolean;
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
  /** Which of these processes of the server wait for a lock. */
  readonly findBlocked: (pids: readonly number[]) => Promise<ReadonlySet<number>>;
  /** Whether something that Stripe asked of us is not answered yet: what was asked of Stripe may wait for it. */
  readonly isStripeWaiting: () => boolean;
}

/** A statement takes well under this; whatever takes longer may wait for a lock. */
const PATIENCE_MS = 3;
/** What lies on a socket of this machine is read within so many turns of the loop, and our own code goes on within fewer. */
const TURNS_OF_A_SOCKET = 30;
const TURNS_OF_CODE = 4;
/** The time after which the server has looked for a deadlock. */
const DEADLOCK_MS = 60;
const STUCK_MS = 16_000;
const CHANCE_OF_TIME = 0.06;

/**
 * Decides every await of the actors: whatever one asks of Postgres, of Stripe or of the queue waits here for its turn,
 * and a turn is given only when everything that was asked before is answered, or waits for a lock of another actor. So
 * one seed is one order of all that happens.
 */
export class Turns {
  readonly #parts: TurnsParts;
  readonly #asked: Asked[] = [];
  readonly #flights = new Set<Flight>();
  readonly #timers = new Set<Timer>();
  #landed: () => void = () => {};
  #moving: Promise<void> | null = null;
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
    return asWaiter({ pause }, work);
  }

  /** Asks when it is the actor's turn. Of a dead one nothing is asked, and nobody hears an answer. */
  ask<Answer>(
    actor: Actor,
    what: { readonly text: string; readonly pid: () => number | null },
    ask: () => Promise<Answer>,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (actor.isDead) return;
      const go = () => {
        const landed = this.fly(actor, what.pid());
        ask().then(
          (answer) => {
            landed();
            if (!actor.isDead) resolve(answer);
          },
          (error: unknown) => {
            landed();
            if (!actor.isDead) reject(error);
          },
        );
      };
      this.#asked.push({ actor, what: what.text, go });
    });
  }

  /** Counts something as not answered until what it returns is called. */
  fly(actor: Actor, pid: number | null): () => void {
    const flight: Flight = { actor, pid, isBlocked: false };
    this.#flights.add(flight);
    return () => {
      this.#flights.delete(flight);
      this.#landed();
    };
  }

  pause(actor: Actor, milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (actor.isDead) return;
      if (signal?.aborted) return resolve();
      const fire = () => {
        this.#timers.delete(timer);
        signal?.removeEventListener('abort', fire);
        if (!actor.isDead) resolve();
      };
      const timer: Timer = { actor, due: this.#parts.now() + milliseconds, fire };
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
    for (const flight of this.#flights) if (flight.actor === actor) this.#flights.delete(flight);
    actor.die();
  }

  /** Takes so many turns, or until nobody has anything to do. */
  async take(turns: number, isOver: () => boolean = () => false): Promise<void> {
    await this.#quiet();
    for (let turn = 0; turn < turns && !isOver(); turn += 1) {
      if (!(await this.#turn())) return;
    }
  }

  /** Moves the clock and wakes whoever waited for that. */
  async moveTo(instant: InstantMs): Promise<void> {
    if (this.#moving !== null) return;
    this.story.push(`-- ${formatInstant(instant)}`);
    const flown = this.fly(TIME, null);
    this.#moving = this.#parts.setClock(instant).finally(() => {
      this.#moving = null;
      flown();
      this.#fireDue();
    });
    await this.#quiet();
  }

  async #turn(): Promise<boolean> {
    const ready = this.#asked.filter(({ actor }) => actor.weight > 0).sort(byName);
    const hasTime = this.#moving === null && this.#nextDue() !== null;
    if (ready.length === 0 && !hasTime) return this.#waitForBlocked();
    this.taken += 1;
    if (hasTime && (ready.length === 0 || this.random() < CHANCE_OF_TIME)) {
      await this.moveTo(Math.max(this.#parts.now(), this.#nextDue() ?? 0));
      return true;
    }
    const next = this.#pick(ready);
    this.#asked.splice(this.#asked.indexOf(next), 1);
    this.story.push(`${next.actor.name}: ${next.what}`);
    next.go();
    await this.#quiet();
    return true;
  }

  #pick(ready: readonly Asked[]): Asked {
    const all = ready.reduce((sum, { actor }) => sum + actor.weight, 0);
    let place = this.random() * all;
    for (const asked of ready) {
      place -= asked.actor.weight;
      if (place < 0) return asked;
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

  /**
   * All wait for locks: Postgres itself ends a deadlock. False where nobody waits for anything, or for somebody who
   * stands still.
   */
  async #waitForBlocked(): Promise<boolean> {
    if (this.#flights.size === 0 || this.#asked.length > 0) return false;
    for (const flight of this.#flights) flight.isBlocked = false;
    await this.#quiet(DEADLOCK_MS);
    return true;
  }

  /** Waits until all that was asked is answered or blocked. */
  async #quiet(patienceMs = PATIENCE_MS): Promise<void> {
    await this.#settle(TURNS_OF_CODE);
    await this.#lookAtBlocked();
    const began = performance.now();
    for (;;) {
      const open = [...this.#flights].filter(({ isBlocked }) => !isBlocked);
      if (open.length === 0) break;
      if (open.every(({ pid }) => pid === null) && this.#parts.isStripeWaiting()) {
        await this.#settle(TURNS_OF_A_SOCKET);
        if (this.#parts.isStripeWaiting()) return;
      }
      const isLate = await this.#landing(patienceMs);
      if (isLate) await this.#lookAtOpen();
      if (performance.now() - began > STUCK_MS) throw new Error(`stuck: ${this.#describe()}`);
      await this.#settle(TURNS_OF_CODE);
    }
  }

  /** Waits until nothing new is asked or answered for so many turns of the loop. */
  async #settle(turns: number): Promise<void> {
    let before = '';
    for (let still = 0; still < turns; still += 1) {
      await nextTurnOfLoop();
      const now = `${this.#asked.length} ${this.#flights.size} ${this.#timers.size}`;
      if (now !== before) still = 0;
      before = now;
    }
  }

  /** True where nothing landed in that time. */
  #landing(milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(true), milliseconds);
      this.#landed = () => {
        clearTimeout(late);
        resolve(false);
      };
    });
  }

  async #lookAtOpen(): Promise<void> {
    const open = [...this.#flights].filter(({ pid, isBlocked }) => pid !== null && !isBlocked);
    if (open.length > 0) await this.#mark(open);
  }

  async #lookAtBlocked(): Promise<void> {
    const blocked = [...this.#flights].filter(({ isBlocked }) => isBlocked);
    if (blocked.length > 0) await this.#mark(blocked);
  }

  async #mark(flights: readonly Flight[]): Promise<void> {
    const pids = flights.flatMap(({ pid }) => (pid === null ? [] : [pid]));
    const blocked = await this.#parts.findBlocked(pids);
    for (const flight of flights) flight.isBlocked = flight.pid !== null && blocked.has(flight.pid);
  }

  #describe(): string {
    return [...this.#flights].map(({ actor, pid }) => `${actor.name} ${pid}`).join(', ');
  }
}

/** Who asked first is a matter of sockets where two ask at once, and is not to decide anything. */
function byName(one: Asked, other: Asked): number {
  const places = [one, other].map(({ actor, what }) => `${actor.name}: ${what}`);
  if (places[0] === places[1]) return 0;
  return (places[0] ?? '') < (places[1] ?? '') ? -1 : 1;
}

/** Whoever moves the clock. */
const TIME: Actor = {
  name: 'time',
  isDead: false,
  weight: 1,
  sessions: new Set(),
  died: new Promise<never>(() => {}),
  die: () => {},
};
