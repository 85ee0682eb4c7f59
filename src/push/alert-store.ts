import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';

/** What a person must look at. */
export interface Alert {
  readonly kind:
    | 'push_parked'
    | 'meter_error'
    | 'meter_errors_not_named'
    | 'no_meter_found'
    | 'foreign_meter_error'
    | 'customer_deleted'
    | 'subscription_canceled'
    | 'subscription_changed'
    | 'invoice_differs'
    | 'invoice_final_too_early'
    | 'invoice_without_period';
  /** The identifier, invoice, customer, subscription or event that it is about. */
  readonly subject: string;
  readonly tenantId: string | null;
  readonly periodStart: string | null;
  readonly detail: string;
}

/** Keeps an alert. What was resolved is open again where the same thing is found in another way. */
export async function raiseAlert(database: Database, alert: Alert, at: InstantMs): Promise<void> {
  await sql`
    insert into stripe_alerts (raised_at, kind, subject, tenant_id, period_start, detail) values
      (${formatInstant(at)}, ${alert.kind}, ${alert.subject}, ${alert.tenantId}, ${alert.periodStart},
       ${alert.detail})
    on conflict (kind, subject) do update set raised_at = excluded.raised_at, detail = excluded.detail,
      resolved_at = null, resolution = null, resolved_by = null
      where stripe_alerts.resolved_at is not null and stripe_alerts.detail <> excluded.detail`.execute(
    database.kysely,
  );
}

/** An alert as it is kept, and what was done about it; null while it is open. */
export interface KeptAlert extends Alert {
  readonly alertId: bigint;
  readonly raisedAt: InstantMs;
  readonly resolvedAt: InstantMs | null;
  readonly resolution: string | null;
  readonly resolvedBy: string | null;
}

/** What is still open of the periods of a month. An intent that is no longer parked was decided. */
export async function readOpenAlerts(
  database: Database,
  month: string | null,
): Promise<readonly KeptAlert[]> {
  const { rows } = await sql<AlertRow>`
    select ${COLUMNS} from stripe_alerts
    where (${month}::text is null or to_char(period_start, 'YYYY-MM') = ${month}) and resolved_at is null
      and not exists (select from push_intents where identifier = subject and state <> 'parked')
    order by alert_id`.execute(database.kysely);
  return rows.map(toAlert);
}

/** Every alert that was ever raised. */
export async function readAlerts(database: Database): Promise<readonly KeptAlert[]> {
  const { rows } = await sql<AlertRow>`
    select ${COLUMNS} from stripe_alerts order by alert_id`.execute(database.kysely);
  return rows.map(toAlert);
}

/** What a person did about an alert. */
export interface Resolution {
  readonly alertId: bigint;
  readonly resolution: string;
  readonly by: string;
  readonly at: InstantMs;
}

/**
 * Refuses an alert that is not there or was resolved before, so that no account of it is lost, and an
 * account that says nothing.
 */
export async function resolveAlert(database: Database, given: Resolution): Promise<KeptAlert> {
  const { alertId, resolution, by, at } = given;
  if (resolution.trim() === '' || by.trim() === '') {
    throw new Refusal(
      'bad_request',
      `alert ${alertId} is not resolved without ${resolution.trim() === '' ? 'a reason' : 'a name'}`,
      'say what was done, such as the credit note that was made, and who did it',
    );
  }
  const { rows } = await sql<AlertRow>`
    update stripe_alerts set resolved_at = ${formatInstant(at)}, resolution = ${resolution}, resolved_by = ${by}
    where alert_id = ${alertId} and resolved_at is null returning ${COLUMNS}`.execute(
    database.kysely,
  );
  if (rows[0] !== undefined) return toAlert(rows[0]);
  throw new Refusal(
    'not_found',
    `there is no open alert ${alertId}`,
    advise`${{ operation: 'stripe alerts' }} lists the open ones, and with --all the others`,
  );
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
