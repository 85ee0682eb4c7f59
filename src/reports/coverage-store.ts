import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Pico } from '../money.ts';
import { readReversedElsewhere } from './reversed-elsewhere-store.ts';
import { attributedCostOf, filterOf, sourceOf, type UsageQuestion } from './usage-report-store.ts';

/** The coverage says how much of the known cost in one currency belongs to a known tenant (R11). */
export interface Coverage {
  readonly currency: string;
  readonly attributedPico: Pico;
  readonly allPico: Pico;
  /** Entries whose cost nobody knows, which no share can say anything of. */
  readonly uncosted: number;
}

/**
 * Reads the coverage over the same days as the report; for one tenant it is that of all, which is
 * the point.
 */
export async function readCoverage(
  database: Database,
  of: Pick<UsageQuestion, 'month' | 'from' | 'to' | 'asOf'>,
): Promise<readonly Coverage[]> {
  const question = { ...of, by: [], tenantId: null };
  const { rows } = await sql<{ currency: string; attributed: Pico; all: Pico; uncosted: bigint }>`
    select currency, ${attributedCostOf('ledger_rollups')} as attributed,
      sum(cost) as all, sum(uncosted)::bigint as uncosted
    from ${sourceOf('ledger_rollups', question)}
    where ${filterOf(question)}
    group by currency order by currency`.execute(database.kysely);
  const elsewhere = await readReversedElsewhere(database, question);
  return rows.map(({ currency, attributed, all, uncosted }) => ({
    currency,
    attributedPico: attributed,
    allPico: all,
    uncosted: elsewhere
      .filter((reversed) => reversed.currency === currency)
      .reduce((count, { ofOtherMonths }) => count + ofOtherMonths.uncosted, Number(uncosted)),
  }));
}
