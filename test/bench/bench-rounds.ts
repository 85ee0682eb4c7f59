import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LawReport } from '../../src/audit/law.ts';
import { verify } from '../../src/audit/verify.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import type { Servers } from './bench-servers.ts';
import type { Contender, Job, Measured, Sizes } from './contender.ts';
import { CONTENDERS } from './contenders.ts';
import type { StageCosts } from './stages.ts';
import { workerPacked } from './worker-packed.ts';
import { workerSingle } from './worker-single.ts';

export interface Plan {
  readonly rounds: number;
  readonly sizes: Sizes;
  readonly onProgress: (text: string) => void;
}

/** Of each contender by its name, one measurement a round. */
export type Measurements = ReadonlyMap<string, readonly Measured[]>;

const SOURCE = 'bench_source';
const SCRATCH = 'bench_scratch';
const QUEUE = 'bench';

/**
 * Every contender once a round, so that what else the machine does falls on all of them alike; each
 * round begins one contender further on, so that none always runs after the same one.
 */
export async function runRounds(servers: Servers, plan: Plan): Promise<Measurements> {
  plan.onProgress('warm-up, and the rows for COPY and INSERT: worker, packed messages');
  await runOnce(servers, workerPacked, { events: plan.sizes.packed, database: SOURCE });
  const measurements = new Map<string, Measured[]>();
  for (let round = 0; round < plan.rounds; round += 1) {
    for (let turn = 0; turn < CONTENDERS.length; turn += 1) {
      const contender = CONTENDERS[(turn + round) % CONTENDERS.length];
      if (contender === undefined) continue;
      const events = plan.sizes[contender.size];
      const measured = await runOnce(servers, contender, { events, database: SCRATCH });
      const perSecond = Math.round((measured.timedEvents / measured.elapsedMs) * 1000);
      plan.onProgress(`round ${round + 1} of ${plan.rounds}: ${contender.name}: ${perSecond}/s`);
      const known = measurements.get(contender.name);
      if (known === undefined) measurements.set(contender.name, [measured]);
      else known.push(measured);
    }
  }
  return measurements;
}

async function runOnce(
  servers: Servers,
  contender: Contender,
  on: { readonly events: number; readonly database: string },
): Promise<Measured> {
  const { events, database } = on;
  const job = await prepare(servers, { ...on, input: contender.input });
  const measured = (await runChild(contender.name, job)) as Measured;
  const left = contender.input === 'rows' ? 0 : await servers.dropQueue(QUEUE);
  const entries = contender.writesEntries ? await servers.countEntries(database) : events;
  if (measured.events !== events || entries !== events || left !== 0) {
    throw new Error(
      `${contender.name}: of ${events} events ${measured.events} were counted and ${entries} are in the ledger; ${left} messages are left`,
    );
  }
  return measured;
}

async function prepare(
  servers: Servers,
  on: {
    readonly events: number;
    readonly database: string;
    readonly input: Contender['input'];
  },
): Promise<Job> {
  const { events, database, input } = on;
  const databaseUrl = await servers.createDatabase(database);
  const queueUrl = input === 'rows' ? '' : await servers.fillQueue(QUEUE, events, input);
  await servers.checkpoint();
  return {
    events,
    databaseUrl,
    sourceUrl: servers.urlOf(SOURCE),
    endpoint: servers.endpoint,
    queueUrl,
  };
}

export interface StageReport {
  readonly packed: StageCosts;
  readonly single: StageCosts;
}

export async function runStages(servers: Servers, plan: Plan): Promise<StageReport> {
  const costs = async (input: 'packed' | 'single') => {
    plan.onProgress(`stages, ${input}`);
    const job = await prepare(servers, { events: plan.sizes[input], database: SCRATCH, input });
    const measured = (await runChild('stages', job)) as StageCosts;
    await servers.dropQueue(QUEUE);
    return measured;
  };
  return { packed: await costs('packed'), single: await costs('single') };
}

/** One more run of the worker in each shape, and then every law on what it left. */
export async function runLaws(servers: Servers, plan: Plan): Promise<readonly LawReport[]> {
  const reports: LawReport[] = [];
  for (const contender of [workerPacked, workerSingle]) {
    plan.onProgress(`verify after ${contender.name}`);
    const events = plan.sizes[contender.size];
    await runOnce(servers, contender, { events, database: SCRATCH });
    const url = servers.urlOf(SCRATCH);
    const database = openDatabase({ url, connections: 2, onConnectionLost() {} });
    reports.push(...(await verify(database, null)));
    await closeDatabase(database);
  }
  return reports;
}

/** A fresh process a run: none inherits another's heap or compiled code. */
function runChild(name: string, job: Job): Promise<unknown> {
  const child = fork(fileURLToPath(new URL('contender-process.ts', import.meta.url)));
  return new Promise((resolve, reject) => {
    let answer: unknown;
    child.once('message', (message) => {
      answer = message;
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (answer === undefined) reject(new Error(`${name} ended with ${code} and no answer`));
      else resolve(answer);
    });
    child.send({ name, job });
  });
}
