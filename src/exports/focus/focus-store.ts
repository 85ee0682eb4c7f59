import { sql } from 'kysely';
import type { InstantMs } from '../../clock.ts';
import { eachRow } from '../../database/cursor.ts';
import type { Database, Transaction } from '../../database/database.ts';
import type { CloseRow } from '../../ledger/closes/closed-periods-store.ts';
import type { EntryGroup } from '../../ledger/closes/manifest-lines.ts';
import {
  CALLS_OF_ENTRY,
  type PricedRow,
  ratesById,
  toGroup,
} from '../../ledger/closes/period-groups-store.ts';
import type { PriceCatalog } from '../../rating/books/price-catalog.ts';
import type { Rate } from '../../rating/books/rate.ts';

/** Entries of one day that share their price and their tags, summed. */
export interface FocusGroup {
  readonly group: EntryGroup;
  readonly dayStartsAt: InstantMs;
  readonly dayEndsAt: InstantMs;
  /** The price before the discount of the tenant's book; null where the group has no priced charge. */
  readonly listRate: Rate | null;
  readonly tags: Readonly<Record<string, string>>;
}

interface FocusGroupRow extends PricedRow {
  readonly day_starts_at: InstantMs;
  readonly day_ends_at: InstantMs;
  readonly user_id: string | null;
  readonly feature: string | null;
  readonly agent_run_id: string | null;
  readonly prompt_version: string | null;
}

/**
 * Hands on what the entries of a period come to that are due, by day, price and tags, one after the
 * other.
 */
export async function eachFocusGroup(
  transaction: Transaction,
  of: {
    readonly period: Pick<CloseRow, 'tenantId' | 'periodStart'>;
    readonly timeZone: string;
    readonly catalog: PriceCatalog;
  },
  work: (group: FocusGroup) => void,
): Promise<void> {
  const { period, timeZone, catalog } = of;
  const prices = { catalog, rates: ratesById(catalog) };
  const values = [period.tenantId, period.periodStart, timeZone];
  await eachRow<FocusGroupRow>(transaction, { text: GROUPS, values }, (row) => {
    const { user_id, feature, agent_run_id, prompt_version } = row;
    const tags = { user_id, feature, agent_run_id, prompt_version };
    const version = catalog.books
      .get(row.charge_book ?? '')
      ?.find(({ effectiveFrom }) => effectiveFrom === row.charge_version);
    const group = toGroup(row, prices);
    const isDiscounted = (version?.baseFactor ?? null) !== null;
    const base = isDiscounted ? prices.rates.get(row.charge_rate_id ?? -1n) : undefined;
    work({
      group,
      dayStartsAt: row.day_starts_at,
      dayEndsAt: row.day_ends_at,
      listRate: base ?? group.price?.rate ?? null,
      tags: Object.fromEntries(
        Object.entries(tags).filter((tag): tag is [string, string] => tag[1] !== null),
      ),
    });
  });
}

/** The columns that tell one group from another. */
const KEYS = `day, requested_model, service_tier, late, kind, outcome, currency, charge_book,
  charge_version, charge_rate_id, gateway_free, user_id, feature, agent_run_id, prompt_version`;

/** Returns the first instant of a day of the zone: of a midnight that comes twice, Postgres takes the second. */
function firstInstantOf(day: string): string {
  return `(${day}::timestamp - interval '1 second') at time zone $3 + interval '1 second'`;
}

const GROUPS = `
  select g.*, ${firstInstantOf('g.day')} as day_starts_at, ${firstInstantOf('(g.day + 1)')} as day_ends_at
  from (
    select ${KEYS}, false as not_due, count(*) as entries, sum(calls) as calls,
      sum(uncached_input_tokens) as uncached_input, sum(cache_read_tokens) as cache_read,
      sum(cache_write_tokens) as cache_write, sum(output_tokens) as output,
      sum(call_share::bigint) as call_share, sum_units(units) as units, coalesce(sum(charge), 0) as charge
    from (
      select e.*, (occurred_at at time zone $3)::date as day, ${CALLS_OF_ENTRY} as calls,
        (gateway_cache <> 'none' and charge = 0) is true as gateway_free
      from entries e where tenant_id = $1 and period_start = $2 and not_due is not true
    ) due
    group by ${KEYS}
  ) g
  order by ${KEYS}`;

/** Reads the invoices of a month's periods, by tenant and period, as far as there are any. */
export async function readInvoiceIds(
  database: Database,
  closes: readonly CloseRow[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ tenant_id: string; period_start: string; invoice_id: string }>`
    select tenant_id, period_start::text, invoice_id from audit.periods
    where tenant_id = any(${closes.map(({ tenantId }) => tenantId)})
      and period_start = any(${closes.map(({ periodStart }) => periodStart)}::date[])
      and invoice_id is not null`.execute(database.kysely);
  return new Map(rows.map((row) => [`${row.tenant_id} ${row.period_start}`, row.invoice_id]));
}
