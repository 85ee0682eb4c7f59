import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { verify } from '../../audit/laws/verify.ts';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { MonthRunOptions, StepResult } from '../../month/run-month.ts';
import { runMonth } from '../../month/run-month.ts';
import { sealAll } from '../../seals/seal-batches.ts';
import { readLastSeal } from '../../seals/seal-store.ts';
import { readStatements } from '../../statements/statement-store.ts';
import { DEFAULT_ISSUER } from '../../statements/statement-view.ts';
import { checkSummaries } from '../../stripe/meters/summary-law.ts';
import { readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { remedyText } from '../terminal/commands-to-type.ts';
import { table } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import { renderStatements } from './statement.ts';
import { stripeParts } from './stripe.ts';

export function addRunMonth(program: Command): void {
  const command = program
    .command('run-month')
    .argument('<month>', 'the month in which the periods begin, YYYY-MM', readMonth)
    .description('the whole monthly job, resumable: call it again until it exits with 0')
    .option('--out <folder>', 'where the statements go', 'statements')
    .option('--issuer <name>', 'who issues them, on HTML and PDF', DEFAULT_ISSUER);
  perform<{ out: string; issuer: string }>(
    command,
    async (session, { args: [month = ''], options }) => {
      const given = { folder: resolve(options.out), issuer: options.issuer };
      const results = (await runMonth(await monthOptions(session, given), month)).map(phrased);
      if (results.some((result) => result.state !== 'done')) session.foundWrong();
      const text = table(results, [
        { title: 'STEP', value: (row) => row.step },
        { title: 'STATE', value: (row) => row.state },
        { title: '', value: (row) => row.detail },
      ]);
      session.out.answer({ month, done: results.every(isDone), steps: results }, text);
    },
  );
}

/** What to do about it stands in the detail, as a command to type. */
function phrased({ step, state, detail, remedy }: StepResult) {
  return { step, state, detail: remedy === null ? detail : `${detail}; ${remedyText(remedy)}` };
}

function isDone(result: Pick<StepResult, 'state'>): boolean {
  return result.state === 'done';
}

async function monthOptions(
  session: Session,
  { folder, issuer }: { readonly folder: string; readonly issuer: string },
): Promise<MonthRunOptions> {
  const parts = await stripeParts(session);
  const { database } = parts;
  return {
    ...parts,
    onProgress: (done, all) => session.out.progress('pushing', done, all),
    seal: () => sealLedger(database, parts.clock),
    verify: () => verify(database, () => checkSummaries(parts), { clock: session.clock }),
    writeStatements: (month) => writeStatements(database, { folder, month, issuer }),
  };
}

/** Says where the chain stands, which is also where it stood when there was nothing to seal. */
async function sealLedger(database: Database, clock: Clock): Promise<string> {
  const report = await sealAll(database, clock);
  const last = await readLastSeal(database.pool);
  const made = `${report.seals} batches with ${report.entries} entries sealed`;
  return `${made}; the last is seal ${last.number}, ${last.hash.toString('hex')}`;
}

/** A file for each form of a statement that is written to a folder. */
const FORMATS = ['json', 'txt', 'html', 'pdf', 'csv'] as const;

/** Written anew each time to the same names, with the same bytes, since a closed period never changes. */
async function writeStatements(
  database: Database,
  of: { readonly folder: string; readonly month: string; readonly issuer: string },
): Promise<string> {
  const { folder, month, issuer } = of;
  await mkdir(folder, { recursive: true });
  const statements = await readStatements(database, { month, tenantId: null });
  for (const statement of statements) {
    const file = `${encodeURIComponent(statement.tenant_id)}-${statement.period.start}`;
    for (const format of FORMATS) {
      const bytes = await renderStatements([statement], format === 'txt' ? 'text' : format, issuer);
      await writeFile(join(folder, `${file}.${format}`), bytes);
    }
  }
  return `${statements.length} statements in ${folder}, each as ${FORMATS.join(', ')}`;
}
