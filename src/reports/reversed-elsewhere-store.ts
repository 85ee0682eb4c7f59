import { sql } from 'kysely';
import { formatInstant } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { IS_WAITING } from '../ledger/entries/waiting.ts';
import { ENTRY_DIMENSIONS } from '../ledger/rollups/rollup-store.ts';
import type { Dimension } from './usage-answer.ts';
import { COLUMNS, dimensionsOf, filterOf, type UsageQuestion } from './usage-report-store.ts';

/** Reversals of entries whose cost nobody knows, and of entries that wait for a price or for their usage. */
interface Reversed {
  readonly uncosted: number;
  readonly uncharged: number;
}

/** What a group has of reversals without having what they reverse. */
export interface ReversedElsewhere {
  readonly dimensions: readonly string[];
  readonly currency: string;
  /** What they reverse stands in a month of before, and in no group of the question. */
  readonly ofOtherMonths: Reversed;
  /** What they reverse stands in the group of another kind. */
  readonly ofOtherKinds: Reversed;
}

interface ReversedRow {
  readonly dimensions: readonly string[];
  readonly currency: string;
  readonly other_month: boolean;
  readonly uncosted: bigint;
  readonly uncharged: bigint;
}

/**
 * Counts the reversals that the sums of rollups take off what they do not take back (R10): a reversal has every dimension
 * of what it reverses but its kind and, where that period was closed, its period. Rollups do not say what a reversal
 * reverses, so entries do; one that is not folded yet leaves a cost unknown that is not any more.
 */
export async function readReversedElsewhere(
  database: Database,
  question: UsageQuestion,
): Promise<readonly ReversedElsewhere[]> {
  const { by, month, asOf } = question;
  const byKind = by.includes('kind');
  if (month == null && !byKind) return [];
  if (!(await hasCorrections(database, question))) return [];
  const columns = by.filter((name): name is RolledUp => name !== 'layer').map(columnOf);
  const isOfOtherMonth = month == null ? sql`false` : sql`o.period_start < ${`${month}-01`}::date`;
  const { rows } = await sql<ReversedRow>`
    select ${dimensionsOf(columns)}, currency, other_month,
      count(*) filter (where uncosted) as uncosted, count(*) filter (where uncharged) as uncharged
    from (
      select ${sql.raw(ENTRY_DIMENSIONS.map(({ name, of }) => `${of} as ${name}`).join(', '))},
        e.cost is null as uncosted, ${sql.raw(`e.${IS_WAITING}`)} as uncharged, ${isOfOtherMonth} as other_month
      from entries e join entries o on o.tenant_id = e.tenant_id and o.entry_id = e.corrects_entry_id
      where e.corrects_entry_id is not null and e.is_reversal and e.kind = 'correction'
        and (e.cost is null or ${sql.raw(`e.${IS_WAITING}`)})
        and (${isOfOtherMonth} or ${byKind ? sql`o.kind <> e.kind` : sql`false`})
        ${asOf === undefined ? sql`` : sql`and e.recorded_at <= ${formatInstant(asOf)}::timestamptz`}
    ) reversed
    where ${filterOf(question)}
    group by ${sql.raw([...columns, 'currency', 'other_month'].join(', '))}`.execute(
    database.kysely,
  );
  return rows.map(({ dimensions, currency, other_month, uncosted, uncharged }) => {
    const reversed = { uncosted: Number(uncosted), uncharged: Number(uncharged) };
    return {
      dimensions,
      currency,
      ofOtherMonths: other_month ? reversed : NONE,
      ofOtherKinds: other_month ? NONE : reversed,
    };
  });
}

type RolledUp = Exclude<Dimension, 'layer'>;

const NONE: Reversed = { uncosted: 0, uncharged: 0 };

function columnOf(name: RolledUp): string {
  return COLUMNS[name];
}

/** Most months have no corrections, and the rollups say so at once. */
async function hasCorrections(database: Database, question: UsageQuestion): Promise<boolean> {
  // They have no history, and as of an instant it is entries that are read.
  if (question.asOf !== undefined) return true;
  const rollup = question.tenantId === null ? 'ledger_rollups' : 'usage_rollups';
  const { rows } = await sql<{ found: boolean }>`
    select exists (select from ${sql.table(rollup)}
      where kind = 'correction' and ${filterOf(question)}) as found`.execute(database.kysely);
  return rows[0]?.found === true;
}
