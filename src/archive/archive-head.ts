import { Refusal } from '../refusal.ts';
import { jsonIn } from '../text/json.ts';
import type { ArchivedHead } from './archive-answer.ts';
import { archivedHead } from './archive-answer.ts';

/** The file beside a period's entries. */
export const HEAD_NAME = 'period.json';

/** How the name of a file of entries ends. */
export const ENTRIES_ENDING = '.csv.gz';

export const HEAD_FORMAT = 'spanledger-archive-1';

/** Reads what stands beside a period's entries; throws a `Refusal` that names the file where it is anything else. */
export function parseHead(bytes: Buffer, path: string): ArchivedHead {
  const read = archivedHead.safeParse(jsonIn(bytes.toString('utf8')) ?? null);
  if (read.success) return read.data;
  const [fault] = read.error.issues;
  throw new Refusal(
    'bad_document',
    `${path} is not an archived period: ${[...(fault?.path ?? []), fault?.message].join(': ')}`,
    'take it as it was written, or take it away and archive the period again',
  );
}
