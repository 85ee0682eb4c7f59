import { sql } from 'kysely';
import { formatInstant } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { type CloseRow, readCloses } from '../ledger/closes/closed-periods-store.ts';
import type { Manifest } from '../ledger/closes/manifest.ts';
import { ENTRIES_OF_BATCH } from '../ledger/posting/posting-store.ts';
import { formatPico, type Pico } from '../money.ts';
import { buildStatement } from './statement.ts';
import type { DailyUsage, StatementCorrection, StatementDocument } from './statement-answer.ts';
import { withEntries } from './statement-document.ts';

/** The statements of the closed periods that begin in a month, by tenant; of one tenant if given. */
export async function readStatements(
  database: Database,
  filter: { readonly month: string; readonly tenantId: string | null },
): Promise<readonly StatementDocument[]> {
  const documents: StatementDocument[] = [];
  for (const close of await readCloses(database, filter)) {
    const manifest: Manifest = JSON.parse(close.manifest);
    const statement = buildStatement({
      manifest,
      manifestHash: close.manifestHash,
      closedAt: formatInstant(close.closedAt),
      mode: close.mode,
    });
    const period = { ...close, timeZone: manifest.time_zone };
    const daily = await readDailyUsage(database, period);
    // Most periods have none, and their manifest knows it without a look at the entries.
    const corrections = manifest.corrections === 0 ? [] : await readCorrections(database, period);
    documents.push(withEntries(statement, { daily, corrections }));
  }
  return documents;
}

type ClosedPeriod = Pick<CloseRow, 'tenantId' | 'periodStart'> & { readonly timeZone: string };

/**
 * The charge by the customer's own day. Rollups are kept by UTC day, and so give the days of a period in
 * UTC; those of any other zone are summed from its entries.
 */
function readDailyUsage(database: Database, period: ClosedPeriod): Promise<readonly DailyUsage[]> {
  return period.timeZone === 'UTC'
    ? readDailyRollups(database, period)
    : readDailyEntries(database, period);
}

/**
 * Sums the rollups of one period, and the few batches that are not folded into them yet: one query,
 * so one snapshot, in which every batch is on exactly one of the two sides.
 */
async function readDailyRollups(
  database: Database,
  { tenantId, periodStart }: ClosedPeriod,
): Promise<readonly DailyUsage[]> {
  const { rows } = await sql<DailyRow>`
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
  return rows.map(toDailyUsage);
}

async function readDailyEntries(
  database: Database,
  { tenantId, periodStart, timeZone }: ClosedPeriod,
): Promise<readonly DailyUsage[]> {
  const { rows } = await sql<DailyRow>`
    select (occurred_at at time zone ${timeZone})::date::text as day, requested_model as model, late,
      sum(charge) as charge
    from entries
    where tenant_id = ${tenantId} and period_start = ${periodStart} and kind <> 'adjustment'
      and not_due is null
    group by 1, 2, 3 having sum(charge) <> 0 order by 1, 2, 3`.execute(database.kysely);
  return rows.map(toDailyUsage);
}

interface DailyRow {
  readonly day: string;
  readonly model: string;
  readonly late: boolean;
  readonly charge: Pico;
}

function toDailyUsage({ charge, ...of }: DailyRow): DailyUsage {
  return { ...of, charge: formatPico(charge) };
}

/** What is not due is in no line that is billed, and so are its corrections. */
async function readCorrections(
  database: Database,
  { tenantId, periodStart, timeZone }: ClosedPeriod,
): Promise<readonly StatementCorrection[]> {
  const { rows } = await sql<Omit<StatementCorrection, 'exact'> & { readonly charge: Pico }>`
    select to_char(occurred_at at time zone ${timeZone}, 'YYYY-MM') as month, late, reason,
      count(*) filter (where is_reversal)::int as taken_back,
      count(*) filter (where not is_reversal)::int as replaced,
      coalesce(sum(charge), 0) as charge
    from entries
    where tenant_id = ${tenantId} and period_start = ${periodStart} and kind = 'correction'
      and not_due is null
    group by 1, 2, 3 order by 1, 2, 3`.execute(database.kysely);
  return rows.map(({ charge, ...of }) => ({ ...of, exact: formatPico(charge) }));
}
