import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { CoveredHour } from './coverage-answer.ts';

interface HourRow {
  readonly source: string;
  readonly hour: InstantMs;
  readonly received: bigint;
  readonly posted: bigint;
  readonly duplicate: bigint;
  readonly conflict: bigint;
  readonly quarantined: bigint;
  readonly empty: bigint;
  readonly sha256: string;
}

/** Reads the receipts by source and hour, and a hash over the events that were posted in it. */
export async function readCoveredHours(
  database: Database,
  of: { readonly from: InstantMs; readonly to: InstantMs; readonly source: string | null },
): Promise<readonly CoveredHour[]> {
  const [from, to] = [formatInstant(of.from), formatInstant(of.to)];
  const only = of.source === null ? sql`` : sql`and source = ${of.source}`;
  const { rows } = await sql<HourRow>`
    with received as (
      select source, date_trunc('hour', recorded_at at time zone 'UTC') at time zone 'UTC' as hour, sum(received)::bigint as received,
        sum(posted)::bigint as posted, sum(duplicates)::bigint as duplicate, sum(conflicts)::bigint as conflict,
        sum(quarantined)::bigint as quarantined, sum(empty)::bigint as empty
      from batches join receipts using (batch_id)
      where recorded_at >= ${from}::timestamptz and recorded_at < ${to}::timestamptz ${only} group by 1, 2),
    events as (
      select distinct source, date_trunc('hour', recorded_at at time zone 'UTC') at time zone 'UTC' as hour, event_id from entries
      where recorded_at >= ${from}::timestamptz and recorded_at < ${to}::timestamptz and revision = 0
        and kind = 'usage' ${only}
      union
      select source, date_trunc('hour', recorded_at at time zone 'UTC') at time zone 'UTC', event_id
      from structure_spans join batches using (batch_id)
      where recorded_at >= ${from}::timestamptz and recorded_at < ${to}::timestamptz ${only}),
    listed as (
      select source, hour, string_agg(event_id || e'\n', '' order by event_id collate "C") as ids
      from events group by source, hour)
    select r.*, encode(sha256(convert_to(coalesce(l.ids, ''), 'UTF8')), 'hex') as sha256
    from received r left join listed l using (source, hour) order by hour, source`.execute(
    database.kysely,
  );
  return rows.map(({ hour, sha256, ...row }) => ({
    source: row.source,
    hour: formatInstant(hour),
    received: Number(row.received),
    posted: Number(row.posted),
    duplicate: Number(row.duplicate),
    conflict: Number(row.conflict),
    quarantined: Number(row.quarantined),
    empty: Number(row.empty),
    event_ids_sha256: sha256,
  }));
}
