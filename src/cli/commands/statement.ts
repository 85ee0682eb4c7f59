import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { Refusal } from '../../refusal.ts';
import { readRequest } from '../../request.ts';
import { proveStatement, writeStatementProof } from '../../statements/prove-statement.ts';
import {
  renderStatement,
  STATEMENT_FORMATS,
  type StatementFormat,
} from '../../statements/render-statement.ts';
import { showStatement } from '../../statements/show-statement.ts';
import type { StatementRequest } from '../../statements/statement-answer.ts';
import { statementProofRequest, statementRequest } from '../../statements/statement-answer.ts';
import { writeStatement } from '../../statements/write-statements.ts';
import { counted } from '../../text/counted.ts';
import { readCount, readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { passOverClosedPipe } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import type { Terminal } from '../terminal/terminal.ts';

interface StatementFlags {
  readonly format: StatementFormat;
  readonly issuer?: string;
  readonly out?: string;
  readonly proof?: boolean;
  readonly line?: number;
  readonly preview: boolean;
}

export function addStatement(program: Command): void {
  const command = program
    .command('statement')
    .argument('<tenant>')
    .argument('<month>', 'the month in which the period begins, YYYY-MM', readMonth)
    .description('a closed period as the customer may read it')
    .addOption(new Option('--format <format>', 'how').choices(STATEMENT_FORMATS).default('text'))
    .option('--issuer <name>', 'who issues it, on HTML and PDF, instead of the issuer that is set')
    .option('--out <file>', 'write it to a file')
    .option('--preview', 'the open period so far instead, with a projection', false)
    .option(
      '--proof',
      'the proof of its lines instead, as JSON, or a page that checks itself (html)',
    )
    .option('--line <n>', 'with --proof: of this line only, counted from 1', readCount);
  perform<StatementFlags>(command, (session, { args: [tenant = '', month = ''], options }) => {
    const { preview } = options;
    const request = readRequest(statementRequest, { tenant_id: tenant, month, preview });
    if (options.proof === true) return giveProof(session, request, options);
    if (options.line === undefined) return giveStatement(session, request, options);
    throw new Refusal(
      'bad_request',
      '--line goes with --proof',
      'add --proof, or leave --line out',
    );
  });
}

async function giveStatement(
  { out, parts, terminal }: Session,
  request: StatementRequest,
  { format, issuer: named, out: file }: StatementFlags,
): Promise<void> {
  const issuer = named ?? null;
  if (file !== undefined) {
    const answer = await writeStatement(parts(), { ...request, format, issuer, file });
    return out.answer(answer, `wrote ${file}`);
  }
  const statement = await showStatement(parts(), request);
  if (out.json) return out.answer(statement, '');
  const rendered = await renderStatement(statement, { format, issuer });
  if (typeof rendered === 'string') return out.give(statement, rendered);
  writeBytes(rendered, terminal);
}

function writeBytes(bytes: Uint8Array, { stdout }: Terminal): void {
  if (stdout.isTTY === true) {
    const remedy = 'give --out FILE, or send the output to a file';
    throw new Refusal('bad_request', 'a PDF is not for a terminal', remedy);
  }
  stdout.write(bytes);
}

/** A proof is data, and nothing of it is for a terminal: whatever is no page is JSON. */
async function giveProof(
  { out, parts, terminal }: Session,
  { preview, ...key }: StatementRequest,
  { format, line, out: file }: StatementFlags,
): Promise<void> {
  if (preview) {
    const remedy = 'leave one of them out; close the period before its lines are proven';
    throw new Refusal('bad_request', 'there is no proof of a preview', remedy);
  }
  if (format === 'pdf' || format === 'csv') {
    const remedy = 'leave --format out, or give html';
    throw new Refusal('bad_request', `a proof has no ${format} form`, remedy);
  }
  const isPage = format === 'html' && !(out.json && file === undefined);
  const form = isPage ? 'html' : 'json';
  const of = readRequest(statementProofRequest, { ...key, line: line ?? null, form });
  if (file !== undefined) {
    const answer = await writeStatementProof(parts(), { ...of, file });
    return out.answer(
      answer,
      `wrote ${file}: the proof of ${counted(answer.entries, 'entry', 'entries')}`,
    );
  }
  const { pieces } = await proveStatement(parts(), of);
  const { stdout } = terminal;
  await pipeline(Readable.from(pieces), stdout, { end: false }).catch(passOverClosedPipe);
}
