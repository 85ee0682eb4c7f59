import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';

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

/** Keeps an alert; false where the same one was raised before. */
export async function raiseAlert(
  database: Database,
  alert: Alert,
  at: InstantMs,
): Promise<boolean> {
  const { numAffectedRows: raised } = await sql`
    insert into stripe_alerts (raised_at, kind, subject, tenant_id, period_start, detail) values
      (${formatInstant(at)}, ${alert.kind}, ${alert.subject}, ${alert.tenantId}, ${alert.periodStart},
       ${alert.detail})
    on conflict (kind, subject) do nothing`.execute(database.kysely);
  return raised === 1n;
}

/** What was raised about the periods of a month, but for intents that are no longer parked. */
export async function readOpenAlerts(database: Database, month: string): Promise<readonly Alert[]> {
  const { rows } = await sql<AlertRow>`
    select ${COLUMNS} from stripe_alerts where to_char(period_start, 'YYYY-MM') = ${month}
      and not exists (select from push_intents where identifier = subject and state <> 'parked')
    order by alert_id`.execute(database.kysely);
  return rows.map(toAlert);
}

export async function readAlerts(database: Database): Promise<readonly Alert[]> {
  const { rows } = await sql<AlertRow>`
    select ${COLUMNS} from stripe_alerts order by alert_id`.execute(database.kysely);
  return rows.map(toAlert);
}

const COLUMNS = sql.raw('kind, subject, tenant_id, period_start, detail');

interface AlertRow {
  readonly kind: Alert['kind'];
  readonly subject: string;
  readonly tenant_id: string | null;
  readonly period_start: string | null;
  readonly detail: string;
}

function toAlert(row: AlertRow): Alert {
  return {
    kind: row.kind,
    subject: row.subject,
    tenantId: row.tenant_id,
    periodStart: row.period_start,
    detail: row.detail,
  };
}
