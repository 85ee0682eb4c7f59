import { readTextFile } from '../../files.ts';
import { type PriceBookDocument, parsePriceBook } from '../../rating/books/price-book-document.ts';
import { Refusal } from '../../refusal.ts';

/** Reads the price books of a file: one as JSON, or an array of them. */
export async function readBookFile(file: string): Promise<readonly PriceBookDocument[]> {
  const json = await readJson(file);
  return (Array.isArray(json) ? json : [json]).map(parsePriceBook);
}

async function readJson(file: string): Promise<unknown> {
  const text = await readTextFile(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal('bad_document', `${file} is not JSON: ${String(error)}`, 'mend the file');
  }
}
