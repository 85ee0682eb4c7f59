import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { closeDatabase, type Database, openDatabase } from '../../src/database/database.ts';
import { distribute } from '../../src/database/distribute.ts';
import { migrate } from '../../src/database/migrate.ts';
import { type Cluster, findCluster, makeClusterTemplate } from './cluster.ts';
import { KEEP_PRISTINE } from './pristine.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The maintenance database of the server that this run uses. */
    readonly serverUrl: string;
    /** The maintenance database of the one Postgres that is started beside a cluster, or for all tests. */
    readonly plainUrl: string;
    /** The nodes of a Citus cluster on which the databases are made; null for one server. */
    readonly cluster: Cluster | null;
  }
}

/** How Postgres is started for a run. */
export interface ServerOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** Its data lie in a folder of their own in this one. Default: the folder of temporary files. */
  readonly folder?: string;
  /** Keeps what it answered, as a server of production does. Default: false. */
  readonly durable?: boolean;
}

/** The migrated database that every fresh one is a copy of. */
export const TEMPLATE = 'spanledger_template';

type Provider = Pick<TestProject, 'provide'>;

/** Starts one Postgres for the whole run: the first project that needs it starts it, and all that follow use it. */
export default async function setup({ vitest }: TestProject): Promise<() => Promise<void>> {
  if ('plainUrl' in vitest.getProvidedContext()) return async () => {};
  return await startPostgres(vitest);
}

/**
 * Starts a Postgres; a machine that cannot start one fails the run. Where SPANLEDGER_CITUS_URL names a coordinator, the
 * databases of tests are made there instead, and each is distributed.
 */
export async function startPostgres(
  project: Provider,
  of: ServerOptions = {},
): Promise<() => Promise<void>> {
  const cluster = await findCluster(process.env['SPANLEDGER_CITUS_URL']);
  project.provide('cluster', cluster);
  const server = await startServer(of);
  const templateUrl = new URL(server.url);
  templateUrl.pathname = `/${TEMPLATE}`;
  await makeTemplate(server.url, templateUrl.href);
  project.provide('plainUrl', server.url);
  if (cluster === null) {
    project.provide('serverUrl', server.url);
    return server.stop;
  }
  const drop = await setUpCluster(project, cluster);
  return async () => {
    await drop();
    await server.stop();
  };
}

async function setUpCluster(project: Provider, cluster: Cluster): Promise<() => Promise<void>> {
  const { url, drop } = await makeClusterTemplate(cluster, TEMPLATE);
  const template = open(url);
  await migrate(template);
  await distribute(template);
  await makeSettled(template);
  await closeDatabase(template);
  project.provide('serverUrl', cluster.coordinator);
  return drop;
}

async function startServer(of: ServerOptions) {
  const script = fileURLToPath(new URL('./postgres-server.ts', import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(of)], {
    // A signal to the whole group of this run is not for the one that has to clean up after it.
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const url = await Promise.race([
    once(child.stdout, 'data').then(([line]) => String(line).trim()),
    ended.then(() => {
      throw new Error('Postgres did not start; nothing can be tested without it');
    }),
  ]);
  const stop = async () => {
    child.stdin.end();
    await ended;
  };
  return { url, stop };
}

async function makeTemplate(serverUrl: string, templateUrl: string): Promise<void> {
  const server = open(serverUrl);
  await server.pool.query('create table idle_databases (name text primary key)');
  await server.pool.query(`create database ${TEMPLATE}`);
  await closeDatabase(server);
  const template = open(templateUrl);
  await migrate(template);
  await makeSettled(template);
  await template.pool.query(KEEP_PRISTINE);
  await closeDatabase(template);
}

async function makeSettled(template: Database): Promise<void> {
  // The reserved tenant is as old as the schema; tests live in a year of their own.
  await template.pool.query("update tenants set created_at = '2026-01-01T00:00:00Z'");
  // Every test may name the identifiers that its ledger makes.
  await template.pool.query(
    `alter table ledger_name disable trigger ledger_name_stays; update ledger_name set name = 'testbook';
     alter table ledger_name enable trigger ledger_name_stays`,
  );
}

function open(url: string) {
  return openDatabase({ url, connections: 1, onConnectionLost: () => {} });
}
