import { foldBeforeReading } from '../ledger/rollups/reading-folds.ts';
import { cutPage } from '../page.ts';
import type { Parts } from '../parts.ts';
import { refuseUnknownTenant } from '../tenants/asked-tenant.ts';
import { readEntryList, readPeriodList, readPushList } from './list-store.ts';
import type {
  EntriesAnswer,
  EntriesRequest,
  PeriodsAnswer,
  PeriodsRequest,
  PushesAnswer,
  PushesRequest,
} from './lists-answer.ts';

/** Lists entries as audit.entries has them, the newest first. */
export async function listEntries(
  parts: Pick<Parts, 'database' | 'view'>,
  request: EntriesRequest,
): Promise<EntriesAnswer> {
  const { database, view = database } = parts;
  await refuseUnknownTenant(parts, request.tenant_id);
  const found = await readEntryList(view, request);
  const { rows, next } = cutPage(found, request.limit, ({ entry_id }) => [entry_id]);
  return { entries: rows, next_cursor: next };
}

/** Lists periods as audit.periods has them; what an open one comes to is as of now. */
export async function listPeriods(
  parts: Pick<Parts, 'database' | 'clock' | 'view' | 'folds'>,
  request: PeriodsRequest,
): Promise<PeriodsAnswer> {
  const { database, view } = parts;
  await refuseUnknownTenant(parts, request.tenant_id);
  // As of an instant it is entries that are summed, and they need no folding.
  const fresh = request.as_of === null ? await foldBeforeReading(parts) : { batches_behind: 0 };
  const found =
    view === undefined
      ? await readPeriodList(database, 'audit.periods', request)
      : await readPeriodList(view, 'wall.shown_periods', request);
  const { rows, next } = cutPage(found, request.limit, ({ tenant_id, period_start }) => [
    tenant_id,
    period_start,
  ]);
  return { periods: rows, next_cursor: next, ...fresh };
}

/** Lists what was or is to be told of closed periods, as in audit.pushes. */
export async function listPushes(
  { database }: Pick<Parts, 'database'>,
  request: PushesRequest,
): Promise<PushesAnswer> {
  await refuseUnknownTenant({ database }, request.tenant_id);
  const found = await readPushList(database, request);
  const { rows, next } = cutPage(
    found,
    request.limit,
    ({ tenant_id, period_start, identifier }) => [tenant_id, period_start, identifier],
  );
  return { pushes: rows, next_cursor: next };
}
