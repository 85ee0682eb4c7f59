import type { Command } from 'commander';
import { readSettings } from '../../events/read-settings.ts';
import { listQuarantine, showQuarantined } from '../../ingest/list-quarantine.ts';
import {
  quarantinedRequest,
  quarantineRequest,
  replayRequest,
} from '../../ingest/quarantine-answer.ts';
import { replayQuarantine } from '../../ingest/replay-quarantine.ts';
import { readRequest } from '../../request.ts';
import { readCount, readId } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { table } from '../terminal/output.ts';

export function addQuarantine(program: Command): void {
  const group = program
    .command('quarantine')
    .description('events that could not be posted, whole, until they are replayed');
  addList(group);
  addShow(group);
  addReplay(group);
}

function addList(group: Command): void {
  const command = group
    .command('list')
    .description('what waits, oldest first')
    .option('--all', 'the replayed ones too')
    .option('--limit <n>', 'at most so many', readCount, 1000);
  perform<{ all?: boolean; limit: number }>(command, async (session, { options }) => {
    const { all = false, limit } = options;
    const request = readRequest(quarantineRequest, { all, limit });
    const rows = await listQuarantine(session.parts(), request);
    const text = table(rows, [
      { title: 'ID', value: (row) => row.quarantine_id, figure: true },
      { title: 'RECEIVED', value: (row) => row.received_at },
      { title: 'REASON', value: (row) => row.reason },
      { title: 'SOURCE', value: (row) => row.source ?? '' },
      { title: 'EVENT', value: (row) => (row.event_id ?? '').slice(0, 40) },
      { title: 'DETAIL', value: (row) => row.detail.slice(0, 100) },
    ]);
    session.out.answer(rows, rows.length === 0 ? 'the quarantine is empty' : text);
  });
}

function addShow(group: Command): void {
  const command = group
    .command('show')
    .argument('<id>', 'its number in the list', readId)
    .description('one event, with its reason and its body');
  perform(command, async (session, { args: [id = ''] }) => {
    const request = readRequest(quarantinedRequest, { quarantine_id: id });
    const row = await showQuarantined(session.parts(), request);
    session.out.answer(row, `${row.reason}: ${row.detail}\n\n${row.body}`);
  });
}

function addReplay(group: Command): void {
  const command = group
    .command('replay')
    .argument('[ids...]', 'their numbers in the list; none means all that wait')
    .description('read and post them again, now that the cause is gone');
  perform(command, async (session, { args }) => {
    const reading = readSettings(session.config);
    const request = readRequest(replayRequest, { quarantine_ids: args.map(readId) });
    const answers = await replayQuarantine({ ...session.parts(), reading }, request);
    if (answers.some((answer) => answer.outcome === 'quarantined')) session.foundWrong();
    const text = answers
      .map(
        (answer) =>
          `${answer.quarantine_id}: ${answer.outcome}${answer.detail === null ? '' : `, ${answer.detail}`}`,
      )
      .join('\n');
    session.out.answer(answers, answers.length === 0 ? 'nothing waits' : text);
  });
}
