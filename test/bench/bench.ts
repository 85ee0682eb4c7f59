import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { type ApiReport, measureApi, renderApi } from './bench-api.ts';
import { type BudgetsReport, measureBudgets, renderBudgets } from './bench-budgets.ts';
import { measurePages, PAGE_LIMIT_MS, type PagesReport, renderPages } from './bench-pages.ts';
import type { Plan } from './bench-rounds.ts';
import { makeSource, runLaws, runRounds, runStages } from './bench-rounds.ts';
import type { LedgerPlan } from './bench-scale.ts';
import { measureOneMonth, runScale } from './bench-scale.ts';
import type { Servers } from './bench-servers.ts';
import { startServers } from './bench-servers.ts';
import { renderCore, renderScale, renderTargets, rowsOf } from './bench-table.ts';
import { measureUsage, renderUsage, type UsageReport } from './bench-usage.ts';
import { RESERVING } from './budget-rush.ts';
import { CONTENDERS } from './contenders.ts';
import { probeLoad } from './load-probe.ts';
import { measureQueueCost } from './queue-cost.ts';
import type { CoreReport, Machine, ScaleReport } from './report.ts';
import { renderResults } from './results-page.ts';
import { renderStageChart } from './stage-chart.ts';
import { targetRows } from './targets.ts';
import { workerPacked } from './worker-packed.ts';

/**
 * `npm run bench`: the tables and the JSON on stdout, progress on stderr. Within twenty minutes.
 *   --quick       smaller, under two minutes
 *   --scale       what grows: large ledgers, processes, tenants, members, a long load; an hour and more
 *   --budgets     a thousand callers against one limit, holds at a steady rate alone and beside ingest, over HTTP too, and
 *                 what a wrapper costs; three minutes
 *   --api         questions and ingest over HTTP at half load, beside a bare route; some minutes, and those of the ledger
 *   --pages       each page of the console on a large ledger beside ingest; a quarter of an hour, and an error where one is too slow
 *   --usage       usage by day and model, and by everything else, over 20,000,000 entries, quiet and at half load; an hour
 *   --postgres URL  a Postgres of one's own, in which the ledger of --usage stays: the next run there fills none
 *   --runs N      of that ledger, 1,000,000
 *   --entries N   of the large ledger, 20,000,000; with --api 1,000,000
 *   --load N      seconds of the long load, 600
 *   --rounds N    5; with --quick and --scale 3
 *   --json        the JSON alone on stdout
 *   --out FILE    the JSON into a file, the tables alone on stdout
 *   --chart FILE  the SVG of the cost by stage
 *   --record      this run becomes core.json, scale.json, budgets.json, api.json, pages.json or usage.json beside this file, and all of them RESULTS.md
 */
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    scale: { type: 'boolean', default: false },
    budgets: { type: 'boolean', default: false },
    api: { type: 'boolean', default: false },
    pages: { type: 'boolean', default: false },
    usage: { type: 'boolean', default: false },
    postgres: { type: 'string' },
    runs: { type: 'string' },
    entries: { type: 'string' },
    load: { type: 'string', default: '600' },
    rounds: { type: 'string' },
    json: { type: 'boolean', default: false },
    out: { type: 'string' },
    chart: { type: 'string' },
    record: { type: 'boolean', default: false },
  },
});

const FULL = { packed: 100_000, single: 20_000, insert: 3_000, usual: 1_000 };
const QUICK = { packed: 12_000, single: 1_200, insert: 600, usual: 300 };

const startedAt = performance.now();
const onProgress = (text: string) => console.error(`${elapsed().padStart(7)}  ${text}`);
const isSmall = values.quick || values.scale || values.api || values.pages || values.usage;
const plan: Plan = {
  rounds: readCount('rounds', values.rounds ?? (isSmall ? '3' : '5')),
  roundSeconds: values.quick ? 55 : 900,
  sizes: values.quick ? QUICK : FULL,
  onProgress,
};
const ledgerPlan: LedgerPlan = values.quick
  ? { entries: 20_000, tenants: 1_000, samples: 50, onProgress }
  : { entries: 400_000, tenants: 10_000, samples: 200, onProgress };
const loadSeconds = values.quick ? 8 : 40;
// Ends the children as well: their channel to us closes.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

const servers = await startServers(values.postgres ?? null);
try {
  const laws = values.budgets
    ? await publishBudgets()
    : values.api
      ? await publishApi()
      : values.pages
        ? await publishPages()
        : values.usage
          ? await publishUsage()
          : values.scale
            ? await publishScale()
            : await publishCore();
  process.exitCode = laws.some((law) => law.violations.length > 0) ? 1 : 0;
} finally {
  await servers.stop();
}

async function publishCore(): Promise<CoreReport['laws']> {
  const report = await measureCore(servers);
  const targets = targetRows(report, null);
  const chart = renderStageChart(report.stages);
  if (values.chart !== undefined) await writeFile(values.chart, chart);
  if (values.record) {
    await record('core.json', report);
    await writeResults();
    await writeFile(beside('stages.svg'), chart);
  }
  await print(`${renderTargets(targets)}\n\n${renderCore(report)}`, { ...report, targets });
  return report.laws;
}

/** A rush that passes the limit breaks what a hold promises. */
async function publishBudgets(): Promise<CoreReport['laws']> {
  const measures = await measureBudgets(servers, {
    ...{ callers: 1000, connections: 20, perSecond: 500, seconds: values.quick ? 2 : 6 },
    onProgress,
  });
  const report = { machine: describeMachine(), seconds: secondsSoFar(), ...measures };
  const reserved = report.rushes.find(({ name }) => name === RESERVING);
  if (reserved?.over !== '0') throw new Error(`holds passed the limit by ${reserved?.over}`);
  if (values.record) {
    await record('budgets.json', report);
    await writeResults();
  }
  await print(renderBudgets(report), report);
  return [];
}

async function publishApi(): Promise<CoreReport['laws']> {
  const entries = readCount('entries', values.entries ?? (values.quick ? '20000' : '1000000'));
  const of = { entries, tenants: 1_000, seconds: values.quick ? 2 : 15 };
  const report = { machine: describeMachine(), ...(await measureApi(servers, { ...plan, ...of })) };
  if (values.record) {
    await record('api.json', report);
    await writeResults();
  }
  await print(renderApi(report), report);
  return [];
}

async function publishPages(): Promise<CoreReport['laws']> {
  const runs = readCount('runs', values.runs ?? (values.quick ? '10000' : '1000000'));
  const of = { runs, tenants: values.quick ? 500 : 10_000, samples: values.quick ? 20 : 100 };
  const measured = await measurePages(servers, { ...plan, ...of, perSecond: 200 });
  const report: PagesReport = { machine: describeMachine(), ...measured };
  if (values.record) {
    await record('pages.json', report);
    await writeResults();
  }
  await print(renderPages(report), report);
  const slow = report.pages.filter(({ latency }) => latency.p99 > PAGE_LIMIT_MS);
  if (slow.length > 0) throw new Error(`too slow: ${slow.map(({ name }) => name).join(', ')}`);
  return [];
}

async function publishUsage(): Promise<CoreReport['laws']> {
  const entries = readCount('entries', values.entries ?? (values.quick ? '20000' : '20000000'));
  const of = { entries, tenants: 10_000, seconds: values.quick ? 2 : 15 };
  const measured = await measureUsage(servers, {
    ...plan,
    ...of,
    stays: values.postgres !== undefined,
  });
  const report: UsageReport = { machine: describeMachine(), ...measured };
  if (values.record) {
    await record('usage.json', report);
    await writeResults();
  }
  await print(renderUsage(report), report);
  return [];
}

/** The page of all runs that were recorded. */
async function writeResults(): Promise<void> {
  const core = await readRecorded<CoreReport>('core.json');
  if (core === null) return;
  const scale = await readRecorded<ScaleReport>('scale.json');
  const budgets = await readRecorded<BudgetsReport>('budgets.json');
  const api = await readRecorded<ApiReport>('api.json');
  const pages = await readRecorded<PagesReport>('pages.json');
  const usage = await readRecorded<UsageReport>('usage.json');
  await writeFile(beside('RESULTS.md'), renderResults({ core, scale, budgets, api, pages, usage }));
}

async function publishScale(): Promise<ScaleReport['laws']> {
  const measures = await runScale(servers, {
    ...plan,
    entries: readCount('entries', values.entries ?? '20000000'),
    tenants: 10_000,
    samples: 500,
    loadSeconds: readCount('load', values.load),
  });
  const report = { machine: describeMachine(), seconds: secondsSoFar(), ...measures };
  if (values.record) {
    await record('scale.json', report);
    await writeResults();
  }
  await print(renderScale(report), report);
  return report.laws;
}

async function measureCore(on: Servers): Promise<CoreReport> {
  await makeSource(on, plan);
  const measurements = await runRounds(on, CONTENDERS, plan);
  const rows = rowsOf(CONTENDERS, measurements);
  onProgress(`full load for ${loadSeconds} s`);
  const fullLoad = await probeLoad(on, { seconds: loadSeconds, perSecond: null });
  const packed = rows.find((row) => row.name === workerPacked.name)?.perSecond.median ?? 0;
  // A machine that does much else may show no rate at all in so short a time.
  const half = Math.max(100, Math.min(packed, fullLoad.perSecond) / 2);
  onProgress(`half load, ${Math.round(half)} events/s, for ${loadSeconds / 2} s`);
  const halfLoad = await probeLoad(on, { seconds: loadSeconds / 2, perSecond: half });
  const ledger = await measureOneMonth(on, ledgerPlan);
  onProgress('requests and dollars on SQS');
  const queueCost = await measureQueueCost();
  const stages = await runStages(on, plan);
  const laws = await runLaws(on, plan);
  return {
    machine: describeMachine(),
    mode: values.quick ? 'quick' : 'full',
    rounds: measurements.get(workerPacked.name)?.length ?? 0,
    seconds: secondsSoFar(),
    rows,
    fullLoad,
    halfLoad,
    ledger,
    queueCost,
    stages,
    laws,
  };
}

async function print(text: string, report: object): Promise<void> {
  const json = JSON.stringify(report);
  if (values.out !== undefined) await writeFile(values.out, `${json}\n`);
  if (!values.json) console.log(text);
  if (values.json || values.out === undefined) console.log(json);
}

function describeMachine(): Machine {
  return {
    cores: os.availableParallelism(),
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    system: `${os.type()} ${os.release()}`,
    memoryGib: Math.round(os.totalmem() / 2 ** 30),
    node: process.versions.node,
    postgres: servers.postgresVersion,
  };
}

/** In the form that `npm run check` asks of every JSON file, so that a recorded run can be committed. */
async function record(name: string, report: object): Promise<void> {
  await writeFile(beside(name), JSON.stringify(report));
  await promisify(execFile)('npx', ['biome', 'format', '--write', beside(name)]);
}

/** Null where no such run was recorded. */
async function readRecorded<Report>(name: string): Promise<Report | null> {
  const text = await readFile(beside(name), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as Report);
}

function readCount(option: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  console.error(`--${option}: "${text}" is not a whole number from 1 on`);
  process.exit(2);
}

function secondsSoFar(): number {
  return (performance.now() - startedAt) / 1000;
}

function elapsed(): string {
  return `${secondsSoFar().toFixed(1)} s`;
}

function beside(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
