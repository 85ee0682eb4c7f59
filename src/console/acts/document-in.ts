import { Refusal } from '../../refusal.ts';

/** Reads a document that was pasted or uploaded: one, or an array of them. */
export function documentsIn(text: string): readonly unknown[] {
  try {
    return [JSON.parse(text)].flat();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal('bad_document', `the document is not JSON: ${why}`, 'give the whole file');
  }
}
