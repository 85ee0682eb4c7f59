import { sql } from 'kysely';
import type { InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { periodKey, readCloses } from '../ledger/closes/close-store.ts';
import type { Manifest } from '../ledger/closes/manifest.ts';
import { LAYERS_SOURCE, SCALED } from '../ledger/entries/entry.ts';
import { linesOfEntry } from '../ledger/entries/line-of-entry.ts';
import { readLineEntries } from '../ledger/entries/line-store.ts';
import { loadPriceCatalog } from '../rating/books/price-book-store.ts';
import { rulesOfEntry } from './rules-of-entry.ts';

/** How entries were billed: by which rules, and in which lines of which statement. */
export interface EntryBilling {
  readonly rules: readonly { readonly entry_id: string; readonly rule: string }[];
  /** Of closed periods; the exact amounts of an entry's lines sum to its charge. */
  readonly lines: readonly {
    readonly entry_id: string;
    readonly tenant_id: string;
    readonly period_start: string;
    readonly line: number | null;
    readonly meter: string;
    readonly quantity: string;
    readonly rate: string;
    readonly exact: string;
  }[];
}

export async function readEntryBilling(
  database: Database,
  of: { readonly entryIds: readonly bigint[]; readonly closedUntil: InstantMs },
): Promise<EntryBilling> {
  return {
    rules: await readRules(database, of.entryIds),
    lines: await readStatementLines(database, of),
  };
}

/** The rules behind the amounts of each entry, in the order of their ids. */
export async function readRules(
  database: Database,
  entryIds: readonly bigint[],
): Promise<EntryBilling['rules']> {
  const { rows } = await sql<RuledRow>`
    select entry_id, kind, outcome, is_reversal, corrects_entry_id, member_id, requested_model, executed_model,
      gateway_cache, late, period_start, coalesce(further_tags ->> ${LAYERS_SOURCE} = ${SCALED}, false) as layers_scaled,
      charge_book, charge_version, cost_book, cost_version
    from entries where entry_id = any(${[...entryIds]}::bigint[]) order by entry_id`.execute(
    database.kysely,
  );
  return rows.flatMap((row) =>
    rulesOfEntry({
      kind: row.kind,
      outcome: row.outcome,
      isReversal: row.is_reversal,
      correctsEntryId: row.corrects_entry_id,
      memberId: row.member_id,
      requestedModel: row.requested_model,
      executedModel: row.executed_model,
      gatewayCache: row.gateway_cache,
      late: row.late,
      periodStart: row.period_start,
      layersScaled: row.layers_scaled,
      chargeBook: row.charge_book,
      chargeVersion: row.charge_version,
      costBook: row.cost_book,
      costVersion: row.cost_version,
    }).map((rule) => ({ entry_id: `ent_${row.entry_id}`, rule })),
  );
}

async function readStatementLines(
  database: Database,
  of: { readonly entryIds: readonly bigint[]; readonly closedUntil: InstantMs },
): Promise<EntryBilling['lines']> {
  const catalog = await loadPriceCatalog(database.kysely);
  const entries = await readLineEntries(database, catalog, of.entryIds);
  const tenants = [...new Set(entries.map(({ tenantId }) => tenantId))];
  const closes = await Promise.all(
    tenants.map((tenantId) => readCloses(database, { month: null, tenantId })),
  );
  const manifests = new Map(
    closes
      .flat()
      .filter((close) => close.closedAt <= of.closedUntil)
      .map((close) => [periodKey(close.tenantId, close.periodStart), close.manifest] as const),
  );
  return entries.flatMap((entry) => {
    const frozen = manifests.get(periodKey(entry.tenantId, entry.periodStart));
    if (frozen === undefined) return [];
    const manifest: Manifest = JSON.parse(frozen);
    return linesOfEntry(entry.group, manifest.lines).map((part) => ({
      entry_id: `ent_${entry.entryId}`,
      tenant_id: entry.tenantId,
      period_start: entry.periodStart,
      ...part,
    }));
  });
}

interface RuledRow {
  readonly entry_id: bigint;
  readonly kind: string;
  readonly outcome: string;
  readonly is_reversal: boolean;
  readonly corrects_entry_id: bigint | null;
  readonly member_id: string;
  readonly requested_model: string;
  readonly executed_model: string;
  readonly gateway_cache: string;
  readonly late: boolean;
  readonly period_start: string;
  readonly layers_scaled: boolean;
  readonly charge_book: string | null;
  readonly charge_version: InstantMs | null;
  readonly cost_book: string | null;
  readonly cost_version: InstantMs | null;
}
