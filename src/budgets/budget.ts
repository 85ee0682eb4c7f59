import type { InstantMs } from '../clock.ts';
import type { Pico } from '../money.ts';
import { formatPico } from '../money.ts';

/** A limit on what a tenant is charged or on the tokens that it uses, for all of its usage or a part. */
export interface Budget {
  readonly budgetId: bigint;
  readonly tenantId: string;
  readonly measure: Measure;
  /** A day of the tenant, its billing period (R16), each agent run, or all that comes once it is set. */
  readonly per: 'day' | 'month' | 'run' | 'once';
  /** It is null for all features. */
  readonly feature: string | null;
  readonly userId: string | null;
  readonly agentRunId: string | null;
  /** Further tags that a call has, all of them. */
  readonly tags: Readonly<Record<string, string>>;
  /** Picodollars, or tokens. */
  readonly limit: Pico;
  /** It is null for tokens. */
  readonly currency: string | null;
  /** A call that would pass a hard budget is denied; a soft one warns of it, and of a call of which nobody can tell that. */
  readonly isHard: boolean;
  /** What a caller does that cannot ask. */
  readonly onUnavailable: 'allow' | 'deny';
  /** Whether a call of a model without a price is denied. */
  readonly pricedOnly: boolean;
  /** Shares of the limit, in percent, at which somebody is told. */
  readonly thresholds: readonly number[];
  /** What becomes of the call that repeats a run's step once too often; null asks nothing of repetitions. */
  readonly loop: Loop | null;
}

interface Loop {
  readonly verdict: 'warn' | 'deny';
  /** So many calls in a row, each with more context than the one before, are a loop. */
  readonly steps: number;
}

export type Measure = 'money' | 'tokens';
type Verdict = 'allow' | 'warn' | 'deny';

/** How a budget stands before one call, in the time that the call falls into. */
export interface Standing {
  /** A day, the day on which a period begins, a run, or '' where the budget never begins anew. */
  readonly timeKey: string;
  readonly resetsAt: InstantMs | null;
  readonly spent: Pico;
  /** What other calls were promised that are not counted yet. */
  readonly held: Pico;
  /** What the call may come to, in the budget's measure; null where nobody can tell. */
  readonly estimate: Pico | null;
  /** Whether the budget bears the call. To reach the limit exactly is not to pass it. */
  readonly fits: boolean;
  /** The model has no price, and the budget denies such calls. */
  readonly isUnpriced: boolean;
}

export interface BudgetDecision {
  readonly budget: Budget;
  readonly standing: Standing;
  readonly verdict: Verdict;
  /** The call is one repetition too many. */
  readonly isLoop: boolean;
  /** Seconds after which the same call may be borne; null where it is borne now, or never. */
  readonly retryAfter: number | null;
}

/** Open holds give way as their events are counted, which happens every two seconds. */
const HOLDS_GIVE_WAY_SECONDS = 2;

/**
 * Returns the verdict of one budget over all the times that a call may fall into: the first that
 * does not bear it.
 */
export function decide(
  budget: Budget,
  standings: readonly [Standing, ...Standing[]],
  now: InstantMs,
): BudgetDecision {
  const standing = standings.find(({ fits, isUnpriced }) => isUnpriced || !fits) ?? standings[0];
  const bears = standing.fits ? 'allow' : budget.isHard ? 'deny' : 'warn';
  const verdict = standing.isUnpriced ? 'deny' : bears;
  const wait = retryAfter(budget, standing, now);
  return { budget, standing, verdict, isLoop: false, retryAfter: wait };
}

/** The same decision where the call would be so many steps in a row: a loop never gets better by waiting. */
export function withLoop(decision: BudgetDecision, steps: number): BudgetDecision {
  const { loop } = decision.budget;
  if (loop === null || steps < loop.steps || decision.verdict === 'deny') return decision;
  return { ...decision, verdict: loop.verdict, isLoop: true, retryAfter: null };
}

function retryAfter({ limit }: Budget, standing: Standing, now: InstantMs): number | null {
  const { fits, isUnpriced, spent, estimate, resetsAt } = standing;
  if (fits || isUnpriced || estimate === null || estimate > limit) return null;
  if (spent + estimate <= limit) return HOLDS_GIVE_WAY_SECONDS;
  return resetsAt === null ? null : Math.max(1, Math.ceil((resetsAt - now) / 1000));
}

/**
 * Returns the decision that decides: the first that denies, or else warns; null where every budget
 * allows.
 */
export function decisive(decisions: readonly BudgetDecision[]): BudgetDecision | null {
  const by = (verdict: Verdict) => decisions.find((decision) => decision.verdict === verdict);
  return by('deny') ?? by('warn') ?? null;
}

/** Formats a number in the budget's measure, as answers show it. */
export function formatMeasure(measure: Measure, value: Pico): string {
  return measure === 'money' ? formatPico(value) : value.toString();
}
