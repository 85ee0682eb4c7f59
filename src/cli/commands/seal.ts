import { type Command, Option } from 'commander';
import { readRequest } from '../../request.ts';
import { listSeals } from '../../seals/list-seals.ts';
import { publishSeals } from '../../seals/publication/publish-seals.ts';
import type { SealPublicationAnswer } from '../../seals/seal-answer.ts';
import { sealListRequest, sealPublicationRequest } from '../../seals/seal-answer.ts';
import { counted, figureOf } from '../../text/counted.ts';
import { readCount } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { timeOf } from '../terminal/figures.ts';

const LISTED = 20;

export function addSeal(program: Command): void {
  const group = program.command('seal').description('the chain that makes later tampering visible');
  addList(group);
  addPublish(group);
}

function addList(group: Command): void {
  const command = group
    .command('list')
    .description('the newest seals')
    .option('--last <n>', 'how many', readCount, LISTED);
  perform<{ last: number }>(command, async (session, { options }) => {
    const request = readRequest(sealListRequest, { last: options.last });
    const seals = await listSeals(session.parts(), request);
    const text = session.out.table(seals, [
      { title: 'SEAL', value: (row) => row.seal_number, figure: true },
      { title: 'BATCH', value: (row) => row.batch_id ?? '-', figure: true },
      { title: 'ENTRIES', value: (row) => figureOf(row.entries), figure: true },
      { title: 'SEALED', value: (row) => timeOf(row.sealed_at) },
      { title: 'HASH', value: (row) => row.seal_hash },
    ]);
    session.out.answer(seals, text);
  });
}

interface PublishFlags {
  readonly to: string;
  readonly retainDays?: number;
  readonly lockMode?: 'compliance' | 'governance';
  readonly restoredFrom?: string;
  readonly reason?: string;
}

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
    )
    .option(
      '--restored-from <place>',
      'after a restore: where seals were published before; what is lost of them is said first',
    )
    .option('--reason <text>', 'why a backup was restored');
  perform<PublishFlags>(command, async (session, { options }) => {
    const { to, retainDays = null, lockMode = null } = options;
    const { restoredFrom = null, reason = null } = options;
    const restored = { restored_from: restoredFrom, reason };
    const given = { to, retain_days: retainDays, lock_mode: lockMode, ...restored };
    const request = readRequest(sealPublicationRequest, given);
    const published = await publishSeals(session.parts(), request);
    session.out.answer(published, (shown) => describe(shown, to));
  });
}

function describe(published: SealPublicationAnswer, to: string): string {
  const last = published.at(-1);
  if (last === undefined) return `nothing was sealed since the last seal in ${to}`;
  return `published to ${to}: ${counted(published.length, 'day')}, the last is seal ${last.seal}, ${last.hash}`;
}
