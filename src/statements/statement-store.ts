import { sql } from 'kysely';
import { formatInstant } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { readCloses } from '../ledger/closes/closed-periods-store.ts';
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
    const { manifestHash, closedAt, mode } = close;
    const frozen = { manifestHash, closedAt: formatInstant(closedAt) };
    const statement = buildStatement({ manifest, mode, frozen, preview: null });
    documents.push(withEntries(statement, await readBesideOf(database, manifest)));
  }
  return documents;
}

/** What is read of the entries beside a manifest. */
export async function readBesideOf(
  database: Reading,
  manifest: Manifest,
): Promise<Pick<StatementDocument, 'daily' | 'corrections'>> {
  const period = {
    tenantId: manifest.tenant_id,
    periodStart: manifest.period_start,
    timeZone: manifest.time_zone,
  };
  const daily = await readDailyUsage(database, period);
  // Most periods have none, and their manifest knows it without a look at the entries.
  const corrections = manifest.corrections === 0 ? [] : await readCorrections(database, period);
  return { daily, corrections };
}

/** A database, or the snapshot of it in which everything of a statement is read. */
type Reading = Pick<Database, 'kysely'>;

interface StatedPeriod {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly timeZone: string;
}

/**
 * The charge by the customer's own day. Rollups are kept by UTC day, and so give the days of a period in
 * UTC; those of any other zone are summed from its entries.
 */
function readDailyUsage(database: Reading, period: StatedPeriod): Promise<readonly DailyUsage[]> {
  return period.timeZone === 'UTC'
    ? readDailyRollups(database, period)
    : readDailyEntries(database, period);
}

/**
 * Sums the rollups of one period, and the few batches that are not folded into them yet: one query,
 * so one snapshot, in which every batch is on exactly one of the two sides.
 */
async function readDailyRollups(
  database: Reading,
  { tenantId, periodStart }: StatedPeriod,
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
  database: Reading,
  { tenantId, periodStart, timeZone }: StatedPeriod,
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
  database: Reading,
  { tenantId, periodStart, timeZone }: StatedPeriod,
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
