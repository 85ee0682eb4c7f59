import { formatInstant, formatInstantOrNull, type InstantMs, parseInstant } from '../../clock.ts';
import { type Database, inSnapshot } from '../../database/database.ts';
import { foldBeforeReading } from '../../ledger/rollups/reading-folds.ts';
import { formatPico, type Pico } from '../../money.ts';
import { cutPage, readCursor } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { present } from '../../present.ts';
import { refuseUnknownTenant } from '../../tenants/asked-tenant.ts';
import { coverageOf } from '../coverage.ts';
import { readCoverage } from '../coverage-store.ts';
import { percentOf } from '../percent.ts';
import { type AgentRun, analyzeRun } from './agent-run.ts';
import { eachTellingRun, type PlainRuns, readPlainRuns } from './plain-run-store.ts';
import type { RunFigures } from './run-figures.ts';
import { costPerSuccess, figuresOf } from './run-figures.ts';
import { RunRanking } from './run-ranking.ts';
import { readCallsOutsideRuns } from './run-store.ts';
import type {
  RunGroup,
  RunsAnswer,
  RunsRequest,
  RunsRow,
  RunsTotal,
  RunTotals,
} from './runs-answer.ts';

/** What the rows of a report of runs are, and which of them stand first. */
export type RunsWay = Pick<RunsRequest, 'by' | 'order'>;

type ReportParts = Pick<Parts, 'database' | 'clock' | 'view' | 'folds'>;

/** Reports agent runs, and what each spent in failed and repeated attempts before its answer. */
export async function reportRuns(parts: ReportParts, request: RunsRequest): Promise<RunsAnswer> {
  const [answer] = await reportRunsInWays(parts, request, [request]);
  return present(answer, 'the answer of one way');
}

/** Reports the same runs in several ways, all of which the ledger is read once for. */
export async function reportRunsInWays(
  parts: ReportParts,
  request: Omit<RunsRequest, keyof RunsWay>,
  ways: readonly RunsWay[],
): Promise<readonly RunsAnswer[]> {
  const { database, clock, view = database } = parts;
  const { tenant_id: tenantId, month, from, to, limit, loop_steps } = request;
  const { before, asOf } = placeOf(request);
  await refuseUnknownTenant({ database, view }, tenantId);
  // Folding joins attempts, which makes corrections; none of now belong to what was known then.
  if (asOf === null) await foldBeforeReading(parts);
  const question = { tenantId, month, from, to, ...(asOf === null ? {} : { asOf }) };
  const most = before + limit + 1;
  const ranks = ways.map((way) => new RankedWay(way, most));
  const next = [formatInstant(asOf ?? clock()), String(before + limit)];
  await rank(view, ranks, { question, loopSteps: loop_steps, most });
  const coverage = coverageOf(await readCoverage(view, question));
  return ranks.map((ranked) => {
    const { rows, total, totals } = ranked.end();
    const page = cutPage(rows.slice(before), limit, () => next);
    return {
      by: ranked.by,
      as_of: formatInstantOrNull(asOf),
      loop_steps,
      rows: page.rows.map((row) => toRow(row, ranked.by)),
      next_cursor: page.next,
      totals: totals.map(toTotal),
      rows_in_all: total.rows,
      rows_with_waste: total.wastedRows,
      coverage,
    };
  });
}

/**
 * Returns how many rows stand before those that are asked for, and the instant of which all of them are. Each call changes
 * what its run came to, and so its place: pages of one instant neither repeat rows nor leave any out.
 */
function placeOf({ cursor, as_of: asOf }: Pick<RunsRequest, 'cursor' | 'as_of'>): {
  readonly before: number;
  readonly asOf: InstantMs | null;
} {
  const [at, before] = readCursor(cursor, ['instant', 'number']) ?? [];
  if (at === undefined || before === undefined) return { before: 0, asOf };
  return { before: Number(before), asOf: asOf ?? parseInstant(at) };
}

async function rank(
  database: Database,
  ranks: readonly RankedWay[],
  asked: Parameters<typeof readPlainRuns>[1],
): Promise<void> {
  // What is plain and what is not are two questions, and no run may change between them.
  await inSnapshot(database, async (transaction) => {
    const plain = await readPlainRuns(transaction, asked);
    for (const ranked of ranks) ranked.addPlain(plain);
    await eachTellingRun(transaction, asked, (run) => {
      const analyzed = analyzeRun(run, asked.loopSteps);
      for (const ranked of ranks) ranked.add(analyzed);
    });
  });
  for (const [by, those] of Map.groupBy(ranks, (ranked) => ranked.by)) {
    const outside = await readCallsOutsideRuns(database, asked.question, by);
    for (const ranked of those) ranked.addOutside(outside);
  }
}

/** The rows of one way, and what all of them come to. */
class RankedWay {
  readonly by: RunGroup;
  readonly #ranking: RunRanking;
  readonly #all = new RunRanking(Number.MAX_SAFE_INTEGER);

  constructor({ by, order }: RunsWay, limit: number) {
    this.by = by;
    this.#ranking = new RunRanking(limit, order);
  }

  add(run: AgentRun): void {
    // By feature a run may have a part in several rows, and it is one run all the same.
    for (const figures of figuresOf(run, 'run')) this.#count(figures);
    for (const figures of figuresOf(run, this.by)) {
      if (this.by === 'run') this.#ranking.append(figures);
      else this.#ranking.merge(figures);
    }
  }

  addPlain({ count, sums, first }: PlainRuns): void {
    sums.forEach((figures) => {
      this.#count(figures);
    });
    if (this.by === 'run') {
      for (const figures of first) this.#ranking.append(figures);
      this.#ranking.countOthers(count - first.length);
      return;
    }
    for (const figures of sums) {
      const named = this.by === 'feature' ? { tenantId: null } : { name: figures.tenantId };
      this.#ranking.merge({ ...figures, ...named });
    }
  }

  addOutside(rows: readonly RunFigures[]): void {
    for (const figures of rows) {
      this.#count(figures);
      this.#ranking.merge(figures);
    }
  }

  end(): ReturnType<RunRanking['end']> & { readonly totals: readonly RunFigures[] } {
    const totals = this.#all.end().rows.toSorted((a, b) => (a.currency < b.currency ? -1 : 1));
    return { ...this.#ranking.end(), totals };
  }

  #count(figures: RunFigures): void {
    this.#all.merge({ ...figures, tenantId: null, name: null });
  }
}

function toRow(row: RunFigures, by: RunGroup): RunsRow {
  return {
    ...(by === 'feature' ? {} : { tenant: row.tenantId }),
    ...(by === 'tenant' ? {} : { [by]: row.name }),
    ...toTotal(row),
  };
}

function toTotal(row: RunFigures): RunsTotal {
  const perSuccess = costPerSuccess(row);
  return {
    ...totalsOf(row),
    runs: row.runs,
    succeeded: row.succeeded,
    loop_steps: row.loopSteps,
    cost_failed: known(row.costBefore.failed, row.wastedUncosted),
    cost_superseded: known(row.costBefore.superseded, row.wastedUncosted),
    cost_repeated: known(row.costBefore.repeated, row.wastedUncosted),
    cost_per_success: perSuccess === null ? null : formatPico(perSuccess),
  };
}

/** Returns the figures that a row of the report and a single run have in common. */
export function totalsOf(row: RunFigures): RunTotals {
  return {
    currency: row.currency,
    calls: row.calls,
    failed: row.failed,
    later_attempts: row.laterAttempts,
    loops: row.loops,
    calls_without_cost_rate: row.uncosted,
    calls_without_price: row.uncharged,
    charge: formatPico(row.charge - row.notDue),
    not_due: formatPico(row.notDue),
    cost: known(row.cost, row.uncosted),
    known_cost: formatPico(row.cost),
    charge_before_answer: formatPico(row.wastedCharge),
    cost_before_answer: known(row.wastedCost, row.wastedUncosted),
    share_before_answer: row.uncosted > 0 ? null : percentOf(row.wastedCost, row.cost),
  };
}

/** A sum of which a part is unknown is unknown (R10). */
function known(amount: Pico, uncosted: number): string | null {
  return uncosted === 0 ? formatPico(amount) : null;
}
