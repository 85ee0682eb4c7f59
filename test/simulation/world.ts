import { buildApp } from '../../src/api/app.ts';
import { apiPartsOf } from '../../src/api/http-server.ts';
import { LoopLoad } from '../../src/api/loop-load.ts';
import { isDatabaseAway } from '../../src/database/database.ts';
import { runWorker } from '../../src/ingest/run-worker.ts';
import type { EventKeeper } from '../../src/ingest/taking/event-keeper.ts';
import { openLedgerKeeper } from '../../src/ingest/taking/ledger-keeper.ts';
import { Refusal } from '../../src/refusal.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';
import { randomFrom } from '../support/faulty-queue.ts';
import type { Accepted } from './accepted.ts';
import type { SimulationBench } from './bench.ts';
import { WEBHOOK_SECRET } from './bench.ts';
import { cutLine, heldDatabase, processOf } from './held-database.ts';
import { heldStripe } from './held-stripe.ts';
import { Traps } from './traps.ts';
import type { Actor } from './turns.ts';
import { Turns } from './turns.ts';
import { UnreliableQueue } from './unreliable-queue.ts';

type Fetch = (request: Request) => Promise<Response>;

/** A request of a producer, until it is answered. */
export interface Posted {
  readonly body: string;
  isAnswered: boolean;
}

/** The processes of one bridge, and what happens to them. */
export class World {
  readonly bench: SimulationBench;
  readonly turns: Turns;
  readonly traps = new Traps();
  readonly queue: UnreliableQueue;
  readonly accepted: Accepted = { calls: new Map(), promised: new Map() };
  /** Bodies of all messages that were ever sent. */
  readonly sent: string[] = [];
  readonly posted: Posted[] = [];
  /** What no process of ours may do. */
  readonly wrong: string[] = [];
  readonly actors = new Set<Actor>();
  #serve: { readonly actor: Actor; readonly fetch: Fetch } | null = null;
  #askedByStripe = 0;
  #downUntil = 0;
  #names = 0;
  readonly #load = new LoopLoad();

  constructor(bench: SimulationBench, seed: number) {
    this.bench = bench;
    const { control } = bench.double;
    const random = randomFrom(seed);
    this.queue = new UnreliableQueue(control.now, random);
    this.turns = new Turns({
      random,
      now: control.now,
      setClock: control.setClock,
      findBlocked: (pids) => this.#findBlocked(pids),
      isStripeWaiting: () => this.#askedByStripe > 0,
    });
  }

  get now(): number {
    return this.bench.parts.clock();
  }

  /** Two workers and a server run always: whatever starts processes starts them again. */
  supervise(): void {
    for (const name of ['worker 1', 'worker 2']) {
      if (![...this.actors].some((actor) => actor.name === name)) this.#startWorker(name);
    }
    if (this.#serve === null || this.#serve.actor.isDead) this.#serve = this.#startServe();
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

  /** Kills a process as `kill -9` does; its transactions are rolled back when it is back. */
  async kill(actor: Actor): Promise<void> {
    this.turns.story.push(`   ${actor.name} is killed`);
    this.turns.bury(actor);
    this.actors.delete(actor);
    const sessions = [...actor.sessions];
    actor.sessions.clear();
    for (const session of sessions) {
      cutLine(session);
      session.release(true);
    }
    await this.#gone(sessions.map(processOf));
  }

  /** Cuts every connection, and refuses new ones for so many turns. */
  async restartPostgres(turns: number): Promise<void> {
    this.#downUntil = this.turns.taken + turns;
    const sessions = [...this.actors].flatMap((actor) => [...actor.sessions]);
    for (const session of sessions) cutLine(session);
    await this.#gone(sessions.map(processOf));
  }

  /** Nothing fails from now on, and nobody runs any more. */
  async heal(): Promise<void> {
    this.traps.clear();
    this.#downUntil = 0;
    this.bench.double.control.clearFaults();
    for (const actor of [...this.actors]) await this.kill(actor);
    this.queue.heal();
    this.#serve = {
      actor: this.turns.actor('server'),
      fetch: this.#appOf(this.bench.parts, null).fetch,
    };
  }

  close(): void {
    this.#load.close();
  }

  /** Asks the server, which may die before it answers. */
  fetch(request: Request): Promise<Response> {
    const serve = this.#serve;
    if (serve === null || serve.actor.isDead) return Promise.reject(new Error('nobody listens'));
    return Promise.race([serve.fetch(request), serve.actor.died]);
  }

  /** What Stripe asks of us: it waits for an answer, and what was asked of it may wait for that. */
  async fetchByStripe(request: Request): Promise<Response> {
    this.#askedByStripe += 1;
    try {
      return await this.fetch(request);
    } finally {
      this.#askedByStripe -= 1;
    }
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
      gone: (pids: readonly number[]) => this.#gone(pids),
      kill: (one: Actor) => this.kill(one),
    };
    const database = heldDatabase(parts.database.pool, actor, held);
    return { ...parts, database, stripe: heldStripe(double, actor, this.turns) };
  }

  #startWorker(name: string): void {
    const actor = this.#newActor(name);
    const parts = {
      ...this.#partsOf(actor),
      queue: this.queue.clientOf(actor, this.turns),
      reading: { litellmKey: null },
      stop: new AbortController().signal,
    };
    const request = { until_empty: false, pollers: 1 };
    void this.#end(
      actor,
      this.turns.run(actor, () => runWorker(parts, request)),
    );
  }

  #startServe(): { readonly actor: Actor; readonly fetch: Fetch } {
    const actor = this.#newActor('server');
    const parts = this.#partsOf(actor);
    const app = this.turns.run(actor, () =>
      this.#appOf(parts, openLedgerKeeper({ ...parts, reading: { litellmKey: null } })),
    );
    const fetch: Fetch = (request) => this.turns.run(actor, () => app.fetch(request));
    return { actor, fetch };
  }

  #appOf(parts: StripeParts, keeper: EventKeeper | null): { readonly fetch: Fetch } {
    const app = buildApp({
      parts: apiPartsOf({ ...parts, stripeParts: parts }),
      webhook: { parts, secret: WEBHOOK_SECRET },
      keeper,
      load: this.#load,
      ...{ pages: null, users: null, corsOrigins: [], langwatchSecret: null },
      isDraining: () => false,
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
  }

  async #findBlocked(pids: readonly number[]): Promise<ReadonlySet<number>> {
    const { rows } = await this.bench.observer.pool.query<{ pid: number }>(
      'select pid from unnest($1::int[]) pid where cardinality(pg_blocking_pids(pid)) > 0',
      [pids],
    );
    return new Set(rows.map(({ pid }) => pid));
  }

  async #gone(pids: readonly number[]): Promise<void> {
    if (pids.length === 0) return;
    const { observer } = this.bench;
    // A process that waits for a lock does not hear that nobody listens any more.
    await observer.pool.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [
      pids,
    ]);
    for (;;) {
      const { rows } = await observer.pool.query(
        'select 1 from pg_stat_activity where pid = any($1::int[])',
        [pids],
      );
      if (rows.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}
