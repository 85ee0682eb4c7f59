import type pg from 'pg';
import type { ApiParts } from '../../src/api/api-parts.ts';
import { buildApp } from '../../src/api/app.ts';
import { apiPartsOf } from '../../src/api/http-server.ts';
import { LoopLoad } from '../../src/api/loop-load.ts';
import type { InstantMs } from '../../src/clock.ts';
import { isDatabaseAway } from '../../src/database/database.ts';
import type { EventKeeper } from '../../src/ingest/taking/event-keeper.ts';
import { openLedgerKeeper } from '../../src/ingest/taking/ledger-keeper.ts';
import { runWorker } from '../../src/ingest/worker/run-worker.ts';
import { Refusal } from '../../src/refusal.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';
import { randomFrom } from '../support/faulty-queue.ts';
import type { Accepted } from './accepted.ts';
import type { SimulationBench } from './bench.ts';
import { WEBHOOK_SECRET } from './bench.ts';
import { cutLine, heldDatabase, processOf } from './held-database.ts';
import { heldStripe } from './held-stripe.ts';
import { Receiver } from './receiver.ts';
import { Traps } from './traps.ts';
import type { Actor } from './turns.ts';
import { Turns } from './turns.ts';
import { UnreliableQueue } from './unreliable-queue.ts';

type Fetch = (request: Request) => Promise<Response>;

/** A server as long as its process lives; all that it knows besides the database, it knows for so long. */
interface Served {
  readonly actor: Actor;
  readonly fetch: Fetch;
  /** Ends it as SIGTERM does: what it has in hand is finished. */
  readonly stop: () => void;
}

/** A request of a producer, until it is answered. */
export interface Posted {
  readonly body: string;
  isAnswered: boolean;
}

/** Enough for a queue of hundreds of messages, and for any bill. */
const MOST_TURNS = 50_000;

/** The processes of one bridge, and what happens to them. */
export class World {
  readonly bench: SimulationBench;
  readonly turns: Turns;
  readonly traps = new Traps();
  readonly queue: UnreliableQueue;
  readonly receiver: Receiver;
  readonly accepted: Accepted = {
    ...{ calls: new Map(), promised: new Map() },
    ...{ adjusted: new Map(), corrected: [] },
  };
  /** Bodies of all messages that were ever sent. */
  readonly sent: string[] = [];
  readonly posted: Posted[] = [];
  /** What no process of ours may do. */
  readonly wrong: string[] = [];
  readonly actors = new Set<Actor>();
  #serve: Served | null = null;
  /** What ends each worker as SIGTERM does. */
  readonly #stops = new Map<Actor, AbortController>();
  #downUntil = 0;
  #names = 0;
  readonly #load = new LoopLoad();

  constructor(bench: SimulationBench, seed: number) {
    this.bench = bench;
    const { control } = bench.double;
    const random = randomFrom(seed);
    this.queue = new UnreliableQueue(control.now, random);
    this.receiver = new Receiver(random);
    this.turns = new Turns({
      random,
      receiver: this.receiver,
      now: control.now,
      setClock: control.setClock,
      processes: bench.processes,
    });
    // A loop that comes late is a matter of the machine, which no seed decides.
    this.#load.close();
  }

  get now(): number {
    return this.bench.parts.clock();
  }

  /** Two workers and a server run always: whatever starts processes starts them again. */
  supervise(): void {
    for (const name of ['worker 1', 'worker 2']) {
      if (![...this.actors].some((actor) => actor.name === name)) this.#startWorker(name);
    }
    if (this.#serve === null || this.#serve.actor.isDead) this.#serve = this.#startServe(true);
  }

  /** Starts a process that does one thing and ends. */
  start(name: string, work: (parts: StripeParts) => Promise<unknown>): void {
    this.#names += 1;
    const actor = this.#newActor(`${name} ${this.#names}`);
    void this.#end(
      actor,
      this.turns.run(actor, () => work(this.#partsOf(actor))),
    );
  }

  /** Runs a process to its end, beside nobody but the server, and answers what it answers. */
  async finish<Answer>(
    name: string,
    work: (parts: StripeParts) => Promise<Answer>,
  ): Promise<Answer> {
    const actor = this.#newActor(name);
    let ended: (() => Answer) | null = null;
    this.turns
      .run(actor, () => work(this.#partsOf(actor)))
      .then(
        (answer) => {
          ended = () => answer;
        },
        (error: unknown) => {
          ended = () => {
            throw error;
          };
        },
      );
    await this.turns.take(MOST_TURNS, () => ended !== null);
    this.actors.delete(actor);
    if (ended === null) throw new Error(`${name} does not come to its end`);
    return (ended as () => Answer)();
  }

  /** Moves the clock, and waits until all that falls due on the way is done. */
  async moveTo(instant: InstantMs): Promise<void> {
    const isDone = () => !this.turns.isMoving;
    await this.turns.take(MOST_TURNS, isDone);
    if (!(await this.turns.moveTo(instant))) throw new Error('the clock does not come to its end');
    await this.turns.take(MOST_TURNS, isDone);
  }

  /** Kills a process as `kill -9` does; its transactions are rolled back when it is back. */
  async kill(actor: Actor): Promise<void> {
    this.turns.story.push(`   ${actor.name} is killed`);
    this.turns.bury(actor);
    this.actors.delete(actor);
    this.#stops.delete(actor);
    const sessions = [...actor.sessions];
    actor.sessions.clear();
    await this.turns.hold(async () => {
      await this.#cut(sessions);
      for (const session of sessions) session.release(true);
    });
  }

  /** Kills the server, which cuts whoever it was answering, and starts another, which knows nothing of the first. */
  async restartServe(): Promise<void> {
    if (this.#serve !== null && !this.#serve.actor.isDead) await this.kill(this.#serve.actor);
    this.#serve = this.#startServe(true);
  }

  /** The machine goes away, and with it every process at the same instant. */
  async killAll(): Promise<void> {
    for (const actor of [...this.actors]) this.turns.bury(actor);
    for (const actor of [...this.actors]) await this.kill(actor);
  }

  /** Tells all that always runs to end, as a new version is installed: a new server takes what comes from now on. */
  deploy(): void {
    this.turns.story.push('   all are told to end');
    for (const stop of this.#stops.values()) stop.abort();
    this.#serve?.stop();
    this.#serve = this.#startServe(true);
  }

  /** Cuts every connection, and refuses new ones for so many turns. */
  async restartPostgres(turns: number): Promise<void> {
    this.#downUntil = this.turns.taken + turns;
    await this.turns.hold(() =>
      this.#cut([...this.actors].flatMap((actor) => [...actor.sessions])),
    );
  }

  async #cut(sessions: readonly pg.PoolClient[]): Promise<void> {
    const cut = sessions.map((session) => cutLine(session));
    await Promise.all([...cut, this.bench.processes.end(sessions.map(processOf))]);
  }

  /** Nothing fails from now on, and nobody runs any more. */
  async heal(): Promise<void> {
    this.traps.clear();
    this.#downUntil = 0;
    this.bench.double.control.clearFaults();
    for (const actor of [...this.actors]) await this.kill(actor);
    this.queue.heal();
    this.receiver.failing = 0;
    await this.turns.take(0);
  }

  /** A server that takes webhooks, and does nothing by itself. */
  serveQuietly(): void {
    this.#serve = this.#startServe(false);
  }

  /** Asks the server, which may die before it answers. */
  fetch(request: Request): Promise<Response> {
    const serve = this.#serve;
    if (serve === null || serve.actor.isDead) return Promise.reject(new Error('nobody listens'));
    return Promise.race([serve.fetch(request), serve.actor.died]);
  }

  #newActor(name: string): Actor {
    const actor = this.turns.actor(name);
    this.actors.add(actor);
    return actor;
  }

  #partsOf(actor: Actor): StripeParts {
    const { parts, double } = this.bench;
    const held = {
      turns: this.turns,
      traps: this.traps,
      isDown: () => this.turns.taken < this.#downUntil,
      gone: (pids: readonly number[]) => this.bench.processes.end(pids),
      kill: (one: Actor) => this.kill(one),
    };
    const database = heldDatabase(parts.database.pool, actor, held);
    return { ...parts, database, stripe: heldStripe(double, actor, this.turns) };
  }

  #startWorker(name: string): void {
    const actor = this.#newActor(name);
    const stop = new AbortController();
    this.#stops.set(actor, stop);
    const parts = {
      ...this.#partsOf(actor),
      queue: this.queue.clientOf(actor, this.turns),
      reading: { litellmKey: null },
      stop: stop.signal,
    };
    const request = { until_empty: false, pollers: 1 };
    void this.#end(
      actor,
      this.turns.run(actor, () => runWorker(parts, request)),
    );
  }

  #startServe(isKeeping: boolean): Served {
    const actor = this.#newActor('server');
    const own = this.#partsOf(actor);
    const parts = { ...own, ...apiPartsOf({ ...own, stripeParts: own }) };
    const reading = { litellmKey: null };
    const state = { isDraining: false };
    const { app, keeper } = this.turns.run(actor, () => {
      const opened = isKeeping ? openLedgerKeeper({ ...own, reading }) : null;
      return { keeper: opened, app: this.#appOf(parts, opened, state) };
    });
    const answers = new Set<Promise<Response>>();
    const fetch: Fetch = (request) => {
      const answer = this.turns.run(actor, () => app.fetch(request));
      answers.add(answer);
      return answer.finally(() => answers.delete(answer));
    };
    const end = async () => {
      state.isDraining = true;
      await Promise.allSettled([...answers]);
      await parts.folds.ended();
      await keeper?.close();
    };
    const stop = () => {
      if (!actor.isDead) void this.#end(actor, this.turns.run(actor, end));
    };
    return { actor, fetch, stop };
  }

  #appOf(
    parts: StripeParts & ApiParts,
    keeper: EventKeeper | null,
    state: { readonly isDraining: boolean },
  ): { readonly fetch: Fetch } {
    const app = buildApp({
      parts,
      webhook: { parts, secret: WEBHOOK_SECRET },
      keeper,
      load: this.#load,
      ...{ pages: null, users: null, corsOrigins: [], langwatchSecret: null },
      isDraining: () => state.isDraining,
    });
    return { fetch: async (request) => app.fetch(request) };
  }

  /** A process that ends well, is refused or finds its database away has done what it may. */
  async #end(actor: Actor, work: Promise<unknown>): Promise<void> {
    try {
      await work;
      this.turns.story.push(`   ${actor.name} is done`);
    } catch (error) {
      this.turns.story.push(`   ${actor.name} ends: ${String(error)}`);
      if (!(error instanceof Refusal) && !isDatabaseAway(error)) {
        this.wrong.push(`${actor.name} ended with ${error instanceof Error ? error.stack : error}`);
      }
    }
    this.actors.delete(actor);
    this.#stops.delete(actor);
  }
}
