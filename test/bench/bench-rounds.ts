import { checkLaws } from '../../src/audit/laws/check-laws.ts';
import type { LawReport, LawScope } from '../../src/audit/laws/law.ts';
import { systemClock } from '../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { runChild, runChildren } from './bench-child.ts';
import { CLEAN } from './bench-events.ts';
import type { Servers } from './bench-servers.ts';
import type { Contender, Job, Measured, Sizes } from './contender.ts';
import { together } from './contender.ts';
import type { StageCosts } from './stages.ts';
import { workerPacked } from './worker-packed.ts';
import { workerSingle } from './worker-single.ts';

export interface Plan {
  readonly rounds: number;
  /** No round begins that would, by the ones before it, end later than this; the first always runs. */
  readonly roundSeconds: number;
  readonly sizes: Sizes;
  readonly onProgress: (text: string) => void;
}

/** Of each contender by its name, one measurement a round. */
export type Measurements = ReadonlyMap<string, readonly Measured[]>;

export const SOURCE = 'bench_source';
const SCRATCH = 'bench_scratch';
const QUEUE = 'bench';

/**
 * Every contender once a round, so that what else the machine does falls on all of them alike; each
 * round begins one contender further on, so that none always runs after the same one.
 */
export async function runRounds(
  servers: Servers,
  contenders: readonly Contender[],
  plan: Plan,
): Promise<Measurements> {
  const startedAt = performance.now();
  const measurements = new Map<string, Measured[]>();
  for (let round = 0; round < plan.rounds; round += 1) {
    const seconds = (performance.now() - startedAt) / 1000;
    if (round > 0 && (seconds / round) * (round + 1) > plan.roundSeconds) {
      plan.onProgress(`no time for more than ${round} of ${plan.rounds} rounds`);
      break;
    }
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const contender = contenders[(turn + round) % contenders.length];
      if (contender === undefined) continue;
      const measured = await runOnce(servers, contender, {
        events: plan.sizes[contender.size],
        database: SCRATCH,
      });
      plan.onProgress(`round ${round + 1} of ${plan.rounds}: ${describe(contender, measured)}`);
      const known = measurements.get(contender.name);
      if (known === undefined) measurements.set(contender.name, [measured]);
      else known.push(measured);
    }
  }
  return measurements;
}

/** A worker's run that only warms up, and leaves the rows for COPY, INSERT and the large ledger. */
export async function makeSource(servers: Servers, plan: Plan): Promise<void> {
  plan.onProgress('warm-up, and the rows for COPY and INSERT: worker, packed messages');
  await runOnce(servers, workerPacked, { events: plan.sizes.packed, database: SOURCE });
}

export function describe(contender: Contender, measured: Measured): string {
  return `${contender.name}: ${Math.round(ratePerSecond(measured))}/s`;
}

export function ratePerSecond({ timedEvents, elapsedMs }: Measured): number {
  return (timedEvents / elapsedMs) * 1000;
}

/** On a fresh database; fails where an event or an entry is missing, or a message is left. */
export async function runOnce(
  servers: Servers,
  contender: Contender,
  on: Omit<Parameters<typeof runOn>[2], 'entriesBefore'>,
): Promise<Measured> {
  const { tenants } = contender.input === 'rows' ? CLEAN : contender.input;
  await servers.createDatabase(on.database, tenants);
  return runOn(servers, contender, { ...on, entriesBefore: 0 });
}

/** On a database as it is. */
export async function runOn(
  servers: Servers,
  contender: Contender,
  on: {
    readonly events: number;
    readonly database: string;
    readonly entriesBefore: number;
    readonly seed?: number;
    /** Right before the events, unless it is said that the server makes its checkpoints when it would. */
    readonly checkpoint?: 'before' | 'as set';
  },
): Promise<Measured> {
  const { events, database, seed = CLEAN.seed, checkpoint = 'before' } = on;
  const input = contender.input === 'rows' ? 'rows' : { ...contender.input, seed };
  const { job, entries } = await prepare(servers, { events, database, input });
  if (checkpoint === 'before') await servers.checkpoint();
  const order = { kind: 'contender', name: contender.name, job } as const;
  const measured = together(await runChildren<Measured>(order, contender.processes));
  const left = contender.input === 'rows' ? 0 : await servers.dropQueue(QUEUE);
  const expected = on.entriesBefore + entries;
  const found = contender.writesEntries ? await servers.countEntries(database) : expected;
  if (measured.events !== events || found !== expected || left !== 0) {
    throw new Error(
      `${contender.name}: of ${events} events ${measured.events} were counted, and ${found} of ${expected} entries are in the ledger; ${left} messages are left`,
    );
  }
  return measured;
}

/** Lays ready what the contender takes; says how many entries that makes. */
async function prepare(
  servers: Servers,
  on: {
    readonly events: number;
    readonly database: string;
    readonly input: Contender['input'];
  },
): Promise<{ readonly job: Job; readonly entries: number }> {
  const { events, database, input } = on;
  const { queueUrl, entries } =
    input === 'rows'
      ? { queueUrl: '', entries: events }
      : await servers.fillQueue(QUEUE, events, input);
  const job = {
    events,
    databaseUrl: servers.urlOf(database),
    sourceUrl: servers.urlOf(SOURCE),
    endpoint: servers.endpoint,
    queueUrl,
  };
  return { job, entries };
}

export interface StageReport {
  readonly packed: StageCosts;
  readonly single: StageCosts;
}

export async function runStages(servers: Servers, plan: Plan): Promise<StageReport> {
  const costs = async (shape: 'packed' | 'single') => {
    plan.onProgress(`stages, ${shape}`);
    await servers.createDatabase(SCRATCH, CLEAN.tenants);
    const input = { ...CLEAN, shape };
    const { job } = await prepare(servers, { events: plan.sizes[shape], database: SCRATCH, input });
    await servers.checkpoint();
    const measured = await runChild<StageCosts>({ kind: 'stages', job });
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
    reports.push(...(await verifyLedger(servers.urlOf(SCRATCH))));
  }
  return reports;
}

export async function verifyLedger(
  url: string,
  scope: LawScope['kind'] = 'full',
): Promise<readonly LawReport[]> {
  const database = openDatabase({ url, connections: 2, onConnectionLost() {} });
  const reports = await checkLaws(
    { database, clock: systemClock, checkStripe: null },
    { scope, published: [] },
  );
  await closeDatabase(database);
  return reports;
}
