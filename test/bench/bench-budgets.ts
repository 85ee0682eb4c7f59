import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { formatPico } from '../../src/money.ts';
import { putBudget } from '../support/budgets.ts';
import { importBooks, makeTenant } from '../support/ledger.ts';
import { runChild } from './bench-child.ts';
import { CLEAN } from './bench-events.ts';
import type { Servers } from './bench-servers.ts';
import { measureRushes, RESERVING, RUSH_LIMIT, type Rush } from './budget-rush.ts';
import { probeLoad } from './load-probe.ts';
import type { Machine } from './report.ts';
import {
  CHECK,
  measureInProcess,
  measureOverHttp,
  RESERVE,
  STEADY,
  type Steady,
  type SteadyPlan,
} from './steady-budgets.ts';
import type { UnderLoad } from './under-load.ts';
import { type CallCost, measureWrapper } from './wrapper-cost.ts';

/**
 * The public benchmark of budgets: a rush of callers against one limit; checks and holds at a steady rate beside an empty
 * transaction, alone and beside a worker at half load, in the process and over HTTP; and what a call waits for its wrapper.
 */
export interface BudgetsPlan extends SteadyPlan {
  readonly callers: number;
  readonly onProgress: (text: string) => void;
}

export interface BudgetsMeasures {
  readonly perSecond: number;
  readonly connections: number;
  readonly rushes: readonly Rush[];
  readonly alone: readonly Steady[];
  readonly besideIngest: {
    /** Events a second that were fed to the worker, and what it took of them. */
    readonly fed: number;
    readonly taken: number;
    readonly steady: readonly Steady[];
  };
  readonly metered: readonly CallCost[];
}

export interface BudgetsReport extends BudgetsMeasures {
  readonly machine: Machine;
  readonly seconds: number;
}

const DATABASE = 'budget_benchmark';
const QUEUE = 'budget-benchmark';
const RUSHED = 'rushed';
const FULL_LOAD_SECONDS = 15;

export async function measureBudgets(
  servers: Servers,
  plan: BudgetsPlan,
): Promise<BudgetsMeasures> {
  const { callers, connections, perSecond, onProgress } = plan;
  onProgress('what a call waits for its wrapper');
  const metered = await measureWrapper();
  onProgress(`full load for ${FULL_LOAD_SECONDS} s, to know the half of it`);
  const full = await probeLoad(servers, { seconds: FULL_LOAD_SECONDS, perSecond: null });
  const url = await servers.createDatabase(DATABASE, CLEAN.tenants);
  const database = openDatabase({ url, connections, onConnectionLost: () => {} });
  try {
    await importBooks(database, 'standard');
    for (const tenant of [RUSHED, STEADY]) await makeTenant(database, tenant);
    const now = new Date().toISOString();
    await putBudget(
      database,
      { tenant_id: RUSHED, amount: formatPico(RUSH_LIMIT), per: 'once' },
      now,
    );
    for (const per of ['day', 'month'] as const) {
      await putBudget(database, { tenant_id: STEADY, per, amount: '1000000' }, now);
    }
    onProgress(`${callers} callers at once`);
    const rushes = await measureRushes(database, { callers, connections, tenant: RUSHED });
    const steady = async () => [
      ...(await measureInProcess(database, plan)),
      ...(await measureOverHttp(url, plan)),
    ];
    onProgress(`${perSecond} a second of each kind, alone`);
    const alone = await steady();
    const fed = Math.max(100, Math.round(full.perSecond / 2));
    onProgress(`the same beside a worker that is fed ${fed} events a second`);
    const beside = await besideIngest(servers, { url, fed, steady, plan });
    return {
      ...{ perSecond, connections, rushes, alone, metered },
      besideIngest: { fed, taken: Math.round(beside.taken), steady: beside.steady },
    };
  } finally {
    await closeDatabase(database);
    await servers.dropDatabase(DATABASE);
  }
}

interface BesideIngest {
  readonly url: string;
  readonly fed: number;
  readonly steady: () => Promise<readonly Steady[]>;
  readonly plan: SteadyPlan;
}

/** The worker runs for longer than what is measured beside it, so that all of that meets its load. */
async function besideIngest(servers: Servers, { url, fed, steady, plan }: BesideIngest) {
  const queueUrl = await servers.feedQueue(QUEUE, fed);
  const { endpoint } = servers;
  // Two doors with seven kinds in all, a round to begin with, and the worker's own start.
  const seconds = Math.ceil((7 * (plan.seconds + 1)) / 0.7) + 5;
  const job = { events: 0, databaseUrl: url, sourceUrl: '', endpoint, queueUrl, seconds };
  const worker = runChild<UnderLoad>({ kind: 'under load', job });
  await new Promise((done) => setTimeout(done, seconds * 200));
  const measured = await steady();
  const { perSecond: taken } = await worker;
  await servers.dropQueue(QUEUE);
  return { steady: measured, taken };
}

export function renderBudgets(report: BudgetsMeasures): string {
  const { rushes, alone, besideIngest: beside, metered, perSecond, connections } = report;
  const of = ({ p50Ms, p99Ms }: Pick<Steady, 'p50Ms' | 'p99Ms'>) =>
    `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`;
  const [rush] = rushes;
  return [
    ...targetTable(report),
    '',
    `${rush?.count} callers at once against ${formatPico(RUSH_LIMIT)}, calls of 0.01 to 0.30:`,
    '',
    ...rushes.map(
      (one) =>
        `- ${one.name}: ${one.admitted} admitted, ${one.over} over the limit; ${one.refused} refused, ` +
        `${one.refusedInVain} of them although what was left would have borne them; ${of(one)}`,
    ),
    '',
    `${perSecond} a second of each kind on ${connections} connections, with its ratio to an empty transaction:`,
    '',
    ...steadyTable(alone, beside.steady),
    '',
    `Beside ingest is beside one worker that was fed ${beside.fed} events a second, the half of what it took at full load, and took ${beside.taken}.`,
    '',
    'What a call waits for its wrapper, its provider answering at once, and what it costs the process with what is done afterwards:',
    '',
    ...metered.map((one) => `- ${one.name}: ${of(one)}; ${one.cpuMs.toFixed(2)} ms of CPU`),
  ].join('\n');
}

/** In milliseconds at the 99th percentile. */
const MOST_TO_ASK_MS = 5;
const MOST_FOR_A_WRAPPER_MS = 1;

function targetTable({
  rushes,
  besideIngest,
  metered,
  perSecond,
}: BudgetsMeasures): readonly string[] {
  const [plain, wrapped] = metered;
  const waits = (wrapped?.p99Ms ?? Number.NaN) - (plain?.p99Ms ?? Number.NaN);
  const over = rushes.find(({ name }) => name === RESERVING)?.over ?? 'nothing measured';
  const line = (figure: string, [most, measured]: readonly [number, number]) =>
    `| ${figure}, p99 | ≤ ${most} ms | ${measured.toFixed(2)} ms | ${measured <= most ? 'met' : 'missed'} |`;
  const beside = (name: string) =>
    besideIngest.steady.find((one) => one.name === name)?.p99Ms ?? Number.NaN;
  return [
    '| figure | target | measured | |',
    '| --- | ---: | ---: | --- |',
    ...[CHECK, RESERVE].map((name) =>
      line(`${name}, ${perSecond} a second beside ingest at half load`, [
        MOST_TO_ASK_MS,
        beside(name),
      ]),
    ),
    line('what a call waits for its wrapper, a folder keeping its event', [
      MOST_FOR_A_WRAPPER_MS,
      waits,
    ]),
    `| over the limit after the rush | 0 | ${over} | ${over === '0' ? 'met' : 'missed'} |`,
  ];
}

function steadyTable(alone: readonly Steady[], beside: readonly Steady[]): readonly string[] {
  const cells = (one: Steady | undefined, empty: Steady | undefined) => {
    if (one === undefined || empty === undefined) return ['', '', ''];
    const { p50Ms, p99Ms } = one;
    return [p50Ms.toFixed(2), p99Ms.toFixed(2), (p99Ms / empty.p99Ms).toFixed(1)];
  };
  return [
    '|  | alone p50 ms | p99 ms | ratio of p99 | beside ingest p50 ms | p99 ms | ratio of p99 |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...alone.map((one, place) => {
      const all = [one.name, ...cells(one, alone[0]), ...cells(beside[place], beside[0])];
      return `| ${all.join(' | ')} |`;
    }),
  ];
}
