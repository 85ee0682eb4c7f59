import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Plan } from './bench-rounds.ts';
import { runLaws, runRounds, runStages } from './bench-rounds.ts';
import type { Servers } from './bench-servers.ts';
import { startServers } from './bench-servers.ts';
import type { Report } from './bench-table.ts';
import { ratiosOf, renderReport, rowsOf } from './bench-table.ts';
import { renderResults } from './results-page.ts';
import { renderStageChart } from './stage-chart.ts';

/**
 * `npm run bench`: the table and the JSON on stdout, progress on stderr.
 *   --quick      smaller, under two minutes
 *   --rounds N   5, with --quick 3
 *   --json       the JSON alone on stdout
 *   --out FILE   the JSON into a file, the table alone on stdout
 *   --chart FILE the SVG of the cost by stage
 *   --record     this run becomes RESULTS.md and stages.svg beside this file
 */
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    json: { type: 'boolean', default: false },
    out: { type: 'string' },
    chart: { type: 'string' },
    record: { type: 'boolean', default: false },
  },
});

const FULL = { packed: 60_000, single: 10_000, insert: 6_000, usual: 2_500 };
const QUICK = { packed: 12_000, single: 1_500, insert: 1_000, usual: 300 };

const plan: Plan = {
  rounds: readRounds(values.rounds ?? (values.quick ? '3' : '5')),
  sizes: values.quick ? QUICK : FULL,
  onProgress: (text) => console.error(text),
};
// Ends the children as well: their channel to us closes.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

const servers = await startServers();
try {
  const report = await measure(servers);
  await publish(report);
  const broken = report.laws.some((law) => law.violations.length > 0);
  process.exitCode = broken ? 1 : 0;
} finally {
  await servers.stop();
}

async function measure(on: Servers): Promise<Report> {
  const startedAt = performance.now();
  const measurements = await runRounds(on, plan);
  const stages = await runStages(on, plan);
  const laws = await runLaws(on, plan);
  const rows = rowsOf(measurements);
  return {
    machine: describeMachine(on.postgresVersion),
    mode: values.quick ? 'quick' : 'full',
    rounds: plan.rounds,
    seconds: (performance.now() - startedAt) / 1000,
    rows,
    ratios: ratiosOf(measurements, rows),
    stages,
    laws,
  };
}

async function publish(report: Report): Promise<void> {
  const json = JSON.stringify(report);
  const chart = renderStageChart(report.stages);
  if (values.out !== undefined) await writeFile(values.out, `${json}\n`);
  if (values.chart !== undefined) await writeFile(values.chart, chart);
  if (values.record) {
    await writeFile(beside('RESULTS.md'), renderResults(report));
    await writeFile(beside('stages.svg'), chart);
  }
  if (!values.json) console.log(renderReport(report));
  if (values.json || values.out === undefined) console.log(json);
}

function describeMachine(postgres: string): Report['machine'] {
  return {
    cores: os.availableParallelism(),
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    system: `${os.type()} ${os.release()}`,
    memoryGib: Math.round(os.totalmem() / 2 ** 30),
    node: process.versions.node,
    postgres,
  };
}

function readRounds(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1) return rounds;
  console.error(`--rounds: "${text}" is not a whole number from 1 on`);
  process.exit(2);
}

function beside(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
