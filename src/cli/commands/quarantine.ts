import type { Command } from 'commander';
import { readSettings } from '../../events/read-settings.ts';
import { acceptConflict } from '../../ingest/quarantine/accept-conflict.ts';
import { dismissQuarantine, purgeQuarantine } from '../../ingest/quarantine/dismiss-quarantine.ts';
import {
  listQuarantine,
  showQuarantined,
  surveyQuarantine,
} from '../../ingest/quarantine/list-quarantine.ts';
import type { DismissAnswer } from '../../ingest/quarantine/quarantine-answer.ts';
import {
  acceptConflictRequest,
  dismissRequest,
  purgeRequest,
  quarantinedRequest,
  quarantineRequest,
  replayRequest,
} from '../../ingest/quarantine/quarantine-answer.ts';
import { replayQuarantine } from '../../ingest/quarantine/replay-quarantine.ts';
import { readRequest } from '../../request.ts';
import { counted } from '../../text/counted.ts';
import { addActor } from '../terminal/actor.ts';
import { readCount, readDay, readId } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { timeOf } from '../terminal/figures.ts';
import { words } from '../terminal/words.ts';

export function addQuarantine(program: Command): void {
  const group = program
    .command('quarantine')
    .description('events that could not be posted, whole, until they are replayed');
  addList(group);
  addShow(group);
  addReplay(group);
  addDismiss(group);
  addAccept(group);
  addPurge(group);
}

function addList(group: Command): void {
  const command = group
    .command('list')
    .description('what waits, oldest first')
    .option('--all', 'the replayed and dismissed ones too')
    .option('--limit <n>', 'at most so many', readCount, 1000);
  perform<{ all?: boolean; limit: number }>(command, async (session, { options }) => {
    const { all = false, limit } = options;
    const request = readRequest(quarantineRequest, { all, limit });
    // The JSON alone shows the bodies, which may be more than this process can hold.
    const rows =
      options.json === true
        ? await listQuarantine(session.parts(), request)
        : (await surveyQuarantine(session.parts(), { ...request, reason: null })).rows;
    const text = session.out.table(rows, [
      { title: 'ID', value: (row) => row.quarantine_id, figure: true },
      { title: 'RECEIVED', value: (row) => timeOf(row.received_at) },
      { title: 'REASON', value: (row) => words(row.reason) },
      { title: 'SOURCE', value: (row) => row.source ?? '', spare: true },
      { title: 'EVENT', value: (row) => row.event_id ?? '' },
      { title: 'DETAIL', value: (row) => row.detail },
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
    session.out.give(row, `${row.reason}: ${row.detail}\n\n${row.body}`);
  });
}

function addReplay(group: Command): void {
  const command = group
    .command('replay')
    .argument('[ids...]', 'their numbers in the list; none means all that wait')
    .description('read and post them again, now that the cause is gone');
  perform(addActor(command), async (session, { args }) => {
    const reading = readSettings(session.config);
    const request = readRequest(replayRequest, { quarantine_ids: args.map(readId) });
    const answers = await replayQuarantine({ ...session.parts(), reading }, request);
    if (answers.some(({ outcome }) => NOT_POSTED.has(outcome))) session.foundWrong();
    const text = answers
      .map(
        (answer) =>
          `${answer.quarantine_id}: ${answer.outcome}${answer.detail === null ? '' : `, ${answer.detail}`}`,
      )
      .join('\n');
    session.out.answer(answers, answers.length === 0 ? 'nothing waits' : text);
  });
}

const NOT_POSTED: ReadonlySet<string> = new Set(['conflict', 'quarantined', 'dismissed']);

interface NoteFlags {
  readonly reason: string;
  readonly actor: string;
}

function addDismiss(group: Command): void {
  const command = group
    .command('dismiss')
    .argument('<ids...>', 'their numbers in the list')
    .description('let events wait no longer, such as those that were sent again')
    .requiredOption('--reason <text>', 'why they need not be posted');
  perform<NoteFlags>(addActor(command), async (session, { args, options: { reason, actor } }) => {
    const given = { quarantine_ids: args.map(readId), reason, actor };
    const request = readRequest(dismissRequest, given);
    const answer = await dismissQuarantine(session.parts(), request);
    if (answer.some(({ outcome }) => outcome !== 'dismissed')) session.foundWrong();
    const line = (one: DismissAnswer[number]) => `${one.quarantine_id}: ${words(one.outcome)}`;
    session.out.answer(answer, answer.map(line).join('\n'));
  });
}

function addAccept(group: Command): void {
  const command = group
    .command('accept')
    .argument('<id>', 'its number in the list', readId)
    .description('take the content of a conflict for the right one, as a correction')
    .option('--reason <text>', 'why', 'the later content of a conflict is the right one');
  perform<NoteFlags>(
    addActor(command),
    async (session, { args: [id = ''], options: { reason, actor } }) => {
      const parts = { ...session.parts(), reading: readSettings(session.config) };
      const answer = await acceptConflict(
        parts,
        readRequest(acceptConflictRequest, { quarantine_id: readId(id), reason, actor }),
      );
      const lines = answer.corrections.map(
        (one) => `${one.corrected}: taken back by ${one.reversal}, replaced by ${one.replacement}`,
      );
      session.out.answer(answer, lines.join('\n'));
    },
  );
}

function addPurge(group: Command): void {
  const command = group
    .command('purge')
    .description('erase the bodies of dismissed events; that they came, and why they went, stays')
    .requiredOption('--before <day>', 'those dismissed before this UTC day', readDay);
  perform<{ before: string }>(addActor(command), async (session, { options: { before } }) => {
    const answer = await purgeQuarantine(session.parts(), readRequest(purgeRequest, { before }));
    session.out.answer(answer, `${counted(answer.purged, 'body', 'bodies')} erased`);
  });
}
