import { sql } from 'kysely';
import { formatInstant } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { ENTRIES_OF_BATCH } from '../database/entries-of-batch.ts';
import { DEFAULT_ISSUER } from '../issuer/issuer-answer.ts';
import { readIssuer } from '../issuer/issuer-store.ts';
import { readCloses } from '../ledger/closes/closed-periods-store.ts';
import type { Manifest } from '../ledger/closes/manifest.ts';
import { formatPico, type Pico } from '../money.ts';
import { UNATTRIBUTED } from '../rating/rate-event.ts';
import { type Beside, readBesideManifest } from './beside/beside-store.ts';
import { buildStatement } from './statement.ts';
import type { DailyUsage, StatementDocument } from './statement-answer.ts';
import { withEntries } from './statement-document.ts';

/**
 * Reads the statements of the closed periods that begin in a month, by tenant; of one tenant if
 * given.
 */
export async function readStatements(
  database: Database,
  filter: { readonly month: string; readonly tenantId: string | null },
): Promise<readonly StatementDocument[]> {
  const documents: StatementDocument[] = [];
  const issuer = await readIssuerOf(database);
  const closes = await readCloses(database, filter);
  // Usage without a tenant is billed to nobody, and nobody gets a statement of it.
  for (const close of closes.filter(({ tenantId }) => tenantId !== UNATTRIBUTED)) {
    const manifest: Manifest = JSON.parse(close.manifest);
    const { manifestHash, closedAt, mode } = close;
    const frozen = { manifestHash, closedAt: formatInstant(closedAt) };
    const statement = buildStatement({ manifest, mode, frozen, preview: null });
    documents.push(withEntries(statement, await readBesideOf(database, manifest, issuer)));
  }
  return documents;
}

/** What is read beside a manifest. */
export async function readBesideOf(
  database: Reading,
  manifest: Manifest,
  issuer: StatementDocument['issuer'],
): Promise<Beside & Pick<StatementDocument, 'daily' | 'issuer'>> {
  const period = {
    tenantId: manifest.tenant_id,
    periodStart: manifest.period_start,
    timeZone: manifest.time_zone,
  };
  const daily = await readDailyUsage(database, period);
  return { issuer, daily, ...(await readBesideManifest(database, manifest)) };
}

/** Reads who sends statements: the one that is set, or else the program itself. */
export async function readIssuerOf(database: Reading): Promise<StatementDocument['issuer']> {
  const { set_at: _, name, ...issuer } = await readIssuer(database);
  return { name: name ?? DEFAULT_ISSUER, ...issuer };
}

/** A database, or the snapshot of it in which everything of a statement is read. */
type Reading = Pick<Database, 'kysely'>;

interface StatedPeriod {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly timeZone: string;
}

/**
 * Reads the charge by the customer's own day, in the zone that the close froze. Nothing is posted
 * to a period after its close, so these sums of its entries stay what they were then: what comes
 * late is in a later period, and a change of the tenant's zone or anchor day changes periods to
 * come only. One thing alone could move a call next to midnight, a correction of the zone's own
 * rules in the database server's copy of them. Rollups are kept by UTC day, and so give the days of
 * a period in UTC; those of any other zone are summed from its entries.
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
