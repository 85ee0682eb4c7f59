import type { Command } from 'commander';
import type { RerateAnswer, RerateRow } from '../../ledger/corrections/rerate.ts';
import { rerate } from '../../ledger/corrections/rerate.ts';
import { foldAll } from '../../ledger/rollups/fold-batches.ts';
import { readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { table } from '../terminal/output.ts';
import { CURRENT_USER } from './correct.ts';

export function addRerate(program: Command): void {
  const command = program
    .command('rerate')
    .argument('<month>', 'the month in which the periods begin, YYYY-MM', readMonth)
    .description('price entries anew by the books as they are now, by correction')
    .option('--tenant <tenant>', 'only this one')
    .option('--dry-run', 'show the difference and post nothing')
    .option('--reason <text>', 'why', 're-rated')
    .option('--by <name>', 'who', CURRENT_USER);
  perform<RerateFlags>(command, async (session, { args: [month = ''], options }) => {
    const { tenant, dryRun = false, reason, by } = options;
    const database = session.database();
    const answer = await rerate(database, session.clock, {
      month,
      tenantId: tenant ?? null,
      dryRun,
      note: { reason, actor: by },
    });
    await foldAll(database, session.clock);
    session.out.answer(answer, render(answer, { month, dryRun }));
  });
}

interface RerateFlags {
  readonly tenant?: string;
  readonly dryRun?: boolean;
  readonly reason: string;
  readonly by: string;
}

function render(
  { rows, unrated }: RerateAnswer,
  of: { readonly month: string; readonly dryRun: boolean },
): string {
  const waiting = unrated.map(
    ({ tenant_id, requested_model, entries }) => `${tenant_id} ${requested_model} (${entries})`,
  );
  const remedy = `import a price for each model, then rerate ${of.month} again`;
  return [
    of.dryRun && rows.length > 0 ? 'nothing was posted (--dry-run)' : '',
    rows.length > 0 ? renderRows(rows) : waiting.length > 0 ? '' : 'every price is as it should be',
    waiting.length > 0 ? `still without a price: ${waiting.join(', ')}; ${remedy}` : '',
  ]
    .filter((line) => line !== '')
    .join('\n');
}

function renderRows(rows: readonly RerateRow[]): string {
  return table(rows, [
    { title: 'TENANT', value: (row) => row.tenant_id },
    { title: 'MODEL', value: (row) => row.requested_model },
    { title: 'ENTRIES', value: (row) => String(row.entries), figure: true },
    { title: 'RELEASED', value: (row) => String(row.released), figure: true },
    { title: 'CHARGE BEFORE', value: (row) => row.charge_before ?? 'none', figure: true },
    { title: 'AFTER', value: (row) => row.charge_after ?? 'none', figure: true },
    { title: 'COST BEFORE', value: (row) => row.cost_before ?? 'unknown', figure: true },
    { title: 'AFTER', value: (row) => row.cost_after ?? 'unknown', figure: true },
    { title: '', value: renderCurrency },
  ]);
}

function renderCurrency({ currency_before: before, currency }: RerateRow): string {
  return before === currency ? currency : `${before}, then ${currency}`;
}
