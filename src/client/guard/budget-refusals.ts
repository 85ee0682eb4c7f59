import type { BudgetDecisionSaid, ReserveProblem, ReserveSaid } from './budget-door.ts';

/** A budget denies a call, before it is made. Amounts are decimal strings, as the server gives them. */
export class BudgetExceeded extends Error {
  override readonly name = 'BudgetExceeded';
  readonly verdict = 'deny';
  /** The budget that denies. */
  readonly budgetId: string | null;
  readonly per: string | null;
  readonly measure: string | null;
  readonly limit: string | null;
  readonly spent: string | null;
  readonly held: string | null;
  readonly left: string | null;
  readonly currency: string | null;
  /** When the budget starts again, RFC 3339; null where it never does. */
  readonly resetsAt: string | null;
  /** Seconds after which the same call may be borne; null where it never is. */
  readonly retryAfter: number | null;
  /** `limit`, `unpriced` or `loop`, or what the server has learnt to say since. */
  readonly because: string | null;
  /** What the call was estimated at. */
  readonly estimate: string | null;
  /** The whole answer, with every budget that concerns the call. */
  readonly answer: ReserveSaid;

  constructor(answer: ReserveSaid) {
    const budget = answer.budgets.find(({ budget_id }) => budget_id === answer.decided_by) ?? null;
    super(wordsOf(answer, budget));
    this.answer = answer;
    this.budgetId = answer.decided_by;
    this.per = budget?.per ?? null;
    this.measure = budget?.measure ?? null;
    this.limit = budget?.limit ?? null;
    this.spent = budget?.spent ?? null;
    this.held = budget?.held ?? null;
    this.left = budget?.left ?? null;
    this.currency = budget?.currency ?? null;
    this.resetsAt = budget?.resets_at ?? null;
    this.retryAfter = answer.retry_after;
    this.because = budget?.because ?? null;
    this.estimate = answer.estimate;
  }
}

/** Nobody can be asked whether a budget bears the call, and its budget says to deny it then. */
export class BudgetUnavailable extends Error {
  override readonly name = 'BudgetUnavailable';

  constructor(tenantId: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      `nobody can be asked whether a budget of tenant "${tenantId}" bears this call (${why}), and it is to be denied then; ` +
        'make it again when the server answers, or set the budget to allow calls meanwhile',
      { cause },
    );
  }
}

/**
 * The server was asked whether a budget bears the call, and nothing can be held for such a call, as for one whose model has
 * no price under a hard budget, or of a tenant that the key may not name. No policy for an outage concerns it, but for the first call of
 * a tenant that is not there yet.
 */
export class ReserveRefused extends Error {
  override readonly name = 'ReserveRefused';
  /** The status of the answer, and its kind of problem, such as `incomplete`. */
  readonly status: number;
  readonly kind: string;
  readonly detail: string;
  /** What to do about it. */
  readonly remedy: string;

  constructor(tenantId: string, { status, kind, detail, remedy }: ReserveProblem) {
    super(`nothing can be held for this call of tenant "${tenantId}": ${detail}; ${remedy}`);
    this.status = status;
    this.kind = kind;
    this.detail = detail;
    this.remedy = remedy;
  }
}

function wordsOf(answer: ReserveSaid, budget: BudgetDecisionSaid | null): string {
  const call = answer.estimate === null ? 'this call' : `this call of at most ${answer.estimate}`;
  if (budget === null) return `a budget denies ${call}`;
  const unit = budget.currency ?? budget.measure;
  const anew =
    budget.resets_at === null ? 'ask for a higher limit' : `it starts again at ${budget.resets_at}`;
  return (
    `the budget of ${budget.limit} ${unit} per ${budget.per} of tenant "${budget.tenant_id}" denies ${call}: ` +
    `${budget.spent} spent, ${budget.held} held, ${budget.left} left; ${anew}`
  );
}
