import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Alert, KeptAlert } from './alert.ts';

/** Who ends an alert of which nothing is so any more. */
export const ITSELF = 'spanledger';

/**
 * Keeps an alert. What a person resolved is open again where the same thing is found in another way, and what ended
 * by itself where it is found again.
 */
export async function raiseAlert(database: Database, alert: Alert, at: InstantMs): Promise<void> {
  await sql`
    insert into push_alerts (raised_at, kind, subject, tenant_id, period_start, detail) values
      (${formatInstant(at)}, ${alert.kind}, ${alert.subject}, ${alert.tenantId}, ${alert.periodStart},
       ${alert.detail})
    on conflict (kind, subject) do update set raised_at = excluded.raised_at, detail = excluded.detail,
      resolved_at = null, resolution = null, resolved_by = null
      where push_alerts.resolved_at is not null and (push_alerts.detail <> excluded.detail or push_alerts.resolved_by = ${ITSELF})`.execute(
    database.kysely,
  );
}

/**
 * Reads what is still open of the periods of a month. An intent that is no longer parked was
 * decided.
 */
export async function readOpenAlerts(
  database: Database,
  month: string | null,
): Promise<readonly KeptAlert[]> {
  const { rows } = await sql<AlertRow>`
    select ${COLUMNS} from push_alerts
    where (${month}::text is null or to_char(period_start, 'YYYY-MM') = ${month}) and resolved_at is null
      and not exists (select from push_intents where identifier = subject and state <> 'parked')
    order by alert_id`.execute(database.kysely);
  return rows.map(toAlert);
}

/** Reads the subjects of alerts of these kinds that a person has settled. */
export async function readSettledSubjects(
  database: Database,
  kinds: readonly Alert['kind'][],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ subject: string }>`
    select subject from push_alerts where kind = any(${[...kinds]}::text[]) and resolved_by <> ${ITSELF}`.execute(
    database.kysely,
  );
  return new Set(rows.map(({ subject }) => subject));
}

/** Reads every alert that was ever raised. */
export async function readAlerts(database: Database): Promise<readonly KeptAlert[]> {
  const { rows } = await sql<AlertRow>`
    select ${COLUMNS} from push_alerts order by alert_id`.execute(database.kysely);
  return rows.map(toAlert);
}

/** A person's resolution of an alert. */
interface Resolution {
  readonly alertId: bigint;
  readonly resolution: string;
  readonly by: string;
  readonly at: InstantMs;
}

/** Answers null where no such alert is open. */
export async function markResolved(
  database: Database,
  { alertId, resolution, by, at }: Resolution,
): Promise<KeptAlert | null> {
  const { rows } = await sql<AlertRow>`
    update push_alerts set resolved_at = ${formatInstant(at)}, resolution = ${resolution}, resolved_by = ${by}
    where alert_id = ${alertId} and resolved_at is null returning ${COLUMNS}`.execute(
    database.kysely,
  );
  return rows[0] === undefined ? null : toAlert(rows[0]);
}

/** Ends by itself every open alert of a kind about these subjects: what was said of them is not so any more. */
export async function endAlerts(
  database: Database,
  about: { readonly kind: Alert['kind']; readonly subjects: readonly string[] },
  because: Pick<Resolution, 'resolution' | 'at'>,
): Promise<void> {
  const open = (await readOpenAlerts(database, null)).filter(
    ({ kind, subject }) => kind === about.kind && about.subjects.includes(subject),
  );
  for (const { alertId } of open) {
    await markResolved(database, { ...because, alertId, by: ITSELF });
  }
}

const COLUMNS = sql.raw(
  'alert_id, raised_at, kind, subject, tenant_id, period_start, detail, resolved_at, resolution, resolved_by',
);

interface AlertRow {
  readonly alert_id: bigint;
  readonly raised_at: InstantMs;
  readonly kind: Alert['kind'];
  readonly subject: string;
  readonly tenant_id: string | null;
  readonly period_start: string | null;
  readonly detail: string;
  readonly resolved_at: InstantMs | null;
  readonly resolution: string | null;
  readonly resolved_by: string | null;
}

function toAlert(row: AlertRow): KeptAlert {
  return {
    alertId: row.alert_id,
    raisedAt: row.raised_at,
    kind: row.kind,
    subject: row.subject,
    tenantId: row.tenant_id,
    periodStart: row.period_start,
    detail: row.detail,
    resolvedAt: row.resolved_at,
    resolution: row.resolution,
    resolvedBy: row.resolved_by,
  };
}
