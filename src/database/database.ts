import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { type Clock, type InstantMs, monotonicMs, parseInstant } from '../clock.ts';
import { errorCode } from '../error-code.ts';
import { Refusal } from '../refusal.ts';
import { refuseClocksApart } from './clocks-apart.ts';
import { type SilenceLimits, SilentLines, USUAL_SILENCE } from './silent-lines.ts';
import type { Tables } from './tables.ts';

/** The pool and the query builder over it. One a process. */
export interface Database {
  readonly pool: pg.Pool;
  readonly kysely: Kysely<Tables>;
  /** The pool without what is said below, for transactions and for locks of a session. */
  readonly bare: pg.Pool;
  /** The settings with which each transaction begins, and each statement of the pool that needs them. */
  readonly saying?: Saying;
  /**
   * The clock that the server's own is held against as each transaction begins and ends that may write; where they
   * disagree, it throws `ClocksApart`. Default: none.
   */
  readonly heldAgainst?: Clock;
}

/** Settings that hold in a transaction and nowhere after it. */
export interface Saying {
  /** They are made in this order. */
  readonly settings: Readonly<Record<string, string>>;
  /** Explains an error raised while applying the settings. */
  readonly explain?: (error: unknown) => unknown;
}

/** One open transaction: its own connection, and a query builder that runs on that connection. */
export interface Transaction {
  readonly client: pg.PoolClient;
  readonly kysely: Kysely<Tables>;
}

/** Anything that runs one statement: a pool, or the connection of a transaction. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<pg.QueryResult<Row>>;
}

export interface DatabaseOptions {
  readonly url: string;
  /** Connections at the most; the worker needs two, commands four. */
  readonly connections: number;
  readonly onConnectionLost: (error: Error) => void;
  /** The clock of this process, where the server's own is to be held against it. */
  readonly heldAgainst?: Clock;
  /** How long an answer that does not come is waited for. Default `USUAL_SILENCE`. */
  readonly silence?: SilenceLimits;
}

export function openDatabase(options: DatabaseOptions): Database {
  refuseMalformed(options.url);
  const pool = new MarkingPool({
    connectionString: options.url,
    Client: IsoClient,
    max: options.connections,
    types: { getTypeParser: typeParser },
    connectionTimeoutMillis: 10_000,
    // A peer that is gone without a word is found out by the system, which asks from then on each second.
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
  });
  const lines = new SilentLines(options.url, options.silence ?? USUAL_SILENCE);
  const lost = (error: Error) => {
    rememberLost(error);
    if (!pool.ending) options.onConnectionLost(error);
  };
  // Without this listener a server that goes away takes the whole process with it.
  pool.on('error', lost);
  pool.on('connect', (client) => {
    client.on('error', lost);
    lines.add(client);
  });
  pool.on('remove', (client) => lines.remove(client));
  return {
    pool,
    bare: pool,
    kysely: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }),
    ...(options.heldAgainst === undefined ? {} : { heldAgainst: options.heldAgainst }),
  };
}

/** The driver reads the address again for each connection; what it cannot read is found here, at once. */
function refuseMalformed(url: string): void {
  try {
    new pg.Client({ connectionString: url });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (/^E[A-Z]+$/.test(errorCode(error))) {
      throw new Refusal(
        'misconfigured',
        `a file that DATABASE_URL names cannot be read: ${why}`,
        'correct its sslrootcert, sslcert or sslkey, or let this user read the file',
      );
    }
    throw new Refusal(
      'misconfigured',
      `DATABASE_URL is not a valid database URL: ${why}`,
      'write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special characters as %XX',
    );
  }
}

/** The parameters with which the driver begins a session; its types do not show them. */
const startupOf: (this: pg.Client) => Readonly<Record<string, string>> = Reflect.get(
  pg.Client.prototype,
  'getStartupConf',
);

/** Reads instants as ISO 8601, whatever is set for the database or the user; poolers know this setting and keep it. */
class IsoClient extends pg.Client {
  protected getStartupConf(): Readonly<Record<string, string>> {
    return { ...startupOf.call(this), datestyle: 'ISO' };
  }

  /** The driver leaves a connection open whose login it gives up itself, and a process that waits for nothing else does not end. */
  override connect(): Promise<pg.Client>;
  override connect(callback: (error: Error | null, client: pg.Client) => void): void;
  override connect(callback?: (error: Error | null, client: pg.Client) => void) {
    if (callback === undefined) return super.connect();
    super.connect((error: Error | null) => {
      if (error) void this.end();
      callback(error, this);
    });
    return undefined;
  }
}

type Connected = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: (broken?: unknown) => void,
) => void;

/** Remembers of each connection that could not be had that it was one, and which of the others somebody works with. */
class MarkingPool extends pg.Pool {
  readonly inUse = new Set<pg.PoolClient>();

  constructor(config: pg.PoolConfig) {
    super(config);
    this.on('acquire', (client) => this.inUse.add(client));
    this.on('release', (_error, client) => this.inUse.delete(client));
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<pg.PoolClient> | undefined {
    if (callback === undefined)
      return super.connect().catch((error) => {
        rememberLost(error);
        throw error;
      });
    super.connect((error, client, release) => {
      rememberLost(error);
      callback(error, client, release);
    });
    return undefined;
  }
}

/** Ends the pool itself: a query builder that never ran a query would not. */
export async function closeDatabase(database: Database): Promise<void> {
  await database.bare.end();
}

/**
 * Ends each connection that somebody works with now. The server undoes what is not committed there and lets go of its locks,
 * for which nobody else must wait until this process is gone, or as long as it is frozen.
 */
export function cutConnections({ bare }: Pick<Database, 'bare'>): void {
  if (!(bare instanceof MarkingPool)) return;
  for (const client of bare.inUse) {
    if (client instanceof pg.Client) void client.end().catch(() => {});
  }
}

/** Makes an empty database on the server; the name is ours, and is written as it is. */
export async function createDatabase(server: Database, name: string): Promise<void> {
  await server.pool.query(`create database ${name}`);
}

/**
 * Runs the work in one read-committed transaction; rolls back and rethrows when the work throws. What the
 * database says at the beginning of each holds in it, and nowhere after it. The level is named, since that of the
 * database or of its user may be another: whoever waited for a lock must see what was committed meanwhile.
 */
export function inTransaction<Result>(
  database: Database,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  return transact(database, 'begin isolation level read committed', work);
}

/**
 * Runs work in a transaction for reading alone: every query sees the ledger of one moment, whatever
 * is posted meanwhile.
 */
export function inSnapshot<Result>(
  database: Database,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  return transact(database, 'begin isolation level repeatable read read only', work);
}

async function transact<Result>(
  { bare, saying, heldAgainst }: Database,
  begin: string,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  const client = await bare.connect();
  let broken: Error | undefined;
  try {
    const refuseJump = await beginSaying(client, begin, { saying, heldAgainst });
    const result = await work({ client, kysely: kyselyOn(client) });
    refuseJump();
    await commit(client, begin);
    return result;
  } catch (error) {
    broken = await rollBack(client);
    if (broken !== undefined) rememberLost(error);
    throw error;
  } finally {
    client.release(broken);
  }
}

interface Beginning {
  readonly saying?: Saying | undefined;
  readonly heldAgainst?: Clock | undefined;
}

/**
 * One trip to the server begins the transaction, says what holds in it, and compares the clocks. Returns what throws
 * where ours has jumped since: what was dated in the transaction may be dated wrong.
 */
export async function beginSaying(
  client: pg.PoolClient,
  begin: string,
  { saying, heldAgainst }: Beginning,
): Promise<() => void> {
  const said = Object.entries(saying?.settings ?? {}).map(([name, value]) => {
    const text = client.escapeLiteral(value.replaceAll('\0', ''));
    return `set_config('${name}', ${text}, true)`;
  });
  const clock = ONLY_READS.test(begin) ? undefined : heldAgainst;
  const asked = clock === undefined ? said : [...said, SERVER_TIME];
  const server = await client
    .query<{ server_time?: InstantMs }>(
      asked.length === 0 ? begin : `${begin}; select ${asked.join(', ')}`,
    )
    .then((results) => [results].flat().at(-1)?.rows[0]?.server_time)
    .catch((error: unknown) => {
      throw saying?.explain?.(error) ?? error;
    });
  if (clock === undefined || server === undefined) return () => {};
  const sinceServer = server - monotonicMs();
  const refuseJump = () => refuseClocksApart(clock, Math.round(sinceServer + monotonicMs()));
  refuseJump();
  return refuseJump;
}

const ONLY_READS = /\bread only\b/i;
const SERVER_TIME = "date_trunc('milliseconds', clock_timestamp()) as server_time";

/** Errors that came with the loss of their connection, since the driver gives most of them no code. */
const lostConnections = new WeakSet<object>();

function rememberLost(error: unknown): void {
  if (error instanceof Error) lostConnections.add(error);
}

/** Commits that were asked for and not answered, by what was heard instead: each of them stands, or does not. */
const unansweredCommits = new WeakSet<object>();

async function commit(client: pg.PoolClient, begin: string): Promise<void> {
  try {
    await client.query('commit');
  } catch (error) {
    if (!ONLY_READS.test(begin) && isUnanswered(error)) unansweredCommits.add(error);
    throw error;
  }
}

/** A server that is ended may have committed before; a connection whose loss was known took no more. */
function isUnanswered(error: unknown): error is Error {
  if (!(error instanceof Error) || KNOWN_TO_BE_LOST.test(error.message)) return false;
  const state = sqlState(error);
  return state === null || /^(08|57P)/.test(state);
}

/** Answers true where the connection was lost at a commit, so that nobody knows whether what was asked for stands. */
export function mayBeCommitted(error: unknown): boolean {
  return error instanceof Error && unansweredCommits.has(error);
}

/** A connection that cannot roll back is not given back to the pool. */
async function rollBack(client: pg.PoolClient): Promise<Error | undefined> {
  try {
    await client.query('rollback');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

const kyselyByClient = new WeakMap<pg.PoolClient, Kysely<Tables>>();

function kyselyOn(client: pg.PoolClient): Kysely<Tables> {
  const known = kyselyByClient.get(client);
  if (known !== undefined) return known;
  const lent = { query: client.query.bind(client), release: () => {} };
  const pool = { connect: async () => lent, end: async () => {} };
  const kysely = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: pool as unknown as pg.Pool }),
  });
  kyselyByClient.set(client, kysely);
  return kysely;
}

/**
 * Returns a Postgres error's SQLSTATE, such as `23505` for a unique violation; null for any other
 * error.
 */
export function sqlState(error: unknown): string | null {
  if (!(error instanceof pg.DatabaseError)) return null;
  return isRefusedByShard(error) ? UNIQUE_VIOLATION : (error.code ?? null);
}

/** Citus hands on the words of a key that a COPY breaks on a worker, and an internal error for its state. */
function isRefusedByShard({ code, message }: pg.DatabaseError): boolean {
  return code === INTERNAL_ERROR && BROKEN_KEY_OF_SHARD.test(message);
}

const INTERNAL_ERROR = 'XX000';
const UNIQUE_VIOLATION = '23505';
const BROKEN_KEY_OF_SHARD = /^duplicate key value violates unique constraint "\w+_\d+"$/;

/** Answers true where the database's user lacks a privilege (SQLSTATE 42501). */
export function isNotAllowed(error: unknown): boolean {
  return sqlState(error) === '42501';
}

/**
 * Answers true where this session may only read: its user lacks a privilege, or its server is a standby or was told to
 * change nothing (SQLSTATE 25006).
 */
export function mayOnlyRead(error: unknown): boolean {
  return isNotAllowed(error) || sqlState(error) === '25006';
}

/**
 * Answers true where trying again later may help: the server is away, restarting or out of room. A
 * connection that broke gives no SQLSTATE at all.
 */
export function isDatabaseAway(error: unknown): boolean {
  const state = sqlState(error);
  if (state === null) return isConnectionError(error);
  return /^(08|53|57P|40|55P03|25006)/.test(state);
}

/** The driver says this, with a new error and no code, of a connection that was held when its loss was heard of. */
const KNOWN_TO_BE_LOST =
  /^Client (?:has encountered a connection error|was closed) and is not queryable$/;

function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (lostConnections.has(error) || KNOWN_TO_BE_LOST.test(error.message)) return true;
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  // A socket of this machine that is not there is as away as a server of another one.
  return (
    /^(ECONN|EPIPE|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|EAI_AGAIN)/.test(code) || syscall === 'connect'
  );
}

const INT8 = 20;
const NUMERIC = 1700;
const TIMESTAMPTZ = 1184;
const DATE = 1082;

/**
 * Whole numbers wider than 32 bits become bigint, never a float; an instant becomes epoch
 * milliseconds; a calendar date stays the text that it is.
 */
function typeParser(oid: number, format?: 'text' | 'binary') {
  if (format === 'binary') return pg.types.getTypeParser(oid, 'binary');
  if (oid === INT8) return BigInt;
  if (oid === NUMERIC) return (text: string) => (/^-?\d+$/.test(text) ? BigInt(text) : text);
  if (oid === TIMESTAMPTZ) return parseInstant;
  if (oid === DATE) return (text: string) => text;
  return pg.types.getTypeParser(oid, 'text');
}

/** Answers at all when the database does. */
export async function pingDatabase({ pool }: Database): Promise<void> {
  await pool.query('select 1');
}
