import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFauxqs } from 'fauxqs';
import { lastMonth, systemClock } from '../../../src/clock.ts';
import { closeDatabase, type Database, openDatabase } from '../../../src/database/database.ts';
import { startStripeDouble } from '../../../src/stripe-double/stripe-double.ts';
import { makeLiveLedger } from '../../support/live-ledger.ts';
import { Actor, type ActorOptions } from './actor.ts';
import { BadLine } from './bad-line.ts';
import { Load } from './load.ts';
import { OwnPostgres } from './own-postgres.ts';

export const MONTH = lastMonth(systemClock);
const TENANTS = 8;

export interface BridgePlace {
  /** Where Postgres keeps its data and its log of changes; null for a temporary folder, and for beside the data. */
  readonly postgres?: { readonly folder: string; readonly walFolder: string | null };
  readonly settings?: Readonly<Record<string, string>>;
}

/** The whole bridge as processes, with lines between them that can be made bad. */
export class Bridge {
  readonly folder: string;
  readonly postgres: OwnPostgres;
  readonly queue: Awaited<ReturnType<typeof startFauxqs>>;
  readonly double: Awaited<ReturnType<typeof startStripeDouble>>;
  readonly lines: { readonly database: BadLine; readonly queue: BadLine; readonly stripe: BadLine };
  /** Straight to Postgres, for the one who watches. */
  readonly database: Database;
  readonly load: Load;
  readonly actors: Actor[] = [];
  readonly #closing: (() => Promise<unknown>)[];
  readonly #queueUrl: string;

  private constructor(of: BridgeFields) {
    this.folder = of.folder;
    this.postgres = of.postgres;
    this.queue = of.queue;
    this.double = of.double;
    this.lines = of.lines;
    this.database = of.database;
    this.#queueUrl = of.queueUrl;
    this.#closing = of.closing;
    this.load = new Load({ queue: of.queue, key: of.key, tenants: TENANTS, month: MONTH });
  }

  static async build(place: BridgePlace, random: () => number): Promise<Bridge> {
    const folder = await mkdtemp(join(tmpdir(), 'hard-times-'));
    const postgres = await OwnPostgres.make({
      ...(place.postgres ?? { folder: await mkdtemp(join(tmpdir(), 'hard-pg-')), walFolder: null }),
      settings: place.settings ?? {},
    });
    const queue = await startFauxqs({ port: 0, logger: false });
    const double = await startStripeDouble({ now: systemClock(), latencyMs: 0 });
    const { queueArn } = queue.createQueue('dead-letters');
    const redrive = { deadLetterTargetArn: queueArn, maxReceiveCount: 10 };
    const attributes = { RedrivePolicy: JSON.stringify(redrive) };
    const { queueUrl } = queue.createQueue('usage', { attributes });
    const open = (port: number) => BadLine.open({ host: '127.0.0.1', port }, random);
    const lines = {
      database: await open(postgres.port),
      queue: await open(queue.port),
      stripe: await open(Number(new URL(double.url).port)),
    };
    const database = openDatabase({
      url: postgres.url,
      connections: 4,
      onConnectionLost: () => {},
    });
    const key = await makeLiveLedger(database, double, { tenants: TENANTS, actor: 'hard times' });
    const closing = [
      () => closeDatabase(database),
      () => queue.stop(),
      () => double.close(),
      () => postgres.stop(),
      () => rm(folder, { recursive: true }),
    ];
    const made = { folder, postgres, queue, double, lines, database, queueUrl, closing, key };
    return new Bridge(made);
  }

  /** Starts a process of the bridge, which reaches the others by the lines. */
  start(name: string, args: readonly string[], options: ActorOptions = {}): Actor {
    const actor = new Actor({
      ...{ name, args },
      options: { ...options, environment: { ...this.#environment(), ...options.environment } },
    });
    this.actors.push(actor);
    return actor;
  }

  #environment(): Readonly<Record<string, string>> {
    const { lines, postgres, double } = this;
    return {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: postgres.urlAt(lines.database.port),
      SPANLEDGER_QUEUE_URL: this.#queueUrl,
      ...{ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' },
      AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${lines.queue.port}`,
      STRIPE_API_KEY: double.apiKey,
      STRIPE_API_BASE: `http://127.0.0.1:${lines.stripe.port}`,
      STRIPE_WEBHOOK_SECRET: 'whsec_of_nobody',
    };
  }

  /** Messages of the queue by where they are. */
  queued(): { readonly ready: number; readonly inFlight: number; readonly dead: number } {
    const usage = this.queue.inspectQueue('usage')?.messages;
    const dead = this.queue.inspectQueue('dead-letters')?.messages;
    return {
      ready: usage?.ready.length ?? 0,
      inFlight: usage?.inflight.length ?? 0,
      dead: (dead?.ready.length ?? 0) + (dead?.inflight.length ?? 0),
    };
  }

  /** The ids of the messages that are still in the queue. */
  stillQueued(): ReadonlySet<string> {
    const usage = this.queue.inspectQueue('usage')?.messages;
    const all = [...(usage?.ready ?? []), ...(usage?.inflight ?? []).map(({ message }) => message)];
    return new Set(all.map(({ messageId }) => messageId));
  }

  async close(): Promise<void> {
    this.load.stop();
    for (const actor of this.actors) await actor.end();
    for (const line of Object.values(this.lines)) line.close();
    for (const close of this.#closing) await close().catch((error) => console.log(String(error)));
  }
}

type BridgeFields = Pick<
  Bridge,
  'folder' | 'postgres' | 'queue' | 'double' | 'lines' | 'database'
> & {
  readonly queueUrl: string;
  readonly closing: (() => Promise<unknown>)[];
  /** The producer's. */
  readonly key: string;
};

/** Kilobytes of memory that a process has. */
export async function residentKilobytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
}
