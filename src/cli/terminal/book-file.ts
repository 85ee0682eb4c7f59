import { type PriceBookDocument, parsePriceBook } from '../../rating/books/price-book-document.ts';
import { readJsonFile } from './json-file.ts';

/** Reads the price books of a file: one as JSON, or an array of them. */
export async function readBookFile(file: string): Promise<readonly PriceBookDocument[]> {
  const json = await readJsonFile(file);
  return (Array.isArray(json) ? json : [json]).map(parsePriceBook);
}
