import type { Behind, LoadReport } from './load-probe.ts';
import type { CoreReport, Row, ScaleReport } from './report.ts';
import type { Spread } from './spread.ts';
import { quantile } from './spread.ts';
import { twoWorkers } from './worker-many.ts';
import { MIXED } from './worker-mixed.ts';
import { workerPacked } from './worker-packed.ts';
import { workerSingle } from './worker-single.ts';

/** One target beside what was measured. */
export interface TargetRow {
  readonly figure: string;
  readonly target: string;
  readonly stretch: string;
  readonly measured: string;
  /** A target that was tried at less than its own size is not met by that. */
  readonly verdict: 'met' | 'stretch met' | 'missed' | 'not measured' | 'held, at a smaller size';
}

interface Target {
  readonly figure: string;
  readonly target: number;
  readonly stretch: number | null;
  /** Whether a smaller figure is the better one. */
  readonly isLimit: boolean;
  readonly show: (value: number) => string;
}

/** Null where nothing was measured. */
interface Figure {
  readonly value: number;
  /** What belongs beside the figure, such as its spread. */
  readonly note: string;
  /** The target speaks of more entries, or of a longer time. */
  readonly isSmaller?: boolean;
}

/** What the targets speak of. */
const TARGET_SIZE = { closedEntries: 5_000_000, entries: 20_000_000, loadSeconds: 600 };

const ratio = (value: number) => value.toFixed(2);
const rate = (value: number) => `${Math.round(value).toLocaleString('en-US')}/s`;
const millis = (value: number) => `${Math.round(value)} ms`;
const seconds = (value: number) => `${value.toFixed(1)} s`;
const dollars = (value: number) => `$${value.toFixed(4)}`;
const mebibytes = (value: number) => `${Math.round(value)} MiB`;

export function targetRows(core: CoreReport, scale: ScaleReport | null): readonly TargetRow[] {
  return [...hotPathTargets(core), ...loadTargets(core, scale), ...ledgerTargets(core, scale)];
}

function hotPathTargets({ rows }: CoreReport): readonly TargetRow[] {
  const packed = rowOf(rows, workerPacked.name);
  const copies = rows.filter((row) => row.name.startsWith('plain COPY'));
  const best = copies.reduce((a, b) => (b.perSecond.median > a.perSecond.median ? b : a));
  const received = rowOf(rows, 'receive and delete only, one event a message');
  const over = (row: Row) => inverse(row.ofWorker);
  const least = (figure: string, target: number, stretch: number | null): Target => ({
    figure,
    target,
    stretch,
    isLimit: false,
    show: ratio,
  });
  return [
    judge(
      least('packed worker ÷ plain COPY at its best number of connections', 0.25, 0.4),
      over(best),
    ),
    judge(
      {
        figure: 'packed worker',
        target: 25_000,
        stretch: 50_000,
        isLimit: false,
        show: rate,
      },
      withSpread(packed.perSecond, rate),
    ),
    judge(least('packed worker ÷ the usual way', 10, 20), over(rowOf(rows, 'the usual way'))),
    judge(
      least('one event a message ÷ receive and delete only', 0.7, 0.9),
      quotient(rowOf(rows, workerSingle.name), received),
    ),
    ...MIXED.map(({ name }) =>
      judge(
        least(`${name.replace('worker, packed, ', '')} ÷ clean`, 0.75, 0.9),
        withSpread(rowOf(rows, name).ofWorker, ratio),
      ),
    ),
    judge(
      least('two worker processes ÷ one', 1.3, null),
      withSpread(rowOf(rows, twoWorkers.name).ofWorker, ratio),
    ),
  ];
}

function loadTargets(core: CoreReport, scale: ScaleReport | null): readonly TargetRow[] {
  const limit = { isLimit: true } as const;
  const long = scale?.longLoad ?? core.fullLoad;
  const { fullLoad, halfLoad } = core;
  return [
    judge(
      {
        ...limit,
        figure: 'queue to billable entry at half load, p99',
        target: 1000,
        stretch: 250,
        show: millis,
      },
      {
        value: halfLoad.latency.p99,
        note: `p50 ${millis(halfLoad.latency.p50)}, at ${rate(halfLoad.perSecond)}`,
      },
    ),
    judge(
      {
        ...limit,
        figure: "worker's memory at full load, most",
        target: 256,
        stretch: null,
        show: mebibytes,
      },
      {
        value: Math.max(...long.memory),
        note: `over ${long.seconds} s`,
        isSmaller: long.seconds < TARGET_SIZE.loadSeconds,
      },
    ),
    judge(
      {
        ...limit,
        figure: "worker's memory, last third ÷ first third",
        target: 1.05,
        stretch: null,
        show: ratio,
      },
      {
        value: growthOf(long),
        note: `over ${long.seconds} s`,
        isSmaller: long.seconds < TARGET_SIZE.loadSeconds,
      },
    ),
    judge(
      {
        ...limit,
        figure: 'SQS, a million events sent by our client at full rate',
        target: 0.02,
        stretch: 0.005,
        show: dollars,
      },
      {
        value: core.queueCost[0]?.dollarsPerMillion ?? Number.NaN,
        note: core.queueCost[0]?.name ?? '',
      },
    ),
    judgeBehind('rollups', fullLoad, fullLoad.foldsBehind),
    judgeBehind('seals', fullLoad, fullLoad.sealsBehind),
  ];
}

function judgeBehind(what: string, load: LoadReport, { p50, max }: Behind): TargetRow {
  const figure = `${what} behind the hot path at full load, most`;
  return judge(
    { figure, target: 5000, stretch: 1000, isLimit: true, show: millis },
    { value: max, note: `half the time at most ${millis(p50)}, at ${rate(load.perSecond)}` },
  );
}

function ledgerTargets(core: CoreReport, scale: ScaleReport | null): readonly TargetRow[] {
  const { ledger } = core;
  const { close } = scale?.alone ?? ledger;
  const { statement } = scale?.among ?? ledger;
  const size = scale?.entries ?? ledger.close.entries;
  const most = scale?.ledger.at(-1) ?? null;
  return [
    judge(
      {
        figure: 'random ids into a large ledger ÷ into an empty one',
        target: 0.7,
        stretch: 0.85,
        isLimit: false,
        show: ratio,
      },
      most === null
        ? null
        : {
            value: most.ofEmpty.median,
            note: `${range(most.ofEmpty, ratio)}, ${count(most.entries)} entries`,
            isSmaller: most.entries < TARGET_SIZE.entries,
          },
    ),
    judge(
      {
        figure: 'close of 10,000 tenants',
        target: 120,
        stretch: 30,
        isLimit: true,
        show: seconds,
      },
      {
        value: close.seconds,
        note: `${count(close.tenants)} tenants, ${count(close.entries)} entries`,
        isSmaller: close.entries < TARGET_SIZE.closedEntries,
      },
    ),
    judge(
      {
        figure: "a tenant's statement, p99",
        target: 200,
        stretch: 50,
        isLimit: true,
        show: millis,
      },
      {
        value: statement.p99,
        note: `p50 ${millis(statement.p50)}, ${count(size)} entries in the ledger`,
        isSmaller: size < TARGET_SIZE.entries,
      },
    ),
  ];
}

function judge(target: Target, figure: Figure | null): TargetRow {
  const sign = target.isLimit ? '≤' : '≥';
  const holds = (bound: number | null) =>
    figure !== null &&
    bound !== null &&
    (target.isLimit ? figure.value <= bound : figure.value >= bound);
  return {
    figure: target.figure,
    target: `${sign} ${target.show(target.target)}`,
    stretch: target.stretch === null ? '' : target.show(target.stretch),
    measured:
      figure === null ? 'only with --scale' : `${target.show(figure.value)} (${figure.note})`,
    verdict: verdictOf(figure, { target: holds(target.target), stretch: holds(target.stretch) }),
  };
}

function verdictOf(
  figure: Figure | null,
  holds: { readonly target: boolean; readonly stretch: boolean },
): TargetRow['verdict'] {
  if (figure === null) return 'not measured';
  if (holds.target && figure.isSmaller === true) return 'held, at a smaller size';
  if (holds.stretch) return 'stretch met';
  return holds.target ? 'met' : 'missed';
}

function rowOf(rows: readonly Row[], name: string): Row {
  const row = rows.find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`no row is called ${name}`);
  return row;
}

function withSpread(figures: Spread, show: (value: number) => string): Figure {
  return { value: figures.median, note: range(figures, show) };
}

function range(figures: Spread, show: (value: number) => string): string {
  return `${show(figures.min)}–${show(figures.max)}`;
}

/** The worker over this row, of this row over the worker. */
function inverse({ median, min, max }: Spread): Figure {
  return withSpread({ median: 1 / median, min: 1 / max, max: 1 / min }, ratio);
}

function quotient(a: Row, b: Row): Figure {
  return {
    value: a.perSecond.median / b.perSecond.median,
    note: `${rate(a.perSecond.median)} of ${rate(b.perSecond.median)}`,
  };
}

function growthOf({ memory }: LoadReport): number {
  const third = Math.max(1, Math.floor(memory.length / 3));
  return quantile(memory.slice(-third), 0.5) / quantile(memory.slice(0, third), 0.5);
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
