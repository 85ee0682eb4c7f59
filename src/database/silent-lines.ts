import pg from 'pg';
import { pause } from '../clock.ts';

/** How long a line may be silent, and how long it is then asked about. */
export interface SilenceLimits {
  /** The time after which a question without an answer is asked about. */
  readonly silentMs: number;
  /** The time in which the server must answer another line. */
  readonly answerMs: number;
}

/** A long statement is silent, too: it is asked about each half minute, which costs a connection for a moment. */
export const USUAL_SILENCE: SilenceLimits = { silentMs: 30_000, answerMs: 15_000 };

/**
 * Looks after the lines to a server. A network that drops an answer, or a server that stops in the middle, leaves a
 * question without an answer and without an error, and whoever asked would wait forever. So a line that is silent
 * for long while it owes an answer is asked about on another one: where the server works at the question it is
 * waited for, however long that takes; where the server does not answer at all, or waits for us, the line is cut, and
 * whoever asked hears that the connection is lost.
 */
export class SilentLines {
  readonly #url: string;
  readonly #limits: SilenceLimits;
  readonly #lines = new Map<pg.PoolClient, Line>();
  #timer: NodeJS.Timeout | null = null;

  constructor(url: string, limits: SilenceLimits) {
    this.#url = url;
    this.#limits = limits;
  }

  add(client: pg.PoolClient): void {
    const line = lineOf(client);
    if (line === null) return;
    this.#lines.set(client, line);
    this.#timer ??= setInterval(() => this.#look(), this.#limits.silentMs / 6).unref();
  }

  remove(client: pg.PoolClient): void {
    this.#lines.delete(client);
    if (this.#lines.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    for (const line of this.#lines.values()) {
      if (line.isAskedAbout) continue;
      line.looks = isSilent(line) ? line.looks + 1 : 0;
      if (line.looks < LOOKS) continue;
      line.isAskedAbout = true;
      void this.#askAbout(line).finally(() => {
        line.isAskedAbout = false;
        line.looks = 0;
      });
    }
  }

  async #askAbout(line: Line): Promise<void> {
    const found = await askServer(this.#url, line.processId, this.#limits.answerMs);
    if (found === 'works') return;
    // Its answer may have come just now.
    await pause(this.#limits.silentMs / 6);
    if (!isSilent(line)) return;
    if (found !== 'away' && found !== 'idle') {
      const then = await askServer(this.#url, line.processId, this.#limits.answerMs);
      if (!isSame(then, found) || !isSilent(line)) return;
    }
    const words =
      found === 'away'
        ? 'the database answers neither an open connection nor a new one'
        : 'the database has nothing to do on a connection from which an answer is due: the network lost one of both';
    line.socket.destroy(Object.assign(new Error(words), { code: 'ETIMEDOUT' }));
    if (found !== 'away') await endSession(this.#url, line.processId, this.#limits.answerMs);
  }
}

/** Looks in a row that find a line silent, before it is asked about. */
const LOOKS = 6;

interface Line {
  readonly socket: Socket;
  /** The number of the server's process. */
  readonly processId: number;
  readonly owesAnswer: () => boolean;
  bytes: number;
  looks: number;
  isAskedAbout: boolean;
}

interface Socket {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  isPaused(): boolean;
  destroy(error: Error): void;
}

/** The driver keeps these to itself; without them nothing is looked after. */
function lineOf(client: pg.PoolClient): Line | null {
  const processId: unknown = Reflect.get(client, 'processID');
  const connection: unknown = Reflect.get(client, 'connection');
  const socket: unknown =
    typeof connection === 'object' && connection !== null && Reflect.get(connection, 'stream');
  if (typeof processId !== 'number' || !isSocket(socket)) return null;
  const owesAnswer = () => Reflect.get(client, 'readyForQuery') === false;
  return { socket, processId, owesAnswer, bytes: -1, looks: 0, isAskedAbout: false };
}

function isSocket(value: unknown): value is Socket {
  return (
    typeof value === 'object' && value !== null && 'bytesRead' in value && 'bytesWritten' in value
  );
}

/** Whether nothing has passed since the last look, in either direction, though an answer is due and we listen. */
function isSilent(line: Line): boolean {
  const bytes = line.socket.bytesRead + line.socket.bytesWritten;
  const hasPassed = bytes !== line.bytes;
  line.bytes = bytes;
  return !hasPassed && line.owesAnswer() && !line.socket.isPaused();
}

/**
 * What a process of the server does: it `works`, it is `idle` or gone, or the server is `away`. On a cluster of Citus it may
 * wait for the nodes as it would for us: then, when they last began or ended a statement for it, which changes while it works.
 */
type Found = 'works' | 'idle' | 'away' | { readonly nodesAt: string };

/**
 * Asks on a line of its own what a process of the server does. A server that answers that it takes no more connections is
 * there, and so is a pooler, which tells no process by its number.
 */
async function askServer(url: string, processId: number, answerMs: number): Promise<Found> {
  try {
    return await onOwnLine({ url, answerMs }, async (client) => {
      const { rows } = await client.query<Does>(DOES, [processId]);
      const [row] = rows;
      const isPooled = row?.own !== Reflect.get(client, 'processID');
      if (isPooled || row?.works === true) return 'works';
      if (row?.asks_nodes !== true) return 'idle';
      const [nodes] = (await client.query<NodesDo>(NODES_DO, [processId])).rows;
      if (nodes?.work === true) return 'works';
      return nodes?.at == null ? 'idle' : { nodesAt: nodes.at };
    });
  } catch (error) {
    return error instanceof pg.DatabaseError ? 'works' : 'away';
  }
}

interface Does {
  readonly own: number;
  readonly works: boolean | null;
  readonly asks_nodes: boolean | null;
}

/** A server that waits for its client has answered, or has heard no question. */
const DOES = `select pg_backend_pid() as own, s.state = 'active' and s.wait_event_type is distinct from 'Client' as works,
    s.state = 'active' and to_regclass('citus_stat_activity') is not null as asks_nodes
  from (values (1)) one(row) left join pg_stat_activity s on s.pid = $1`;

interface NodesDo {
  readonly work: boolean | null;
  readonly at: string | null;
}

/** A node that waits for a line of COPY waits for us, too. */
const NODES_DO = `select bool_or(state = 'active' and wait_event_type is distinct from 'Client') as work, max(state_change)::text as at
  from citus_stat_activity
  where is_worker_query and global_pid = citus_calculate_gpid(citus_nodeid_for_gpid(citus_backend_gpid()), $1)`;

function isSame(one: Found, other: Found): boolean {
  const atOf = (found: Found) => (typeof found === 'string' ? found : found.nodesAt);
  return atOf(one) === atOf(other);
}

/** What the lost session had locked would stay so until the server's own network notices, which may take hours. */
async function endSession(url: string, processId: number, answerMs: number): Promise<void> {
  const end = (client: pg.Client) =>
    client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where pid = $1 and usename = current_user and (state <> 'active' or wait_event_type = 'Client')`,
      [processId],
    );
  await onOwnLine({ url, answerMs }, end).catch(() => {});
}

async function onOwnLine<Result>(
  { url, answerMs }: { readonly url: string; readonly answerMs: number },
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const limits = { connectionTimeoutMillis: answerMs, query_timeout: answerMs };
  const client = new pg.Client({ connectionString: url, ...limits });
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    // The end of a line that stalls is waited for by nobody.
    void client.end().catch(() => {});
  }
}
