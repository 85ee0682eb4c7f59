import type { LawReport } from '../../src/audit/law.ts';
import type { Measurements, StageReport } from './bench-rounds.ts';
import { CONTENDERS } from './contenders.ts';
import { STAGES } from './stages.ts';
import { workerPacked } from './worker-packed.ts';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Row {
  readonly name: string;
  readonly includes: string;
  readonly events: number;
  readonly perSecond: Spread;
  /** Of the client process; microseconds an event, the median of the rounds. */
  readonly cpuMicros: number;
  /** This one's rate over the packed worker's, round by round; the median and spread of those. */
  readonly ofWorker: Spread;
}

export interface Ratio {
  readonly name: string;
  readonly ratio: Spread;
}

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly system: string;
  readonly memoryGib: number;
  readonly node: string;
  readonly postgres: string;
}

export interface Report {
  readonly machine: Machine;
  readonly mode: 'full' | 'quick';
  readonly rounds: number;
  readonly seconds: number;
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
  readonly stages: StageReport;
  readonly laws: readonly LawReport[];
}

export function rowsOf(measurements: Measurements): readonly Row[] {
  const worker = rates(measurements, workerPacked.name);
  return CONTENDERS.map(({ name, includes }) => {
    const measured = measurements.get(name) ?? [];
    const perSecond = rates(measurements, name);
    return {
      name,
      includes,
      events: measured[0]?.events ?? 0,
      perSecond: spread(perSecond),
      cpuMicros: spread(measured.map(({ cpuMs, timedEvents }) => (cpuMs * 1000) / timedEvents))
        .median,
      ofWorker: spread(quotients(perSecond, worker)),
    };
  });
}

/** The ratios that say what the design gains; where a way has several connections, its best counts. */
export function ratiosOf(measurements: Measurements, rows: readonly Row[]): readonly Ratio[] {
  const best = (prefix: string) =>
    rows
      .filter((row) => row.name.startsWith(prefix))
      .reduce((a, b) => (b.perSecond.median > a.perSecond.median ? b : a)).name;
  const against = (names: readonly string[]) =>
    names.map((name) => ({
      name: `worker, packed : ${name}`,
      ratio: spread(quotients(rates(measurements, workerPacked.name), rates(measurements, name))),
    }));
  return against([
    best('plain COPY'),
    best('INSERT an event'),
    'INSERT an event, 1 connection',
    'the usual way',
    'worker, one event a message',
  ]);
}

function rates(measurements: Measurements, name: string): readonly number[] {
  return (measurements.get(name) ?? []).map((one) => (one.timedEvents / one.elapsedMs) * 1000);
}

function quotients(dividends: readonly number[], divisors: readonly number[]): readonly number[] {
  return dividends.map((dividend, round) => dividend / (divisors[round] ?? Number.NaN));
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const low = sorted[Math.floor(middle)] ?? Number.NaN;
  const high = sorted[Math.ceil(middle)] ?? Number.NaN;
  return {
    median: (low + high) / 2,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
  };
}

/** The report as text; Markdown's tables are as readable in a terminal as any. */
export function renderReport(report: Report): string {
  return [
    describeRun(report),
    renderTable(
      ['way', 'events', 'events/s', 'min–max', 'CPU µs/event', 'of packed worker'],
      report.rows.map((row) => [
        row.name,
        whole(row.events),
        whole(row.perSecond.median),
        `${whole(row.perSecond.min)}–${whole(row.perSecond.max)}`,
        row.cpuMicros.toFixed(1),
        row.ofWorker.median.toFixed(2),
      ]),
    ),
    renderTable(
      ['ratio', 'median', 'min–max'],
      report.ratios.map(({ name, ratio }) => [
        name,
        ratio.median.toFixed(2),
        `${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}`,
      ]),
    ),
    renderStages(report.stages),
    describeLaws(report.laws),
  ].join('\n\n');
}

function describeRun({ machine, mode, rounds, seconds }: Report): string {
  const { cores, cpu, system, memoryGib, node, postgres } = machine;
  return `${mode} run, ${rounds} rounds, ${Math.round(seconds)} s; ${cores} cores (${cpu}), ${memoryGib} GiB, ${system}, Node ${node}, PostgreSQL ${postgres}; queue server, clients and Postgres share the cores.`;
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

export function describeLaws(laws: readonly LawReport[]): string {
  const broken = laws.filter((law) => law.violations.length > 0);
  if (broken.length > 0) {
    return broken.map((law) => `law ${law.law} BROKEN: ${law.violations.join('; ')}`).join('\n');
  }
  const numbers = [...new Set(laws.map((law) => law.law))].sort((a, b) => a - b).join(', ');
  return `verify: laws ${numbers} hold, after packed messages and after one event a message.`;
}

function renderTable(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(...[title, ...body.map((row) => row[column] ?? '')].map((cell) => cell.length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...body.map(line)].join('\n');
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
