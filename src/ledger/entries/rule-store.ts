import { sql } from 'kysely';
import type { InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { COST_EXCHANGE, LAYERS_SOURCE, SCALED } from './entry.ts';
import { rulesOfEntry } from './rules-of-entry.ts';

export interface RuleOfEntry {
  readonly entry_id: string;
  /** A sentence. */
  readonly rule: string;
}

/** Reads the rules behind the amounts of each entry, in the order of their ids. */
export async function readRules(
  database: Database,
  entryIds: readonly bigint[],
): Promise<readonly RuleOfEntry[]> {
  const { rows } = await sql<RuledRow>`
    select entry_id, kind, outcome, is_reversal, corrects_entry_id, member_id, requested_model, executed_model,
      gateway_cache, late, not_due is null as due, period_start, coalesce(further_tags ->> ${LAYERS_SOURCE} = ${SCALED}, false) as layers_scaled,
      charge_book, charge_version, cost_book, cost_version, further_tags ->> ${COST_EXCHANGE} as exchange
    from entries where entry_id = any(${[...entryIds]}::bigint[]) order by entry_id`.execute(
    database.kysely,
  );
  const exchanges = await readExchanges(
    database,
    rows.flatMap(({ exchange }) => exchange ?? []),
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
      due: row.due,
      periodStart: row.period_start,
      layersScaled: row.layers_scaled,
      chargeBook: row.charge_book,
      chargeVersion: row.charge_version,
      costBook: row.cost_book,
      costVersion: row.cost_version,
      convertedBy: exchanges.get(row.exchange ?? '') ?? null,
    }).map((rule) => ({ entry_id: `ent_${row.entry_id}`, rule })),
  );
}

/** What a tenant sees of an entry names no rates, so that its role is not asked to read any. */
async function readExchanges(database: Database, versions: readonly string[]) {
  if (versions.length === 0) return new Map<string, never>();
  const { rows } = await sql<{ version: string; source: string; from: InstantMs }>`
    select version_id::text as version, source, effective_from as "from" from exchange_versions
    where version_id::text = any(${[...versions]}::text[])`.execute(database.kysely);
  return new Map(rows.map(({ version, source, from }) => [version, { source, from }]));
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
  readonly due: boolean;
  readonly period_start: string;
  readonly layers_scaled: boolean;
  readonly charge_book: string | null;
  readonly charge_version: InstantMs | null;
  readonly cost_book: string | null;
  readonly cost_version: InstantMs | null;
  readonly exchange: string | null;
}
