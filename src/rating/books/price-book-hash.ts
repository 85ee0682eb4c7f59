import { hash } from 'node:crypto';
import { formatInstant, parseInstant } from '../../clock.ts';
import type { PriceBookDocument } from './price-book-document.ts';

/** What a book does that does not say how it charges cached input (R6). */
export const DEFAULT_CACHING = 'work_done';

/**
 * Returns the document with its instant in UTC and its rows in one order: equal books have equal
 * bytes.
 */
export function canonicalDocument(document: PriceBookDocument): string {
  const models = document.models.map((model) => sortKeys(model));
  const ordered = models.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  const effective_from = formatInstant(parseInstant(document.effective_from));
  const { caching = DEFAULT_CACHING } = document;
  return JSON.stringify(sortKeys({ ...document, caching, effective_from, models: ordered }));
}

export function hashDocument(document: PriceBookDocument): string {
  return hash('sha256', canonicalDocument(document), 'hex');
}

function sortKeys(value: object): Record<string, unknown> {
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [
    key,
    typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? sortKeys(inner) : inner,
  ]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
