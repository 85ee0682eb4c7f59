import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import type { Database } from '../../src/database/database.ts';
import type { Tables } from '../../src/database/tables.ts';
import type { Traps } from './traps.ts';
import type { Actor, Flight, Turns } from './turns.ts';

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
  const query = (...given: readonly unknown[]) => {
    const text = textOf(given[0]);
    const ask = async (flight: Flight) => {
      const client = await take();
      flight.pid = processOf(client);
      const statement = () => Reflect.apply(client.query, client, given);
      return atTrap({ client, actor, text, isAlone: true, parts }, statement).finally(() =>
        giveBack(actor, client),
      );
    };
    return turns.ask(actor, { text, isOfPostgres: true, pid: null, ask });
  };
  const connect = async () => {
    const ask = async () => {
      const trap = parts.traps.take(actor, 'connect');
      if (trap?.does === 'kill') return dieHere(actor, parts);
      if (trap?.does === 'cut') throw refusedConnection();
      return take();
    };
    return heldClient(
      await turns.ask(actor, { text: 'connect', isOfPostgres: true, pid: null, ask }),
    );
  };
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
function giveBack(actor: Actor, client: pg.PoolClient): void {
  if (actor.sessions.delete(client)) client.release(isCut(client));
}

function wrap(client: pg.PoolClient, actor: Actor, parts: HeldParts): pg.PoolClient {
  const { turns } = parts;
  const pid = processOf(client);
  const query = (...given: readonly unknown[]) => {
    const [first] = given;
    const text = textOf(first);
    const at = { client, actor, text, isAlone: false, parts };
    const question = { text, isOfPostgres: true, pid };
    if (!isStream(first)) {
      const statement = () => Reflect.apply(client.query, client, given);
      const ask = async (flight: Flight) => {
        const answer = await atTrap(at, statement);
        flight.keepsLocks = keepsAllLocks(client, text);
        return answer;
      };
      return turns.ask(actor, { ...question, ask });
    }
    // A COPY is a stream, handed back at once; what is written to it waits until its turn has come.
    const copy = async () => {
      const ended = new Promise<void>((resolve) => {
        for (const end of ['finish', 'error', 'close']) first.once(end, () => resolve());
      });
      Reflect.apply(client.query, client, given);
      await ended;
    };
    turns.ask(actor, { ...question, ask: () => atTrap(at, copy) }).catch(() => {});
    return first;
  };
  const release = (broken?: Error | boolean) => {
    if (!actor.sessions.delete(client)) return;
    client.release(broken);
    // What it had locked is locked until the server's process has gone.
    if (broken) void turns.hold(() => parts.gone([pid]));
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

interface Place {
  readonly client: pg.PoolClient;
  readonly actor: Actor;
  readonly text: string;
  /** The statement has a connection for itself alone, and asks as soon as it has it. */
  readonly isAlone: boolean;
  readonly parts: HeldParts;
}

/** Asks, unless a trap lies here: then the line is cut before the server hears it, or before its answer is heard. */
async function atTrap<Answer>(
  { client, actor, text, isAlone, parts }: Place,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  const { story } = parts.turns;
  const trap = isCut(client) ? null : parts.traps.take(actor, text);
  if (trap === null) return told(story, ask());
  story.push(`   ${trap.does} ${trap.when} it`);
  if (trap.when === 'after') await ask().catch(() => {});
  if (trap.does === 'kill') return dieHere(actor, parts);
  const ended = cutLine(client);
  // The driver has heard of it when the next statement comes, or hears of it while that waits for its answer.
  if (trap.isNoticed && !isAlone) await ended;
  const answer = told(story, ask());
  answer.catch(() => {});
  await Promise.all([ended, parts.gone([processOf(client)])]);
  return answer;
}

/** What is told of an answer is what a decision may hang on. */
async function told<Answer>(story: string[], answer: Promise<Answer>): Promise<Answer> {
  try {
    const answered = await answer;
    const rows: unknown = Object(answered).rowCount ?? null;
    if (rows !== null) story.push(`   ${rows} rows`);
    return answered;
  } catch (error) {
    story.push(`   ${Object(error).code ?? error}`);
    throw error;
  }
}

async function dieHere(actor: Actor, parts: HeldParts): Promise<never> {
  await parts.kill(actor);
  return new Promise<never>(() => {});
}

/** Breaks the connection, as a cable or a server does that goes away; resolves when the driver has heard of it. */
export function cutLine(client: pg.PoolClient): Promise<void> {
  if (isCut(client)) return Promise.resolve();
  const ended = new Promise<void>((resolve) => void client.once('end', () => resolve()));
  streamOf(client).destroy();
  return ended;
}

function isCut(client: pg.PoolClient): boolean {
  return streamOf(client).destroyed;
}

/** Whether a statement that was answered well let go of nothing: its transaction goes on, and it took nothing back. */
function keepsAllLocks(client: pg.PoolClient, text: string): boolean {
  return client.getTransactionStatus() === 'T' && !/^rollback|unlock/i.test(text);
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
  // Cursors are numbered through all that this process ever did.
  const words = String(text).replaceAll(/cursor_\d+/g, 'cursor');
  return words.trimStart().replaceAll(/\s+/g, ' ').slice(0, 90);
}

function refusedConnection(): Error {
  const error = new Error('connect ECONNREFUSED 127.0.0.1');
  return Object.assign(error, { code: 'ECONNREFUSED', syscall: 'connect' });
}
