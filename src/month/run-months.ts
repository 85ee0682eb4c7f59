import { lastMonth, monthAfter } from '../clock.ts';
import type {
  MonthAnswer,
  MonthPlanAnswer,
  MonthsAnswer,
  MonthsPlanAnswer,
  MonthsRequest,
} from './month-answer.ts';
import type { MonthParts } from './month-step.ts';
import { isMonthOpen } from './open-month.ts';
import { planMonth } from './plan-month.ts';
import type { RunParts } from './run-month.ts';
import { runMonthAlone } from './start-month.ts';

/**
 * Runs a month; for a schedule, which says `last`, the one before this, in UTC, and first the one before that while something
 * of it is open. A period of a late anchor day ends on the last days of the month after its own, when the runs of its own
 * month are nearly over: so every period is gone on with for a month after its end. What keeps the earlier one from ending
 * does not keep the later one from being run.
 */
export async function runMonths(parts: RunParts, request: MonthsRequest): Promise<MonthsAnswer> {
  const { month, before } = await monthsOf(parts, request);
  const run = (each: string) => runMonthAlone(parts, { ...request, month: each });
  const first = await Promise.allSettled(before.map(run));
  const answer = await run(month);
  const earlier = first.map(answerOf);
  return { ...answer, done: [answer, ...earlier].every(({ done }) => done), earlier };
}

function answerOf(settled: PromiseSettledResult<MonthAnswer>): MonthAnswer {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

/** Tells what such a run would do, and changes nothing. */
export async function planMonths(
  parts: Parameters<typeof planMonth>[0],
  request: MonthsRequest,
): Promise<MonthsPlanAnswer> {
  const { month, before } = await monthsOf(parts, request);
  const earlier: MonthPlanAnswer[] = [];
  for (const each of before) earlier.push(await planMonth(parts, { ...request, month: each }));
  return { ...(await planMonth(parts, { ...request, month })), earlier };
}

interface Months {
  readonly month: string;
  /** The months before it that are run first: one at the most. */
  readonly before: readonly string[];
}

async function monthsOf(
  { database, clock }: Pick<MonthParts, 'database' | 'clock'>,
  { month: named }: MonthsRequest,
): Promise<Months> {
  if (named !== 'last') return { month: named, before: [] };
  const month = lastMonth(clock);
  const before = monthAfter(month, -1);
  return { month, before: (await isMonthOpen(database, before)) ? [before] : [] };
}
