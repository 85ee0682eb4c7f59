import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { formatInstant } from '../clock.ts';
import { readCloses } from '../ledger/close-store.ts';
import { Refusal } from '../refusal.ts';
import { buildStatement } from '../statements/statement.ts';
import { renderStatementText } from '../statements/statement-text.ts';
import { readTenant } from '../tenants/tenant-store.ts';
import { readMonth } from './arguments.ts';
import { perform } from './command.ts';

export function addStatement(program: Command): void {
  const command = program
    .command('statement')
    .argument('<tenant>')
    .argument('<month>', 'the month in which the period begins, YYYY-MM', readMonth)
    .description('a closed period as the customer may read it')
    .addOption(new Option('--format <format>', 'how').choices(['text', 'json']).default('text'))
    .option('--out <file>', 'write it to a file');
  perform<{ format: 'text' | 'json'; out?: string }>(command, async (session, given) => {
    const [tenantId = '', month = ''] = given.args;
    const { format, out } = given.options;
    const database = session.database();
    await readTenant(database.kysely, tenantId);
    const closes = await readCloses(database, { month, tenantId });
    if (closes.length === 0) {
      throw new Refusal(
        'period',
        `tenant "${tenantId}" has no closed period that begins in ${month}`,
        `close it first, with "spanledger close ${month} --tenant ${tenantId}"`,
      );
    }
    const statements = closes.map((close) =>
      buildStatement({
        manifest: JSON.parse(close.manifest),
        manifestHash: close.manifestHash,
        closedAt: formatInstant(close.closedAt),
      }),
    );
    const document = statements.length === 1 ? statements[0] : statements;
    const text =
      format === 'json'
        ? JSON.stringify(document, null, 2)
        : statements.map(renderStatementText).join('\n');
    if (out === undefined) return session.out.answer(document, text);
    await writeFile(out, text.endsWith('\n') ? text : `${text}\n`);
    session.out.answer({ written: out }, `wrote ${out}`);
  });
}
