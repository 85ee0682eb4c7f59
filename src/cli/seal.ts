import { appendFile, readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { Refusal } from '../refusal.ts';
import { formatPublished, type PublishedSeal, parsePublished } from '../seals/published-seals.ts';
import { sealAll } from '../seals/seal-batches.ts';
import { findUnknown, readDayEnds, readSeals } from '../seals/seal-store.ts';
import { readCount } from './arguments.ts';
import { perform } from './command.ts';
import { table } from './output.ts';

const LISTED = 20;

export function addSeal(program: Command): void {
  const group = program.command('seal').description('the chain that makes later tampering visible');
  const list = group
    .command('list')
    .description('the newest seals')
    .option('--last <n>', 'how many', readCount, LISTED);
  perform<{ last: number }>(list, async (session, { options }) => {
    const seals = await readSeals(session.database(), options.last);
    const text = table(seals, [
      { title: 'SEAL', value: (row) => String(row.seal_number), figure: true },
      { title: 'BATCH', value: (row) => String(row.batch_id), figure: true },
      { title: 'ENTRIES', value: (row) => String(row.entries), figure: true },
      { title: 'SEALED', value: (row) => row.sealed_at },
      { title: 'HASH', value: (row) => row.seal_hash },
    ]);
    session.out.answer(seals, text);
  });
  addPublish(group);
}

/** Anyone who holds the file, or one line of it, can tell later that nothing before it was written anew. */
function addPublish(group: Command): void {
  const command = group
    .command('publish')
    .description('seal what is posted, and append the last seal of each UTC day to a file')
    .requiredOption(
      '--to <file>',
      'lines of JSON; keep it where the owner of the database cannot write',
    );
  perform<{ to: string }>(command, async (session, { options: { to } }) => {
    if (to.startsWith('s3://')) refuseBucket(to);
    const database = session.database();
    const before = await readPublished(to, '');
    const [unknown] = await findUnknown(database, before);
    if (unknown !== undefined) {
      throw new Refusal(
        'seal',
        `seal ${unknown.seal}, published for ${unknown.day} in ${to}, is not the one in the database`,
        `run "spanledger verify --against ${to}"; was this file written from another database?`,
      );
    }
    await sealAll(database, session.clock);
    const ends = await readDayEnds(database, before.at(-1)?.seal ?? 0n);
    await appendFile(to, ends.map(formatPublished).join(''));
    const last = ends.at(-1);
    const text =
      last === undefined
        ? `nothing was sealed since the last line of ${to}`
        : `published to ${to}: ${ends.length} ${ends.length === 1 ? 'day' : 'days'}, the last is seal ${last.seal}, ${last.hash}`;
    session.out.answer(ends, text);
  });
}

/** What was published to a file; without the file, the given text or an error. */
export async function readPublished(
  file: string,
  without: string | null = null,
): Promise<readonly PublishedSeal[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' && without !== null) return without;
    const remedy = 'give the file that "spanledger seal publish" wrote';
    throw new Refusal('usage', `${file} cannot be read: ${error.message}`, remedy);
  });
  return parsePublished(text, file);
}

function refuseBucket(address: string): never {
  throw new Refusal(
    'usage',
    `${address} is a bucket, and seals are published to a file`,
    `publish to a file and put it under object lock: aws s3api put-object --bucket BUCKET --key seals-DAY.jsonl --body FILE --checksum-algorithm SHA256 --object-lock-mode COMPLIANCE --object-lock-retain-until-date DATE`,
  );
}
