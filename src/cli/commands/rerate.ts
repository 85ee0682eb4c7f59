import type { Command } from 'commander';
import type { RerateAnswer, RerateRow } from '../../ledger/corrections/rerate-answer.ts';
import { rerateMonth } from '../../ledger/corrections/rerate-month.ts';
import { addActorOnceBy } from '../terminal/actor.ts';
import { readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { table } from '../terminal/output.ts';

export function addRerate(program: Command): void {
  const command = program
    .command('rerate')
    .argument('<month>', 'the month in which the periods begin, YYYY-MM', readMonth)
    .description('price entries anew by the books as they are now, by correction')
    .option('--tenant <tenant>', 'only this one')
    .option('--dry-run', 'show the difference and post nothing')
    .option('--reason <text>', 'why', 're-rated');
  perform<RerateFlags>(
    addActorOnceBy(command),
    async (session, { args: [month = ''], options }) => {
      const { tenant: tenant_id = null, dryRun: dry_run = false, reason, actor } = options;
      const answer = await rerateMonth(session.parts(), {
        ...{ month, tenant_id, dry_run, reason, actor },
      });
      session.out.answer(answer, render(answer));
    },
  );
}

interface RerateFlags {
  readonly tenant?: string;
  readonly dryRun?: boolean;
  readonly reason: string;
  readonly actor: string;
}

function render({ month, dry_run, rows, unrated }: RerateAnswer): string {
  const waiting = unrated.map(
    ({ tenant_id, requested_model, entries }) => `${tenant_id} ${requested_model} (${entries})`,
  );
  const remedy = `import a price for each model, then rerate ${month} again`;
  return [
    dry_run && rows.length > 0 ? 'nothing was posted (--dry-run)' : '',
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
