import type { InstantMs } from '../../clock.ts';
import { eachRow } from '../../database/cursor.ts';
import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import type { PriceCatalog } from '../../rating/books/price-catalog.ts';
import type { EntryGroup, ManifestLine } from './manifest-lines.ts';
import type { PricedRow } from './period-groups-store.ts';
import { CALLS_OF_ENTRY, ratesById, toGroup } from './period-groups-store.ts';

/** An entry as a line of a statement sees it: a group of one, and where it comes from. */
interface LineEntry {
  readonly entryId: bigint;
  readonly tenantId: string;
  readonly periodStart: string;
  readonly source: string;
  readonly eventId: string;
  readonly memberId: string;
  readonly occurredAt: InstantMs;
  readonly chargeBook: string | null;
  readonly chargeVersion: InstantMs | null;
  readonly group: EntryGroup;
}

/**
 * Hands on the entries of a period that may stand in a line, in the order of their ids, one after
 * the other.
 */
export function eachEntryNearLine(
  database: Database,
  of: {
    readonly catalog: PriceCatalog;
    readonly tenantId: string;
    readonly periodStart: string;
    readonly line: ManifestLine;
  },
  work: (entry: LineEntry) => void,
): Promise<void> {
  const { catalog, tenantId, periodStart, line } = of;
  const prices = { catalog, rates: ratesById(catalog) };
  const text = `select ${COLUMNS} from entries e
    where e.tenant_id = $1 and e.period_start = $2 and e.requested_model = $3
      and e.service_tier = $4 and e.late = $5 and e.not_due is null and e.kind = any($6::text[])
    order by e.entry_id`;
  const values = [
    tenantId,
    periodStart,
    line.model,
    line.service_tier,
    line.late,
    kindsOfLine(line),
  ];
  return inTransaction(database, (transaction) =>
    eachRow<LineEntryRow>(transaction, { text, values }, (row) =>
      work(toLineEntry(row, toGroup(row, prices))),
    ),
  );
}

/** A share of a pool and an adjustment are lines of their own, and never of usage. */
function kindsOfLine({ meter }: ManifestLine): readonly string[] {
  return meter === 'allocation' || meter === 'adjustment' ? [meter] : ['usage', 'correction'];
}

/** Reads entries by their ids. */
export async function readLineEntries(
  database: Database,
  catalog: PriceCatalog,
  entryIds: readonly bigint[],
): Promise<readonly LineEntry[]> {
  const prices = { catalog, rates: ratesById(catalog) };
  const { rows } = await database.pool.query<LineEntryRow>(
    `select ${COLUMNS} from entries e where e.entry_id = any($1::bigint[]) order by e.entry_id`,
    [entryIds],
  );
  return rows.map((row) => toLineEntry(row, toGroup(row, prices)));
}

const COLUMNS = `e.entry_id, e.tenant_id, e.period_start, e.source, e.event_id, e.member_id, e.occurred_at,
  e.requested_model, e.service_tier, e.late, e.not_due is true as not_due, e.kind, e.outcome, e.currency,
  e.charge_book, e.charge_version, e.charge_rate_id,
  (e.gateway_cache <> 'none' and e.charge = 0) is true as gateway_free, 1::bigint as entries,
  (${CALLS_OF_ENTRY})::bigint as calls,
  e.uncached_input_tokens as uncached_input, e.cache_read_tokens as cache_read,
  e.cache_write_tokens as cache_write, e.output_tokens as output, e.call_share::bigint as call_share, e.units,
  coalesce(e.charge, 0) as charge`;

interface LineEntryRow extends PricedRow {
  readonly entry_id: bigint;
  readonly tenant_id: string;
  readonly period_start: string;
  readonly source: string;
  readonly event_id: string;
  readonly member_id: string;
  readonly occurred_at: InstantMs;
}

function toLineEntry(row: LineEntryRow, group: EntryGroup): LineEntry {
  return {
    entryId: row.entry_id,
    tenantId: row.tenant_id,
    periodStart: row.period_start,
    source: row.source,
    eventId: row.event_id,
    memberId: row.member_id,
    occurredAt: row.occurred_at,
    chargeBook: row.charge_book,
    chargeVersion: row.charge_version,
    group,
  };
}
