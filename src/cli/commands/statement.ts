import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { writeProofs } from '../../seals/proofs/proof-text.ts';
import { renderProofHtml } from '../../statements/html/proof-html.ts';
import { renderStatementHtml } from '../../statements/html/statement-html.ts';
import { readProofs } from '../../statements/proof-store.ts';
import { renderStatementCsv } from '../../statements/statement-csv.ts';
import type { StatementDocument } from '../../statements/statement-document.ts';
import { readStatements } from '../../statements/statement-store.ts';
import { renderStatementText } from '../../statements/statement-text.ts';
import { DEFAULT_ISSUER, viewStatement } from '../../statements/statement-view.ts';
import { readTenant } from '../../tenants/tenant-store.ts';
import { readCount, readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { passOverClosedPipe } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';

const FORMATS = ['text', 'json', 'html', 'pdf', 'csv'] as const;

interface StatementFlags {
  readonly format: (typeof FORMATS)[number];
  readonly issuer: string;
  readonly out?: string;
  readonly proof?: boolean;
  readonly line?: number;
}

export function addStatement(program: Command): void {
  const command = program
    .command('statement')
    .argument('<tenant>')
    .argument('<month>', 'the month in which the period begins, YYYY-MM', readMonth)
    .description('a closed period as the customer may read it')
    .addOption(new Option('--format <format>', 'how').choices(FORMATS).default('text'))
    .option('--issuer <name>', 'who issues it, on HTML and PDF', DEFAULT_ISSUER)
    .option('--out <file>', 'write it to a file')
    .option(
      '--proof',
      'the proof of its lines instead, as JSON, or a page that checks itself (html)',
    )
    .option('--line <n>', 'with --proof: of this line only, counted from 1', readCount);
  perform<StatementFlags>(command, async (session, { args, options }) => {
    const [tenantId = '', month = ''] = args;
    const { format, issuer, out } = options;
    const database = session.database();
    if (options.line !== undefined && options.proof !== true) {
      throw new Refusal(
        'bad_request',
        '--line goes with --proof',
        'add --proof, or leave --line out',
      );
    }
    await readTenant(database.kysely, tenantId);
    const statements = await readStatements(database, { month, tenantId });
    if (statements.length === 0) {
      throw new Refusal(
        'too_early',
        `tenant "${tenantId}" has no closed period that begins in ${month}`,
        advise`close it first, with ${{ operation: 'close', month, tenantId }}`,
      );
    }
    if (options.proof === true) {
      return giveProof(session, options, { tenantId, month, line: options.line ?? null });
    }
    const document = statements.length === 1 ? statements[0] : statements;
    if (out !== undefined) {
      await writeFile(out, await renderStatements(statements, format, issuer));
      return session.out.answer({ written: out }, `wrote ${out}`);
    }
    if (session.out.json) return session.out.answer(document, '');
    const rendered = await renderStatements(statements, format, issuer);
    if (typeof rendered === 'string') return session.out.answer(document, rendered);
    writeBytes(rendered);
  });
}

/** A proof is data, and nothing of it is for a terminal: whatever is no page is JSON, and written in pieces. */
async function giveProof(
  session: Session,
  { format, out }: StatementFlags,
  of: Parameters<typeof readProofs>[1],
): Promise<void> {
  if (format === 'pdf' || format === 'csv') {
    throw new Refusal(
      'bad_request',
      `a proof has no ${format} form`,
      'leave --format out, or give html',
    );
  }
  const proofs = await readProofs(session.database(), of);
  const entries = proofs.reduce((sum, proof) => sum + proof.entries.length, 0);
  const isPage = format === 'html' && !(session.out.json && out === undefined);
  if (isPage) requirePageSize(entries);
  const pieces = isPage ? [renderProofHtml(proofs)] : writeProofs(proofs);
  if (out === undefined) {
    const written = pipeline(Readable.from(pieces), process.stdout, { end: false });
    return written.catch(passOverClosedPipe);
  }
  await pipeline(Readable.from(pieces), createWriteStream(out));
  session.out.answer({ written: out }, `wrote ${out}: the proof of ${entries} entries`);
}

/** Some 100 MB of page, which browsers still open. */
const PAGE_ENTRIES = 200_000;

function requirePageSize(entries: number): void {
  if (entries <= PAGE_ENTRIES) return;
  throw new Refusal(
    'bad_request',
    `a page with the proof of ${entries} entries is more than a browser opens; ${PAGE_ENTRIES} are the most`,
    advise`leave --format out and check the JSON with ${{ operation: 'prove' }}, or give --line`,
  );
}

/** A change of anchor day can begin two periods in a month: every format then holds both. */
export async function renderStatements(
  statements: readonly StatementDocument[],
  format: StatementFlags['format'],
  issuer: string,
): Promise<string | Uint8Array> {
  switch (format) {
    case 'text':
      return statements.map(renderStatementText).join('\n');
    case 'json':
      return `${JSON.stringify(statements.length === 1 ? statements[0] : statements, null, 2)}\n`;
    case 'csv':
      return renderStatementCsv(statements);
    case 'html':
      return renderStatementHtml(statements.map((statement) => viewStatement(statement, issuer)));
    case 'pdf': {
      // Loaded only here: no other command should wait for it.
      const { renderStatementPdf } = await import('../../statements/pdf/statement-pdf.ts');
      return renderStatementPdf(statements.map((statement) => viewStatement(statement, issuer)));
    }
  }
}

function writeBytes(bytes: Uint8Array): void {
  if (process.stdout.isTTY === true) {
    const remedy = 'give --out FILE, or send the output to a file';
    throw new Refusal('bad_request', 'a PDF is not for a terminal', remedy);
  }
  process.stdout.write(bytes);
}
