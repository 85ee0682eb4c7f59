import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { ArchiveAnswer, ArchiveCheckAnswer } from '../../archive/archive-answer.ts';
import { archiveCheckRequest, archiveRequest } from '../../archive/archive-answer.ts';
import { checkArchive } from '../../archive/check-archive.ts';
import { writeArchive } from '../../archive/write-archive.ts';
import { readRequest } from '../../request.ts';
import { counted } from '../../text/counted.ts';
import { readCount, readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';

export function addArchive(program: Command): void {
  const group = program
    .command('archive')
    .description('closed periods as compressed CSV that proves itself, in a folder or a bucket');
  addWrite(group);
  addCheck(group);
}

interface WriteFlags {
  readonly month?: string;
  readonly olderThan?: number;
  readonly tenant?: string;
  readonly to: string;
}

function addWrite(group: Command): void {
  const command = group
    .command('write')
    .description(
      'copy closed periods there; what is there already is left, and the ledger keeps all',
    )
    .requiredOption('--to <place>', 'a folder, or s3://BUCKET/PREFIX')
    .option('--month <month>', 'the periods that begin in it, YYYY-MM', readMonth)
    .option('--older-than <months>', 'the periods that began so many months ago', readCount)
    .option('--tenant <tenant>', 'of this tenant only');
  perform<WriteFlags>(command, async (session, { options }) => {
    const { month = null, olderThan = null, tenant = null, to } = options;
    const given = { month, older_than_months: olderThan, tenant_id: tenant, to };
    const answer = await writeArchive(session.parts(), readRequest(archiveRequest, given));
    session.out.answer(answer, describe);
  });
}

function describe({ to, periods }: ArchiveAnswer): string {
  const written = periods.filter((period) => period.written);
  const entries = written.reduce((sum, period) => sum + period.entries, 0);
  const known = periods.length - written.length;
  return [
    `archived ${counted(written.length, 'period')} with ${counted(entries, 'entry', 'entries')} to ${to}`,
    ...(known === 0 ? [] : [`${counted(known, 'period')} stood there before`]),
  ].join('\n');
}

function addCheck(group: Command): void {
  const command = group
    .command('check')
    .argument('<place>', 'the folder or s3:// address that periods were archived to')
    .description('check every archived period, without a database; exit 1 names what fails');
  perform(command, async (session, { args: [place = ''] }) => {
    const request = readRequest(archiveCheckRequest, { place });
    const answer = await checkArchive(session.s3(), request);
    if (!answer.holds) session.foundWrong();
    session.out.answer(answer, renderCheck);
  });
}

function renderCheck({ periods, missing }: ArchiveCheckAnswer): string {
  const checked = periods.map(({ tenant_id, period_start, entries, holds, detail }) => {
    const mark = holds ? styleText('green', 'holds') : styleText('red', 'FAILS');
    const of = counted(entries, 'entry', 'entries');
    return `${mark}  ${tenant_id} from ${period_start}, ${of}\n       ${detail}`;
  });
  const gone = missing.map((what) => `${styleText('red', 'GONE')}   ${what}`);
  return [...checked, ...gone].join('\n');
}
