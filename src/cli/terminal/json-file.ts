import { readTextFile } from '../../files.ts';
import { Refusal } from '../../refusal.ts';

/** Reads a file of JSON. What is wrong with one is told in one line, though it quotes some of the file. */
export async function readJsonFile(file: string): Promise<unknown> {
  const text = await readTextFile(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = String(error).replaceAll(/\s+/g, ' ');
    throw new Refusal('bad_document', `${file} is not JSON: ${why}`, 'correct the file');
  }
}
