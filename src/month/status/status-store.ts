import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';

export interface OpenPeriods {
  readonly open_periods: bigint;
  readonly ended_periods: bigint;
}

export interface SecondReportCount {
  readonly source: string;
  readonly because: 'response' | 'call' | 'nested';
  readonly count: bigint;
}

/** What was taken for second reports of calls (R8), by producer. */
export async function countSecondReports(
  database: Database,
): Promise<readonly SecondReportCount[]> {
  const { rows } = await sql<SecondReportCount>`
    select source, because, count(*) as count from second_reports
    group by source, because order by source, because`.execute(database.kysely);
  return rows;
}

interface UnknownHold {
  readonly hold_id: string;
  readonly tenant_id: string;
  readonly source: string;
  readonly event_id: string;
}

const UNKNOWN_HOLDS_SHOWN = 100;

/** Reads the last events that named a hold which nobody made. */
export async function readUnknownHolds(
  database: Database,
  now: InstantMs,
): Promise<readonly UnknownHold[]> {
  const { rows } = await sql<UnknownHold>`
    select hold_id, tenant_id, source, event_id from unknown_holds
    where seen_at >= ${formatInstant(now)}::timestamptz - interval '30 days'
    order by seen_at desc, tenant_id, hold_id, event_id limit ${UNKNOWN_HOLDS_SHOWN}`.execute(
    database.kysely,
  );
  return rows;
}

/** The receivers of webhooks that did not take what they were to be told, and were not replayed since. */
export async function readDeadWebhooks(
  database: Database,
): Promise<readonly { endpoint_id: string; url: string; count: bigint }[]> {
  const { rows } = await sql<{ endpoint_id: string; url: string; count: bigint }>`
    select endpoint_id, url, count(*) as count from webhook_deliveries join webhook_endpoints using (endpoint_id)
    where state = 'dead' group by endpoint_id, url order by endpoint_id`.execute(database.kysely);
  return rows;
}

/** Counts the pushes whose destination neither confirmed nor refused them. */
export async function countAmbiguousPushes(database: Database): Promise<number> {
  const { rows } = await sql<{ pushes: bigint }>`
    select count(*) as pushes from push_intents where state = 'ambiguous'`.execute(database.kysely);
  return Number(rows[0]?.pushes ?? 0);
}

/** Counts the periods that take entries. */
export async function countOpenPeriods(database: Database, now: InstantMs): Promise<OpenPeriods> {
  const { rows } = await sql<OpenPeriods>`
    select (select count(*) from periods where state = 'open') as open_periods,
      (select count(*) from periods where state <> 'closed' and ends_at <= ${formatInstant(now)}) as ended_periods`.execute(
    database.kysely,
  );
  const [state] = rows;
  if (state === undefined) throw new Error('a query without a table has one row');
  return state;
}

interface FreshnessRow {
  readonly last_batch_at: InstantMs | null;
  readonly quarantine: bigint;
  readonly alerts: bigint;
  readonly rollups_behind: bigint;
  readonly seals_behind: bigint;
}

/** Reads how new the ledger is, and how much waits for a person. */
export async function readFreshness(database: Database): Promise<FreshnessRow> {
  const { rows } = await sql<FreshnessRow>`
    select (select recorded_at from batches order by batch_id desc limit 1) as last_batch_at,
      (select count(*) from quarantine where replayed_at is null and dismissed_at is null) as quarantine,
      (select count(*) from push_alerts where resolved_at is null) as alerts,
      (select count(*) from fold_queue) as rollups_behind,
      (select count(*) from seal_queue) as seals_behind`.execute(database.kysely);
  const [row] = rows;
  if (row === undefined) throw new Error('a query without a table has one row');
  return row;
}

interface IntakeRow {
  readonly received: bigint;
  readonly posted: bigint;
  readonly duplicates: bigint;
  readonly conflicts: bigint;
  readonly quarantined: bigint;
}

/** Sums the receipts of the batches that were recorded since an instant: from the newest back to the first that is older. */
export async function readIntake(database: Database, since: InstantMs): Promise<IntakeRow> {
  const { rows } = await sql<IntakeRow>`
    select coalesce(sum(received), 0)::bigint as received, coalesce(sum(posted), 0)::bigint as posted,
      coalesce(sum(duplicates), 0)::bigint as duplicates, coalesce(sum(conflicts), 0)::bigint as conflicts,
      coalesce(sum(quarantined), 0)::bigint as quarantined
    from receipts where batch_id > coalesce((
      select batch_id from batches where recorded_at < ${formatInstant(since)}::timestamptz
      order by batch_id desc limit 1), 0)`.execute(database.kysely);
  const [row] = rows;
  if (row === undefined) throw new Error('a sum has one row');
  return row;
}
