import type { Writable } from 'node:stream';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import type { SkippedPeriod } from '../../exports/export-answer.ts';
import { exportFocus } from '../../exports/focus/export-focus.ts';
import { focusRequest } from '../../exports/focus/focus-answer.ts';
import { exportJournal } from '../../exports/journal/export-journal.ts';
import { JOURNAL_SIDES } from '../../exports/journal/journal-accounts.ts';
import { type JournalRequest, journalRequest } from '../../exports/journal/journal-answer.ts';
import {
  JOURNAL_FORMATS,
  type JournalFormat,
  renderJournal,
} from '../../exports/journal/journal-text.ts';
import { readTextFile, writeWhole } from '../../files.ts';
import { Refusal } from '../../refusal.ts';
import { readRequest } from '../../request.ts';
import { counted } from '../../text/counted.ts';
import { jsonIn } from '../../text/json.ts';
import { readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { passOverClosedPipe } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';

export function addExport(program: Command): void {
  const group = program
    .command('export')
    .description('closed periods as files for other systems of finance');
  addFocus(group);
  addJournal(group);
}

interface ExportFlags {
  readonly tenant?: string;
  readonly out?: string;
}

interface FocusFlags extends ExportFlags {
  readonly issuer?: string;
}

function exportCommand(group: Command, name: string): Command {
  return group
    .command(name)
    .argument('<month>', 'the month in which the periods begin, YYYY-MM', readMonth)
    .option('--tenant <tenant>', 'of this tenant only')
    .option('--out <file>', 'write it to a file');
}

function addFocus(group: Command): void {
  const command = exportCommand(group, 'focus')
    .description('FOCUS 1.3 as CSV: a row for each day, unit and set of tags')
    .option('--issuer <name>', 'who bills, instead of the issuer that is set');
  perform<FocusFlags>(command, async (session, { args: [month = ''], options }) => {
    const { tenant = null, out: file, issuer = null } = options;
    const request = readRequest(focusRequest, { month, tenant_id: tenant, issuer });
    const { out, terminal, parts } = session;
    if (file === undefined && out.json) {
      const answer = await exportFocus(parts(), request, () => {});
      return out.answer(answer, '');
    }
    if (file === undefined) {
      await exportFocus(parts(), request, (piece) => writeTo(terminal.stdout, piece));
      return;
    }
    const answer = await writeWhole(file, (write) => exportFocus(parts(), request, write));
    const text = `wrote ${file}: ${counted(answer.rows, 'row')} of ${counted(answer.statements.length, 'statement')}`;
    out.answer({ written: file, ...answer }, [text, ...tellSkipped(answer.skipped)].join('\n'));
  });
}

/** Waits while a slow reader has enough; one that went away wants no more. */
async function writeTo(stream: Writable, piece: string): Promise<void> {
  if (stream.destroyed || stream.write(piece)) return;
  await new Promise<void>((resolve) => {
    stream.once('drain', resolve);
    stream.once('close', resolve);
  });
}

function tellSkipped(skipped: readonly SkippedPeriod[]): readonly string[] {
  return skipped.map(
    ({ tenant_id, period_start, why }) =>
      `left out: ${tenant_id} from ${period_start}, which is ${why === 'open' ? 'not closed' : 'in shadow'}`,
  );
}

interface JournalFlags extends ExportFlags {
  readonly format: JournalFormat;
  readonly accounts?: string;
}

function addJournal(group: Command): void {
  const command = exportCommand(group, 'journal')
    .description('one balanced double entry for each closed period')
    .addOption(new Option('--format <format>', 'how').choices(JOURNAL_FORMATS).default('csv'))
    .option(
      '--accounts <file>',
      `names of accounts as JSON, such as {"receivable": "1200", "income": "4000-{model}"}; of ${JOURNAL_SIDES.join(', ')}`,
    );
  perform<JournalFlags>(command, async (session, { args: [month = ''], options }) => {
    const { tenant = null, accounts: path } = options;
    const accounts = path === undefined ? USUAL : readAccounts(path, await readTextFile(path));
    const request = { month, tenant_id: tenant, ...accounts };
    await giveJournal(session, readRequest(journalRequest, request), options);
  });
}

async function giveJournal(
  { out, parts, terminal }: Session,
  request: JournalRequest,
  { format, out: file }: JournalFlags,
): Promise<void> {
  const answer = await exportJournal(parts(), request);
  if (file === undefined && out.json) return out.answer(answer, '');
  const text = renderJournal(answer, format);
  if (file === undefined) {
    terminal.stdout.once('error', passOverClosedPipe);
    return writeTo(terminal.stdout, text);
  }
  await writeWhole(file, (write) => write(text));
  const done = `wrote ${file}: ${answer.closes.length} entries`;
  out.answer({ written: file, ...answer }, [done, ...tellSkipped(answer.skipped)].join('\n'));
}

const accountName = z.string().nullable().default(null);

const accountsFile = z.strictObject({
  receivable: accountName,
  income: accountName,
  shared: accountName,
  adjustments: accountName,
  carried: accountName,
});

const USUAL = accountsFile.parse({});

function readAccounts(path: string, text: string): z.infer<typeof accountsFile> {
  const read = accountsFile.safeParse(jsonIn(text));
  if (read.success) return read.data;
  throw new Refusal(
    'bad_document',
    `${path} does not name accounts`,
    `write one JSON object with the name of an account for any of ${JOURNAL_SIDES.join(', ')}`,
  );
}
