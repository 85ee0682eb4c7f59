import { hash } from 'node:crypto';
import { formatInstant } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { type PriceBookDocument, readStoredBook } from './price-book-document.ts';
import { rateRow, versionTerms } from './price-book-store.ts';

/**
 * Finds versions of books that are not what their documents say: a document whose hash is another,
 * terms or rates that it does not give. So a rate that was changed shows before anything was
 * charged by it.
 */
export async function findChangedBooks(
  database: Database,
): Promise<{ readonly checked: number; readonly faults: readonly string[] }> {
  const versions = await database.kysely.selectFrom('price_books').selectAll().execute();
  const rates = await database.kysely.selectFrom('price_rates').selectAll().execute();
  const ratesOf = Map.groupBy(rates, (row) => `${row.effective_from} ${row.book}`);
  const faults = versions.flatMap((version) => {
    const name = `price book "${version.book}" from ${formatInstant(version.effective_from)}`;
    const kept = ratesOf.get(`${version.effective_from} ${version.book}`) ?? [];
    ratesOf.delete(`${version.effective_from} ${version.book}`);
    return versionFaults(version, kept).map((fault) => `${name}: ${fault}`);
  });
  const homeless = [...ratesOf.values()].flat();
  return {
    checked: versions.length + rates.length,
    faults: [
      ...faults,
      ...homeless.map((row) => `rate ${row.rate_id} belongs to no version of a price book`),
    ],
  };
}

interface Version {
  readonly book: string;
  readonly document: string;
  readonly document_hash: string;
  readonly [column: string]: unknown;
}

type RateRow = ReturnType<typeof rateRow>;
type KeptRate = { readonly rate_id: bigint } & { readonly [Column in keyof RateRow]?: unknown };

function versionFaults(version: Version, kept: readonly KeptRate[]): readonly string[] {
  if (hash('sha256', version.document, 'hex') !== version.document_hash) {
    return ['its document is not the one that was imported'];
  }
  const document = readDocument(version.document);
  if (document === null) return ['its document is no price book'];
  const terms = Object.entries(versionTerms(document)).filter(
    ([name, value]) => version[name] !== value,
  );
  const due = new Map(
    document.models.map((model) => {
      const { effective_from: _, ...row } = rateRow(version.book, document.effective_from, model);
      return [textOf(row), model.model] as const;
    }),
  );
  const strange = kept.filter((row) => !due.delete(textOf(row)));
  return [
    ...terms.map(([name]) => `its ${name} is not that of its document`),
    ...strange.map((row) => `rate ${row.rate_id} of ${String(row.model)} is not in its document`),
    ...[...due.values()].map((model) => `a rate of ${model} is missing or was changed`),
  ];
}

function readDocument(text: string): PriceBookDocument | null {
  try {
    return readStoredBook(JSON.parse(text));
  } catch {
    return null;
  }
}

const COLUMNS = [
  'provider',
  'model',
  'service_tier',
  'above_input_tokens',
  'per_call',
  'input',
  'output',
  'cache_read',
  'cache_write',
] as const;

function textOf(row: { readonly [Column in keyof RateRow]?: unknown }): string {
  const units = typeof row.units === 'string' ? JSON.parse(row.units) : row.units;
  const sorted =
    units === null || units === undefined
      ? null
      : Object.entries(units as object).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([...COLUMNS.map((name) => String(row[name])), sorted]);
}
