import { formatDecimal } from '../money.ts';
import type { ProgressPart } from '../parts.ts';
import type { PushAnswer, PushedPeriod, PushRequest } from '../push/push-answer.ts';
import type { PushTarget } from '../push/push-target.ts';
import type { PushOptions } from '../push/push-targets.ts';
import { pushClosed, pushTargets } from '../push/push-targets.ts';
import type { Fault } from '../remedy.ts';
import { readTenant } from '../tenants/tenant-store.ts';
import { takeBackUnbilled } from './bill-without-subscription.ts';
import { pushPartsOf } from './destinations.ts';
import { lookForInvoicesFirst } from './invoices/missed-invoices.ts';
import type { UnbilledPeriod } from './invoices/unbilled-usage.ts';
import { findUnbilledPeriods, readToldPeriods } from './invoices/unbilled-usage.ts';
import type { StripeParts } from './stripe-parts.ts';

/**
 * Tells Stripe what each closed period of a month came to, once (R18). What the meter counts and nobody bills is
 * taken back after a week and billed by an invoice item. Where Stripe fails whoever asks, nothing more is asked.
 */
export async function pushMonth(
  parts: StripeParts & ProgressPart & Pick<PushOptions, 'onOutage'>,
  request: PushRequest,
): Promise<PushAnswer> {
  // A tenant that is not there has no closed period either, and closing none would help.
  if (request.tenant_id !== null) await readTenant(parts.database.kysely, request.tenant_id);
  const push = lookForInvoicesFirst(parts, await pushPartsOf(parts));
  const { onProgress } = parts;
  let isAway = false;
  const onOutage = (reason: Fault) => {
    isAway = true;
    parts.onOutage?.(reason);
  };
  const answer = await pushClosed(push, request, { onProgress, onOutage });
  if (isAway) return answer;
  const { month, tenant_id: tenantId } = request;
  const told = await readToldPeriods(parts.database, { month, tenantId });
  const of = { month, tenantId, now: parts.clock() };
  const unbilled = await findUnbilledPeriods(parts.database, told, of);
  if (unbilled.length === 0) return answer;
  if (request.dry_run) return replaced(answer, unbilled.map(wouldTakeBack));
  const taken = await takeBackUnbilled(parts, push, unbilled);
  return taken.length === 0
    ? answer
    : replaced(answer, await pushTargets(push, taken, { onOutage }));
}

/** Plans the pushes of periods that are not closed yet: what would be told if they were. */
export async function planPushes(
  parts: StripeParts,
  targets: readonly PushTarget[],
): Promise<PushAnswer> {
  return pushTargets(await pushPartsOf(parts), targets, { isDryRun: true });
}

function wouldTakeBack({ target, meteredMicro }: UnbilledPeriod): PushedPeriod {
  return {
    tenant_id: target.tenantId,
    period_start: target.periodStart,
    state: 'would_send',
    pushed: String(meteredMicro),
    currency: target.currency,
    detail: `no invoice is known to bill it: ${formatDecimal(meteredMicro, 6)} ${target.currency} would be taken back from the meter and billed by an invoice item, unless Stripe has a subscription that bills it`,
    remedy: null,
  };
}

function replaced(answer: PushAnswer, rows: readonly PushedPeriod[]): PushAnswer {
  const keyOf = (row: PushedPeriod) => JSON.stringify([row.tenant_id, row.period_start]);
  const by = new Map(rows.map((row) => [keyOf(row), row]));
  return answer.map((row) => by.get(keyOf(row)) ?? row);
}
