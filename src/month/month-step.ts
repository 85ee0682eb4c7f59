import type { ProgressPart } from '../parts.ts';
import { periodKey } from '../periods/period-key.ts';
import type { Remedy } from '../remedy.ts';
import type { StripeParts } from '../stripe/stripe-parts.ts';
import { andMore } from '../text/counted.ts';
import type { MonthRequest, StepAnswer } from './month-answer.ts';

export interface MonthParts extends StripeParts, ProgressPart {
  /** The door's words for what to do about a step that was refused. */
  readonly phrase: (remedy: Remedy) => string;
  /**
   * The periods, by `periodKey`, of which a step of this run has said why they are not told, so that no later
   * step says it again by what follows from it. What is wrong with another period of the same tenant is said.
   */
  readonly untold: Set<string>;
  /** The tenants of which the check has said that they have no customer: it knows no periods yet. */
  readonly unlinked: Set<string>;
  /** Whether the laws are checked without the schema, for whoever knows that it is what the migrations make. */
  readonly withoutSchema?: boolean;
}

/** One step of the month. It may be repeated: what it did before it finds done. */
export type MonthStep = (parts: MonthParts, request: MonthRequest) => Promise<StepOutcome>;

export interface StepOutcome extends Pick<StepAnswer, 'state' | 'detail'> {
  /** What is so now and need not be at the next run: said after the detail, and not kept. */
  readonly forNow?: string;
  /** Whether the step was refused as a whole, so that it has looked at no tenant. */
  readonly isRefused?: boolean;
  /** Whether Stripe fails whoever asks, so that no later step of the run asks it anything. */
  readonly isStripeAway?: boolean;
}

/** Returns the key in `untold` of a row that an answer has. */
export function keyOfRow(row: {
  readonly tenant_id: string | null;
  readonly period_start: string | null;
}): string {
  return periodKey({ tenantId: row.tenant_id ?? '', periodStart: row.period_start ?? '' });
}

export function done(detail: string): StepOutcome {
  return { state: 'done', detail };
}

export function outcomeOf(
  summary: string,
  of: { readonly wrong: readonly string[]; readonly unfinished: readonly string[] },
): StepOutcome {
  const all = [...of.wrong, ...of.unfinished];
  if (all.length === 0) return done(summary);
  const detail = `${summary}; ${named(all)}`;
  return { state: of.wrong.length > 0 ? 'wrong' : 'unfinished', detail };
}

/** A message names a few; the step's own command lists them all. */
const MOST_NAMED = 10;

export function named(faults: readonly string[]): string {
  return andMore(faults.slice(0, MOST_NAMED), faults.length, '; and ');
}
