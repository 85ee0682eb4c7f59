import { formatInstant } from '../clock.ts';
import type { ClosedPeriod } from '../ledger/closes/close-answer.ts';
import type { PeriodSoFar } from '../ledger/closes/manifest-so-far.ts';
import { planClose } from '../ledger/closes/plan-close.ts';
import { byTenantAndStart } from '../periods/period-order.ts';
import type { PushTarget } from '../push/push-target.ts';
import { planPushes, pushMonth } from '../stripe/push-month.ts';
import type { StripeParts } from '../stripe/stripe-parts.ts';
import type { MissingThing } from './completeness/missing-answer.ts';
import { nameMissing } from './completeness/name-missing.ts';
import type { MonthPlanAnswer, MonthRequest, StepAnswer } from './month-answer.ts';
import { keyOfRow, type MonthParts } from './month-step.ts';
import { checkCoverage } from './steps/check-coverage.ts';
import { checkSetup } from './steps/check-setup.ts';

/**
 * Tells what a run of the month would close and tell, and what stands against it. Stripe is read
 * and told nothing; no step is begun, and no statement is written.
 */
export async function planMonth(
  given: StripeParts & Pick<MonthParts, 'phrase'>,
  request: MonthRequest,
): Promise<MonthPlanAnswer> {
  const parts: MonthParts = { ...given, untold: new Set(), unlinked: new Set() };
  const { month } = request;
  const steps = await looksOf(parts, request);
  const { answer: closes, planned } = await planClose(parts, { month, tenant_id: null });
  const isAnyClosed = closes.some(({ state }) => state === 'already_closed');
  const pushes = [
    ...(isAnyClosed ? await pushMonth(given, { month, tenant_id: null, dry_run: true }) : []),
    ...(await planPushes(given, planned.map(targetOf))),
  ].sort(byTenantAndStart);
  const missing = await nameMissing(parts, { month, tenant_id: null });
  return { month, steps, closes, pushes, missing: missing.filter(isUnsaid(closes)) };
}

async function looksOf(parts: MonthParts, request: MonthRequest): Promise<readonly StepAnswer[]> {
  const at = formatInstant(parts.clock());
  const setup = await checkSetup(parts, request);
  const check: StepAnswer = { step: 'check', at, state: setup.state, detail: setup.detail };
  if (request.coverage_min === undefined) return [check];
  const { state, detail } = await checkCoverage(parts, request);
  return [check, { step: 'coverage', at, state, detail }];
}

/** Returns the period as it would stand among the closed ones. */
function targetOf({ period, tenant, currency, manifest }: PeriodSoFar): PushTarget {
  const { billableMicro, total } = manifest.billable;
  return {
    ...period,
    mode: tenant.mode,
    customer: tenant.stripeCustomer,
    closedFor: tenant.stripeCustomer,
    currency,
    billableMicro,
    chargeTotal: total,
  };
}

/** What a refused close says is not said again; and what is told to nobody yet has a row of its own. */
function isUnsaid(closes: readonly ClosedPeriod[]): (thing: MissingThing) => boolean {
  const refused = new Set(closes.filter(({ state }) => state === 'refused').map(keyOfRow));
  return (thing) =>
    thing.kind !== 'untold' &&
    !(['unrated', 'unmeasured'].includes(thing.kind) && refused.has(keyOfRow(thing)));
}
