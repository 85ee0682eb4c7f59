import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { verify } from '../audit/verify.ts';
import { type Clock, formatInstant } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { readCloses } from '../ledger/close-store.ts';
import { sealAll } from '../seals/seal-batches.ts';
import { readLastSeal } from '../seals/seal-store.ts';
import { buildStatement } from '../statements/statement.ts';
import { renderStatementText } from '../statements/statement-text.ts';
import { checkSummaries } from '../stripe/summary-law.ts';
import { readMonth } from './arguments.ts';
import { perform } from './command.ts';
import type { MonthRunOptions, StepResult } from './month-run.ts';
import { runMonth } from './month-run.ts';
import { table } from './output.ts';
import type { Session } from './session.ts';
import { stripeParts } from './stripe.ts';

export function addRunMonth(program: Command): void {
  const command = program
    .command('run-month')
    .argument('<month>', 'the month in which the periods begin, YYYY-MM', readMonth)
    .description('the whole monthly job, resumable: call it again until it exits with 0')
    .option('--out <folder>', 'where the statements go', 'statements');
  perform<{ out: string }>(command, async (session, { args: [month = ''], options }) => {
    const results = await runMonth(monthOptions(session, resolve(options.out)), month);
    if (results.some((result) => result.state !== 'done')) session.foundWrong();
    const text = table(results, [
      { title: 'STEP', value: (row) => row.step },
      { title: 'STATE', value: (row) => row.state },
      { title: '', value: (row) => row.detail },
    ]);
    session.out.answer({ month, done: results.every(isDone), steps: results }, text);
  });
}

function isDone(result: StepResult): boolean {
  return result.state === 'done';
}

function monthOptions(session: Session, folder: string): MonthRunOptions {
  const parts = stripeParts(session);
  const { database } = parts;
  return {
    ...parts,
    onProgress: (done, all) => session.out.progress('pushing', done, all),
    seal: () => sealLedger(database, parts.clock),
    verify: () => verify(database, () => checkSummaries(parts)),
    writeStatements: (month) => writeStatements(database, folder, month),
  };
}

/** Says where the chain stands, which is also where it stood when there was nothing to seal. */
async function sealLedger(database: Database, clock: Clock): Promise<string> {
  const report = await sealAll(database, clock);
  const last = await readLastSeal(database.pool);
  const made = `${report.seals} batches with ${report.entries} entries sealed`;
  return `${made}; the last is seal ${last.number}, ${last.hash.toString('hex')}`;
}

/** Written anew each time to the same names, with the same bytes, since a closed period never changes. */
async function writeStatements(database: Database, folder: string, month: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const closes = await readCloses(database, { month, tenantId: null });
  for (const close of closes) {
    const statement = buildStatement({
      manifest: JSON.parse(close.manifest),
      manifestHash: close.manifestHash,
      closedAt: formatInstant(close.closedAt),
    });
    const file = join(folder, `${encodeURIComponent(close.tenantId)}-${close.periodStart}`);
    await writeFile(`${file}.json`, `${JSON.stringify(statement, null, 2)}\n`);
    await writeFile(`${file}.txt`, renderStatementText(statement));
  }
  return `${closes.length} statements in ${folder}`;
}
