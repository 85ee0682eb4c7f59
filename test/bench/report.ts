import type { LawReport } from '../../src/audit/laws/law.ts';
import type { StageReport } from './bench-rounds.ts';
import type { LedgerReport } from './large-ledger.ts';
import type { LoadReport } from './load-probe.ts';
import type { QueueCost } from './queue-cost.ts';
import type { Spread } from './spread.ts';

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly system: string;
  readonly memoryGib: number;
  readonly node: string;
  readonly postgres: string;
}

/** One contender's rounds. */
export interface Row {
  readonly name: string;
  readonly includes: string;
  readonly events: number;
  readonly perSecond: Spread;
  /** Of the client processes; microseconds an event, the median of the rounds. */
  readonly cpuMicros: number;
  /** This one's rate over the packed worker's, round by round; the median and spread of those. */
  readonly ofWorker: Spread;
}

/** What `npm run bench` measures. */
export interface CoreReport {
  readonly machine: Machine;
  readonly mode: 'full' | 'quick';
  readonly rounds: number;
  readonly seconds: number;
  readonly rows: readonly Row[];
  readonly fullLoad: LoadReport;
  readonly halfLoad: LoadReport;
  readonly ledger: LedgerReport;
  readonly queueCost: readonly QueueCost[];
  readonly stages: StageReport;
  readonly laws: readonly LawReport[];
}

/** A rate at one size of whatever grows. */
export interface GrowthPoint {
  readonly name: string;
  readonly perSecond: Spread;
  /** Of the worker's processes, microseconds an event, or an entry where a call has members. */
  readonly cpuMicros: number;
}

/** The worker on a ledger that holds so many entries, over its rate on an empty one. */
export interface LedgerPoint {
  readonly entries: number;
  readonly perSecond: Spread;
  readonly ofEmpty: Spread;
}

/** One run of every law, over so many entries. */
export interface VerifyPoint {
  readonly entries: number;
  readonly seconds: number;
}

/** What `npm run bench -- --scale` measures. */
export interface ScaleReport {
  readonly machine: Machine;
  readonly seconds: number;
  readonly tenants: number;
  readonly entries: number;
  readonly gibibytes: number;
  /** The first month, closed when nothing else is in the ledger. */
  readonly alone: LedgerReport;
  /** The second month, closed among all entries. */
  readonly among: LedgerReport;
  readonly ledger: readonly LedgerPoint[];
  readonly processes: readonly GrowthPoint[];
  readonly tenantCounts: readonly GrowthPoint[];
  readonly memberCounts: readonly GrowthPoint[];
  readonly longLoad: LoadReport;
  /** Of everything, and then of about what an hour brings to so large a ledger. */
  readonly verifyFull: VerifyPoint;
  readonly verifyIncremental: VerifyPoint;
  readonly laws: readonly LawReport[];
}
