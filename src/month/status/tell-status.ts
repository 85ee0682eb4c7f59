import { tellOpenHolds } from '../../budgets/list-budgets.ts';
import { formatInstant, formatInstantOrNull } from '../../clock.ts';
import type { QueueClient } from '../../ingest/queue-client.ts';
import { lagOf } from '../../ingest/worker/worker-figures.ts';
import { readBehind } from '../../ledger/rollups/behind-store.ts';
import type { Parts } from '../../parts.ts';
import type { LeaversAnswer } from '../../reports/leavers-answer.ts';
import { reportLeavers } from '../../reports/report-leavers.ts';
import { listLeftOwed, listWaitingDue } from '../../tenants/left-owed.ts';
import type { MissingThing } from '../completeness/missing-answer.ts';
import type { MissingFound } from '../completeness/missing-found.ts';
import { findMissing } from '../completeness/name-missing.ts';
import type { StatusAnswer, StatusRequest } from './status-answer.ts';
import {
  countAmbiguousPushes,
  countOpenPeriods,
  countSecondReports,
  readDeadWebhooks,
  readUnknownHolds,
} from './status-store.ts';

export interface StatusParts extends Pick<Parts, 'database' | 'clock'> {
  /** The queue, or why there is none to ask. */
  readonly queue: Pick<QueueClient, 'depth'> | string;
  /** Why the destination cannot be asked; null where it can. */
  readonly destinationFault: string | null;
}

/**
 * Tells what a person wants to know first: how things stand, and everything that keeps a month from
 * being whole.
 */
export async function tellStatus(
  parts: StatusParts,
  { month }: StatusRequest,
): Promise<StatusAnswer> {
  const { database, clock, destinationFault } = parts;
  const now = clock();
  const state = await countOpenPeriods(database, now);
  // It is asked before anything is folded.
  const behind = await readBehind(database);
  const seconds = await countSecondReports(database);
  const queue = await askQueue(parts.queue);
  const holds = await tellOpenHolds(database, now);
  const found = await findMissing(parts, { month, tenant_id: null });
  return {
    at: formatInstant(now),
    queue: queue.depth,
    last_batch_at: formatInstantOrNull(behind.lastBatchAt),
    lag_seconds: lagOf(queue.depth, behind.lastBatchAt, now),
    open_periods: Number(state.open_periods),
    ended_periods: Number(state.ended_periods),
    ...countsOf(found),
    ambiguous_pushes: await countAmbiguousPushes(database),
    leavers: (await reportLeavers(parts)).filter(isOwing),
    left_owed: await listLeftOwed(parts),
    waiting_due: await listWaitingDue(parts),
    second_reports: seconds.map(({ count, ...of }) => ({ ...of, count: Number(count) })),
    dead_webhooks: (await readDeadWebhooks(database)).map(({ count, ...of }) => ({
      ...of,
      count: Number(count),
    })),
    holds: holds.open,
    unsettled_holds: holds.unsettled,
    unknown_holds: await readUnknownHolds(database, now),
    rollups_behind: behind.rollups,
    seals_behind: behind.seals,
    not_asked: [...queue.fault, ...(destinationFault === null ? [] : [destinationFault])],
    missing: found.map(({ thing }) => thing),
  };
}

/** Whether anything is left between us and a customer who left. */
function isOwing({ owed_to, not_closed, not_told }: LeaversAnswer[number]): boolean {
  return [owed_to, not_closed, not_told].some((amount) => amount !== null && amount !== '0');
}

async function askQueue(
  queue: StatusParts['queue'],
): Promise<{ readonly depth: number | null; readonly fault: readonly string[] }> {
  if (typeof queue === 'string') return { depth: null, fault: [queue] };
  try {
    return { depth: await queue.depth(), fault: [] };
  } catch (error) {
    return { depth: null, fault: [`the queue does not answer (${String(error)})`] };
  }
}

function countsOf(found: readonly MissingFound[]) {
  const missing = found.map(({ thing }) => thing);
  const of = (kind: MissingThing['kind']) => missing.filter((thing) => thing.kind === kind);
  const entries = (kind: MissingThing['kind']) =>
    of(kind).reduce((sum, { count }) => sum + count, 0);
  const periods = (kind: MissingThing['kind']) =>
    new Set(of(kind).map(({ tenant_id, period_start }) => `${period_start} ${tenant_id}`)).size;
  return {
    unrated: entries('unrated'),
    unmeasured: entries('unmeasured'),
    without_cost: entries('without_cost'),
    quarantine: new Set(found.flatMap(({ quarantined = [] }) => quarantined)).size,
    under_two_tenants: of('under_two_tenants').length,
    reported_twice: of('reported_twice').length,
    unregistered_tenants: new Set(of('unregistered_tenant').map(({ tenant_id }) => tenant_id)).size,
    untold_periods: of('untold').length,
    unbilled_periods: periods('unbilled'),
    periods_on_two_invoices: periods('on_two_invoices'),
    periods_on_voided_invoices: periods('on_voided_invoice'),
    alerts: of('alert').length,
  };
}
