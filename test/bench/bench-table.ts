import type { LawReport } from '../../src/audit/laws/law.ts';
import type { Measurements, StageReport } from './bench-rounds.ts';
import { ratePerSecond } from './bench-rounds.ts';
import type { Contender } from './contender.ts';
import type { LedgerReport } from './large-ledger.ts';
import type { LoadReport } from './load-probe.ts';
import type {
  CoreReport,
  GrowthPoint,
  LedgerPoint,
  Machine,
  Row,
  ScaleReport,
  VerifyPoint,
} from './report.ts';
import { quantile, type Spread, spread } from './spread.ts';
import { STAGES } from './stages.ts';
import type { TargetRow } from './targets.ts';
import { workerPacked } from './worker-packed.ts';

export function rowsOf(
  contenders: readonly Contender[],
  measurements: Measurements,
): readonly Row[] {
  const worker = rates(measurements, workerPacked.name);
  return contenders.map(({ name, includes }) => {
    const measured = measurements.get(name) ?? [];
    const perSecond = rates(measurements, name);
    return {
      name,
      includes,
      events: measured[0]?.events ?? 0,
      perSecond: spread(perSecond),
      cpuMicros: quantile(
        measured.map(({ cpuMs, timedEvents }) => (cpuMs * 1000) / timedEvents),
        0.5,
      ),
      ofWorker: spread(quotients(perSecond, worker)),
    };
  });
}

function rates(measurements: Measurements, name: string): readonly number[] {
  return (measurements.get(name) ?? []).map(ratePerSecond);
}

export function quotients(
  dividends: readonly number[],
  divisors: readonly number[],
): readonly number[] {
  return dividends.map((dividend, round) => dividend / (divisors[round] ?? Number.NaN));
}

export function renderTargets(rows: readonly TargetRow[]): string {
  return renderTable(
    ['target', 'at least / at most', 'stretch', 'measured', ''],
    rows.map((row) => [row.figure, row.target, row.stretch, row.measured, row.verdict]),
  );
}

/** The report as text; Markdown's tables are as readable in a terminal as any. */
export function renderCore(report: CoreReport): string {
  const { mode, rounds, seconds, machine } = report;
  return [
    `${mode} run, ${rounds} rounds, ${Math.round(seconds)} s; ${describeMachine(machine)}`,
    renderTable(
      ['way', 'events', 'events/s', 'min–max', 'CPU µs/event', 'of packed worker', 'min–max'],
      report.rows.map((row) => [
        row.name,
        whole(row.events),
        whole(row.perSecond.median),
        range(row.perSecond, whole),
        row.cpuMicros.toFixed(1),
        row.ofWorker.median.toFixed(2),
        range(row.ofWorker, (value) => value.toFixed(2)),
      ]),
    ),
    renderLoads([
      ['full load', report.fullLoad],
      ['half load', report.halfLoad],
    ]),
    renderLedgers([['one month', report.ledger]]),
    renderStages(report.stages),
    `${describeLaws(report.laws)} After packed messages and after one event a message.`,
  ].join('\n\n');
}

export function renderScale(report: ScaleReport): string {
  const { seconds, entries, tenants, gibibytes } = report;
  return [
    `scale run, ${Math.round(seconds)} s: ${whole(entries)} entries of ${whole(tenants)} tenants, ${gibibytes.toFixed(1)} GiB; ${describeMachine(report.machine)}`,
    renderLedgers([
      ['first month, alone in the ledger', report.alone],
      [`second month, among ${whole(entries)} entries`, report.among],
    ]),
    renderLedgerPoints(report.ledger),
    renderGrowth('processes', report.processes),
    renderGrowth('tenants', report.tenantCounts),
    renderGrowth('members (figures of entries)', report.memberCounts),
    renderLoads([['full load', report.longLoad]]),
    `${describeLaws(report.laws)} In full, ${describeVerify(report.verifyFull)}; incremental, as each hour, ${describeVerify(report.verifyIncremental)}.`,
  ].join('\n\n');
}

function describeVerify({ entries, seconds }: VerifyPoint): string {
  return `${whole(entries)} entries in ${seconds.toFixed(1)} s`;
}

export function describeMachine(machine: Machine): string {
  const { cores, cpu, system, memoryGib, node, postgres } = machine;
  return `${cores} cores (${cpu}), ${memoryGib} GiB, ${system}, Node ${node}, PostgreSQL ${postgres}; queue server, clients and Postgres share the cores.`;
}

function renderLoads(loads: readonly (readonly [string, LoadReport])[]): string {
  return renderTable(
    [
      'load',
      'for',
      'events/s',
      'queue to entry p50',
      'p99',
      'memory at first',
      'at last',
      'most',
      'rollups behind, most',
      'seals',
    ],
    loads.map(([name, load]) => [
      name,
      `${load.seconds} s`,
      whole(load.perSecond),
      `${whole(load.latency.p50)} ms`,
      `${whole(load.latency.p99)} ms`,
      `${whole(load.memory[0] ?? Number.NaN)} MiB`,
      `${whole(load.memory.at(-1) ?? Number.NaN)} MiB`,
      `${whole(Math.max(...load.memory))} MiB`,
      `${whole(load.foldsBehind.max)} ms`,
      `${whole(load.sealsBehind.max)} ms`,
    ]),
  );
}

function renderLedgers(ledgers: readonly (readonly [string, LedgerReport])[]): string {
  return renderTable(
    [
      'ledger',
      'tenants closed',
      'their entries',
      'close',
      'its memory',
      'statement p50',
      'p99',
      'audit event p50',
      'p99',
    ],
    ledgers.map(([name, { close, statement, audit }]) => [
      name,
      whole(close.tenants),
      whole(close.entries),
      `${close.seconds.toFixed(1)} s`,
      `${whole(close.memory)} MiB`,
      ...[statement.p50, statement.p99, audit.p50, audit.p99].map((ms) => `${ms.toFixed(1)} ms`),
    ]),
  );
}

function renderLedgerPoints(points: readonly LedgerPoint[]): string {
  return renderTable(
    ['entries there already', 'events/s, random ids', 'of the empty ledger', 'min–max'],
    points.map(({ entries, perSecond, ofEmpty }) => [
      whole(entries),
      whole(perSecond.median),
      ofEmpty.median.toFixed(2),
      range(ofEmpty, (value) => value.toFixed(2)),
    ]),
  );
}

function renderGrowth(what: string, points: readonly GrowthPoint[]): string {
  return renderTable(
    [what, 'a second', 'min–max', 'CPU µs each'],
    points.map(({ name, perSecond, cpuMicros }) => [
      name,
      whole(perSecond.median),
      range(perSecond, whole),
      cpuMicros.toFixed(1),
    ]),
  );
}

function renderStages(stages: StageReport): string {
  const micros = (value: number) => value.toFixed(1);
  return renderTable(
    ['stage, µs/event', 'packed', 'of it CPU here', 'one a message', 'of it CPU here'],
    STAGES.map((stage) => {
      const { packed, single } = { packed: stages.packed[stage], single: stages.single[stage] };
      return [stage, ...[packed.wall, packed.cpu, single.wall, single.cpu].map(micros)];
    }),
  );
}

function describeLaws(laws: readonly LawReport[]): string {
  const broken = laws.filter((law) => law.violations.length > 0);
  if (broken.length > 0) {
    return broken.map((law) => `law ${law.law} BROKEN: ${law.violations.join('; ')}`).join('\n');
  }
  const numbers = [...new Set(laws.map((law) => law.law))].sort((a, b) => a - b).join(', ');
  return `verify: laws ${numbers} hold.`;
}

export function renderTable(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(...[title, ...body.map((row) => row[column] ?? '')].map((cell) => cell.length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(Math.max(1, width - 1))}:`,
  );
  return [line(head), line(rule), ...body.map(line)].join('\n');
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

function range(figures: Spread, show: (value: number) => string): string {
  return `${show(figures.min)}–${show(figures.max)}`;
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
