import { type Command, Option } from 'commander';
import type { InstantMs } from '../../clock.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import type { PublishedSeal } from '../../seals/publication/published-seals.ts';
import type { ObjectLock } from '../../seals/publication/seal-bucket-client.ts';
import { sealAll } from '../../seals/seal-batches.ts';
import { findUnknown, readDayEnds, readSeals } from '../../seals/seal-store.ts';
import { isBucket, openPublication, type Publication } from '../publication.ts';
import { readCount } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { table } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';

const LISTED = 20;
const DAY_MS = 86_400_000;

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

interface PublishFlags {
  readonly to: string;
  readonly retainDays?: number;
  readonly lockMode?: ObjectLock['mode'];
}

/** Anyone who holds one of these lines can tell later that nothing before it was written anew. */
function addPublish(group: Command): void {
  const command = group
    .command('publish')
    .description('seal what is posted, and publish the last seal of each UTC day')
    .requiredOption(
      '--to <place>',
      'a file, or s3://BUCKET/PREFIX; keep it where the owner of the database cannot write',
    )
    .option('--retain-days <n>', 'how long the bucket keeps each seal under its lock', readCount)
    .addOption(
      new Option('--lock-mode <mode>', 'compliance (the default) can be ended by nobody').choices([
        'compliance',
        'governance',
      ]),
    );
  perform<PublishFlags>(command, async (session, { options }) => {
    const { to } = options;
    const lock = readLock(options, session.clock());
    const publication = await openPublication(session, to);
    try {
      const ends = await publishNew(session, { to, publication, lock });
      session.out.answer(ends, describe(ends, to));
    } finally {
      publication.close();
    }
  });
}

/** Null for a file. How long a lock lasts is said by whoever publishes, as nobody can take it back. */
function readLock(flags: PublishFlags, now: InstantMs): ObjectLock | null {
  const { to, retainDays, lockMode = 'compliance' } = flags;
  if (isBucket(to)) {
    if (retainDays !== undefined) return { mode: lockMode, until: now + retainDays * DAY_MS };
    throw new Refusal(
      'bad_request',
      `how long ${to} must keep each seal is not said, and no one can shorten a compliance lock later`,
      'add --retain-days, such as --retain-days 2557 for seven years',
    );
  }
  if (retainDays === undefined && flags.lockMode === undefined) return null;
  throw new Refusal(
    'bad_request',
    `--retain-days and --lock-mode go with a bucket, and ${to} is a file`,
    'leave them out, or give --to s3://BUCKET/PREFIX',
  );
}

async function publishNew(
  session: Session,
  at: {
    readonly to: string;
    readonly publication: Publication;
    readonly lock: ObjectLock | null;
  },
): Promise<readonly PublishedSeal[]> {
  const { to, publication, lock } = at;
  const database = session.database();
  const before = await publication.read();
  const [unknown] = await findUnknown(database, before);
  if (unknown !== undefined) {
    throw new Refusal(
      'conflict',
      `seal ${unknown.seal}, published for ${unknown.day} in ${to}, is not the one in the database`,
      advise`run ${{ operation: 'verify', against: to }}; was it written from another database?`,
    );
  }
  await sealAll(database, session.clock);
  const ends = await readDayEnds(database, before.at(-1)?.seal ?? 0n);
  await publication.add(ends, lock);
  return ends;
}

function describe(ends: readonly PublishedSeal[], to: string): string {
  const last = ends.at(-1);
  if (last === undefined) return `nothing was sealed since the last seal in ${to}`;
  const days = ends.length === 1 ? '1 day' : `${ends.length} days`;
  return `published to ${to}: ${days}, the last is seal ${last.seal}, ${last.hash}`;
}
