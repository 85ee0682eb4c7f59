import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import type { Database } from '../../src/database/database.ts';
import type { Tables } from '../../src/database/tables.ts';
import type { Traps } from './traps.ts';
import type { Actor, Turns } from './turns.ts';

export interface HeldParts {
  readonly turns: Turns;
  readonly traps: Traps;
  /** Whether Postgres refuses connections now, as it does while it starts again. */
  readonly isDown: () => boolean;
  /** Resolves when these processes of the server are gone, and with them what they had locked. */
  readonly gone: (pids: readonly number[]) => Promise<void>;
  readonly kill: (actor: Actor) => Promise<void>;
}

/** The database as one actor has it: each statement waits for its turn, and may be where the line is cut. */
export function heldDatabase(base: pg.Pool, actor: Actor, parts: HeldParts): Database {
  const { turns } = parts;
  const known = new WeakMap<pg.PoolClient, pg.PoolClient>();
  const take = async (): Promise<pg.PoolClient> => {
    if (parts.isDown()) throw refusedConnection();
    const client = await base.connect();
    if (actor.isDead) {
      client.release();
      return new Promise<never>(() => {});
    }
    actor.sessions.add(client);
    return client;
  };
  const heldClient = (client: pg.PoolClient) => {
    const held = known.get(client) ?? wrap(client, actor, parts);
    known.set(client, held);
    return held;
  };
  const query = async (...given: readonly unknown[]) => {
    let client: pg.PoolClient | null = null;
    const text = textOf(given[0]);
    const asking = { text, pid: () => null };
    try {
      return await turns.ask(actor, asking, async () => {
        const taken = await take();
        client = taken;
        const landed = turns.fly(actor, processOf(taken));
        return await atTrap(taken, { actor, text, parts }, () =>
          Reflect.apply(taken.query, taken, given),
        ).finally(landed);
      });
    } finally {
      giveBack(actor, client);
    }
  };
  const connect = async () =>
    heldClient(await turns.ask(actor, { text: 'connect', pid: () => null }, take));
  const pool = new Proxy(base, {
    get(real, name) {
      if (name === 'connect') return connect;
      if (name === 'query') return query;
      const value: unknown = Reflect.get(real, name, real);
      return typeof value === 'function' ? value.bind(real) : value;
    },
  });
  return {
    pool,
    bare: pool,
    kysely: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }),
  };
}

/** One that was cut answers nothing any more, and is not given to the next. */
function giveBack(actor: Actor, client: pg.PoolClient | null): void {
  if (client === null || !actor.sessions.delete(client)) return;
  client.release(isCut(client));
}

function wrap(client: pg.PoolClient, actor: Actor, parts: HeldParts): pg.PoolClient {
  const { turns } = parts;
  const query = (...given: readonly unknown[]) => {
    const [first] = given;
    if (isStream(first)) {
      // A COPY is a stream, handed back at once; its transaction is cut at the statements around it.
      const landed = turns.fly(actor, processOf(client));
      for (const end of ['finish', 'error', 'close']) first.once(end, landed);
      return Reflect.apply(client.query, client, given);
    }
    const text = textOf(first);
    return turns.ask(actor, { text, pid: () => processOf(client) }, () =>
      atTrap(client, { actor, text, parts }, () => Reflect.apply(client.query, client, given)),
    );
  };
  const release = (broken?: Error | boolean) => {
    if (actor.sessions.delete(client)) client.release(broken);
  };
  return new Proxy(client, {
    get(real, name) {
      if (name === 'query') return query;
      if (name === 'release') return release;
      const value: unknown = Reflect.get(real, name, real);
      return typeof value === 'function' ? value.bind(real) : value;
    },
  });
}

/** Asks, unless a trap lies here: then the line is cut before the server hears it, or before its answer is heard. */
async function atTrap<Answer>(
  client: pg.PoolClient,
  at: { readonly actor: Actor; readonly text: string; readonly parts: HeldParts },
  ask: () => Promise<Answer>,
): Promise<Answer> {
  const { actor, parts } = at;
  const trap = parts.traps.take(actor, at.text);
  if (trap === null) return ask();
  parts.turns.story.push(`   ${trap.does} ${trap.when} it`);
  if (trap.when === 'after') await ask().catch(() => {});
  if (trap.does === 'kill') {
    await parts.kill(actor);
    return new Promise<never>(() => {});
  }
  cutLine(client);
  await parts.gone([processOf(client)]);
  // The driver says itself what it says of a line that is cut.
  return ask();
}

/** Breaks the connection, as a cable or a server does that goes away. */
export function cutLine(client: pg.PoolClient): void {
  streamOf(client).destroy();
}

function isCut(client: pg.PoolClient): boolean {
  return streamOf(client).destroyed;
}

interface Stream {
  readonly destroyed: boolean;
  destroy(): void;
}

function streamOf(client: pg.PoolClient): Stream {
  return Reflect.get(client, 'connection').stream;
}

export function processOf(client: pg.PoolClient): number {
  return Number(Reflect.get(client, 'processID'));
}

interface EndingStream {
  once(event: string, listener: () => void): unknown;
}

function isStream(query: unknown): query is EndingStream {
  return typeof query === 'object' && query !== null && 'submit' in query && 'once' in query;
}

function textOf(query: unknown): string {
  const text =
    typeof query === 'object' && query !== null ? Reflect.get(query, 'text') : (query ?? '');
  return String(text).trimStart().replaceAll(/\s+/g, ' ').slice(0, 90);
}

function refusedConnection(): Error {
  const error = new Error('connect ECONNREFUSED 127.0.0.1');
  return Object.assign(error, { code: 'ECONNREFUSED', syscall: 'connect' });
}
