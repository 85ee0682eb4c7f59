import { hash } from 'node:crypto';
import { formatInstant, parseInstant } from '../../clock.ts';
import type { PriceBookDocument } from './price-book-document.ts';

/** The default for a book that does not say how it charges cached input (R6). */
export const DEFAULT_CACHING = 'work_done';

/** A document as it is kept. */
export interface CanonicalDocument {
  readonly text: string;
  readonly hash: string;
}

/**
 * Returns the document with its instant in UTC and its rows in one order: equal books have equal
 * bytes.
 */
export function canonicalDocument(document: PriceBookDocument): CanonicalDocument {
  const models = document.models.map((model) => sortKeys(model));
  // Each is written once and not at every comparison: a book of providers has thousands of them.
  const written = models.map((model) => ({ model, text: JSON.stringify(model) }));
  const ordered = written.sort((a, b) => (a.text < b.text ? -1 : 1)).map(({ model }) => model);
  const effective_from = formatInstant(parseInstant(document.effective_from));
  const { caching = DEFAULT_CACHING } = document;
  const text = JSON.stringify(sortKeys({ ...document, caching, effective_from, models: ordered }));
  return { text, hash: hash('sha256', text, 'hex') };
}

function sortKeys(value: object): Record<string, unknown> {
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [
    key,
    typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? sortKeys(inner) : inner,
  ]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
