import type { S3Parts } from '../../aws/s3-address.ts';
import type { Clock } from '../../clock.ts';
import { monotonicMs } from '../../clock.ts';
import type { Config } from '../../config.ts';
import { readConfig, required } from '../../config.ts';
import { type Acting, actingAs } from '../../database/acting.ts';
import type { Database } from '../../database/database.ts';
import { closeDatabase, openDatabase } from '../../database/database.ts';
import { explainFault } from '../../database/explain-fault.ts';
import type { Log } from '../../log.ts';
import type { Parts } from '../../parts.ts';
import { Refusal } from '../../refusal.ts';
import type { StripeClient } from '../../stripe/stripe-client.ts';
import { EXIT_CODES } from './exit-codes.ts';
import type { Output } from './output.ts';
import type { Terminal } from './terminal.ts';

/** The resources of one run of one command, made from the environment and closed when it ends. */
export interface Session {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly out: Output;
  readonly terminal: Terminal;
  /** What use cases take; opens the database on first use, and throws a `Refusal` without DATABASE_URL. */
  parts(): Parts & S3Parts;
  /** What reaches S3 alone, for what needs no database. */
  s3(): S3Parts;
  /** The database is opened on first use. Throws a `Refusal` without DATABASE_URL. */
  database(): Database;
  /** Throws a `Refusal` without STRIPE_API_KEY. */
  stripe(): Promise<{ readonly client: StripeClient; readonly livemode: boolean }>;
  /** The command found something wrong: it ends with exit code 1, and still prints its answer. */
  foundWrong(): void;
  /** A budget denies what was asked about: the same with exit code 4. */
  foundOverBudget(): void;
}

export interface OpenSession extends Session {
  readonly exitCode: () => number;
  /** Returns what an error means where the schema does not fit because a newer version of this program made it. */
  seenWithSchema(error: unknown): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * This is enough for the worker's lanes, its rollups and a probe, and for commands that work in
 * parallel.
 */
const CONNECTIONS = 10;

export function openSession(terminal: Terminal, out: Output, acting: Acting): OpenSession {
  const config = readConfig(terminal.environment);
  const log = terminal.openLog(config.SPANLEDGER_LOG_LEVEL);
  let database: Database | null = null;
  let exitCode = 0;
  const openOnce = (): Database => {
    if (database !== null) return database;
    const opened = openDatabase({
      url: required(config, 'DATABASE_URL'),
      connections: CONNECTIONS,
      ...(terminal.heldAgainst === undefined ? {} : { heldAgainst: terminal.heldAgainst }),
      onConnectionLost: sayOnce(log),
    });
    database = actingAs(opened, acting);
    return database;
  };
  const s3 = () => ({
    s3Endpoint: config.AWS_ENDPOINT_URL_S3 ?? config.AWS_ENDPOINT_URL ?? null,
  });
  return {
    config,
    clock: terminal.clock,
    log,
    out,
    terminal,
    parts: () => ({
      database: openOnce(),
      clock: terminal.clock,
      log,
      ...s3(),
    }),
    s3,
    database: openOnce,
    async stripe() {
      const apiKey = required(config, 'STRIPE_API_KEY');
      // The module is loaded only here: no other command should wait for it.
      const { isLiveKey, openStripe } = await import('../../stripe/stripe-client.ts');
      const client = openStripe({ apiKey, apiBase: config.STRIPE_API_BASE ?? null });
      return { client, livemode: isLiveKey(apiKey) };
    },
    foundWrong() {
      exitCode = 1;
    },
    foundOverBudget() {
      exitCode = EXIT_CODES.over_budget;
    },
    exitCode: () => exitCode,
    async seenWithSchema(error) {
      const refusal = error instanceof Refusal ? error : explainFault(error);
      if (database === null || refusal?.kind !== 'not_migrated') return error;
      // The module is loaded only here: no other command should wait for it.
      const { explainNewerSchema } = await import('../../database/migrate.ts');
      return (await explainNewerSchema(database)) ?? error;
    },
    async close() {
      if (database !== null) await closeDatabase(database);
    },
  };
}

/** Connections are lost together, and one line says it of all. */
const SAID_FOR_MS = 60_000;

function sayOnce(log: Log): (error: Error) => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (monotonicMs() - saidAt < SAID_FOR_MS) return;
    saidAt = monotonicMs();
    log.warn({ error: error.message }, 'connection lost');
  };
}
