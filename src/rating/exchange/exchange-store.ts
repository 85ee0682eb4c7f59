import { hash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { formatInstant, type InstantMs, parseInstant } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import type { Tables } from '../../database/tables.ts';
import { exactDecimal, formatDecimal } from '../../money.ts';
import { Refusal } from '../../refusal.ts';
import { inPlaceOf } from '../begin-of.ts';
import type { ExchangeDocument, ExchangeListAnswer } from './exchange-answer.ts';
import type { ExchangeVersion } from './exchange-rate.ts';

const DECIMALS = 12;

/** Stores rates as a new version; the same again changes nothing, and other rates of that instant are refused. */
export async function insertExchangeRates(
  database: Database,
  document: ExchangeDocument,
  importedAt: InstantMs,
): Promise<'imported' | 'unchanged'> {
  const effectiveFrom = formatInstant(parseInstant(document.effective_from));
  const rates = Object.entries(document.rates).sort(([a], [b]) => (a < b ? -1 : 1));
  const units = rates.map(([currency, rate]) => [currency, exactDecimal(rate, DECIMALS)] as const);
  const text = JSON.stringify([document.source, units.map(([name, rate]) => [name, String(rate)])]);
  const documentHash = hash('sha256', text, 'hex');
  return inTransaction(database, async (transaction) => {
    await transaction.client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `exchange-rates:${document.base}`,
    ]);
    const known = await transaction.kysely
      .selectFrom('exchange_versions')
      .select('document_hash')
      .where('base', '=', document.base)
      .where(sql<boolean>`effective_from = ${effectiveFrom}::timestamptz`)
      .executeTakeFirst();
    if (known !== undefined) return answerRepeated(document, known.document_hash === documentHash);
    const { version_id } = await transaction.kysely
      .insertInto('exchange_versions')
      .values({
        base: document.base,
        effective_from: effectiveFrom,
        source: document.source,
        document_hash: documentHash,
        imported_at: formatInstant(importedAt),
      })
      .returning('version_id')
      .executeTakeFirstOrThrow();
    const rows = units.map(([currency, rate]) => ({ version_id, currency, rate }));
    await transaction.kysely.insertInto('exchange_rates').values(rows).execute();
    return 'imported';
  });
}

function answerRepeated({ base, effective_from }: ExchangeDocument, same: boolean): 'unchanged' {
  if (same) return 'unchanged';
  const later = formatInstant(inPlaceOf({ effectiveFrom: parseInstant(effective_from) }));
  throw new Refusal(
    'conflict',
    `there are other rates of ${base} from ${effective_from}; a version is immutable`,
    `give the rates a later effective_from, and a re-rate of the month makes corrections by them; from ${later} on they hold for all of that second`,
  );
}

/** Reads every version, newest first, for rating. */
export async function loadExchangeRates(db: Kysely<Tables>): Promise<readonly ExchangeVersion[]> {
  const versions = await db
    .selectFrom('exchange_versions')
    .select(['version_id', 'base', 'effective_from'])
    .orderBy('effective_from', 'desc')
    .orderBy('base')
    .execute();
  const rates = await db.selectFrom('exchange_rates').selectAll().execute();
  const ratesOf = Map.groupBy(rates, (row) => row.version_id);
  return versions.map((row) => ({
    versionId: row.version_id,
    base: row.base,
    effectiveFrom: row.effective_from,
    rates: new Map(
      (ratesOf.get(row.version_id) ?? []).map(({ currency, rate }) => [currency, rate]),
    ),
  }));
}

/** Reads every version as it was imported, oldest first. */
export async function readExchangeRates(database: Database): Promise<ExchangeListAnswer> {
  const loaded = await loadExchangeRates(database.kysely);
  const sources = await database.kysely
    .selectFrom('exchange_versions')
    .select(['version_id', 'source'])
    .execute();
  const sourceOf = new Map(sources.map(({ version_id, source }) => [version_id, source]));
  return [...loaded].reverse().map(({ versionId, base, effectiveFrom, rates }) => ({
    base,
    effective_from: formatInstant(effectiveFrom),
    source: sourceOf.get(versionId) ?? '',
    rates: Object.fromEntries(
      [...rates].map(([name, rate]) => [name, formatDecimal(rate, DECIMALS).replace(/\.?0+$/, '')]),
    ),
  }));
}
