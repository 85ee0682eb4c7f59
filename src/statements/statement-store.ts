import { sql } from 'kysely';
import { formatInstant } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { type CloseRow, readCloses } from '../ledger/closes/closed-periods-store.ts';
import { ENTRIES_OF_BATCH } from '../ledger/posting/posting-store.ts';
import { formatPico, type Pico } from '../money.ts';
import { buildStatement } from './statement.ts';
import type { DailyUsage, StatementDocument } from './statement-answer.ts';
import { withDaily } from './statement-document.ts';

/** The statements of the closed periods that begin in a month, by tenant; of one tenant if given. */
export async function readStatements(
  database: Database,
  filter: { readonly month: string; readonly tenantId: string | null },
): Promise<readonly StatementDocument[]> {
  const documents: StatementDocument[] = [];
  for (const close of await readCloses(database, filter)) {
    const statement = buildStatement({
      manifest: JSON.parse(close.manifest),
      manifestHash: close.manifestHash,
      closedAt: formatInstant(close.closedAt),
      mode: close.mode,
    });
    documents.push(withDaily(statement, await readDailyUsage(database, close)));
  }
  return documents;
}

/**
 * Sums the rollups of one period, and the few batches that are not folded into them yet: one query,
 * so one snapshot, in which every batch is on exactly one of the two sides.
 */
async function readDailyUsage(
  database: Database,
  period: Pick<CloseRow, 'tenantId' | 'periodStart'>,
): Promise<readonly DailyUsage[]> {
  const { tenantId, periodStart } = period;
  const { rows } = await sql<{ day: string; model: string; late: boolean; charge: Pico }>`
    select day::text as day, requested_model as model, late, sum(charge) as charge
    from (
      select day, requested_model, late, charge - not_due_charge as charge from usage_rollups
      where tenant_id = ${tenantId} and period_start = ${periodStart} and kind <> 'adjustment'
      union all
      select (e.occurred_at at time zone 'UTC')::date, e.requested_model, e.late, coalesce(e.charge, 0)
      from fold_queue batch ${sql.raw(ENTRIES_OF_BATCH)}
      where e.tenant_id = ${tenantId} and e.period_start = ${periodStart} and e.kind <> 'adjustment'
        and e.not_due is null
    ) usage
    group by 1, 2, 3 having sum(charge) <> 0 order by 1, 2, 3`.execute(database.kysely);
  return rows.map((row) => ({
    utc_day: row.day,
    model: row.model,
    late: row.late,
    charge: formatPico(row.charge),
  }));
}
