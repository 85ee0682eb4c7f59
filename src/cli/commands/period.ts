import { type Command, Option } from 'commander';
import { listPeriods } from '../../audit/list-entries.ts';
import { periodsRequest } from '../../audit/lists-answer.ts';
import { readRequest } from '../../request.ts';
import { figureOf } from '../../text/counted.ts';
import { AS_OF, readCount, readInstant, readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { moneyText, timeOf } from '../terminal/figures.ts';
import { words } from '../terminal/words.ts';

const LISTED = 100;

interface PeriodFlags {
  readonly tenant?: string;
  readonly month?: string;
  readonly state?: 'open' | 'closed';
  readonly asOf?: string;
  readonly limit: number;
}

export function addPeriod(program: Command): void {
  const group = program.command('period').description("tenants' billing periods");
  const command = group
    .command('list')
    .description('periods by tenant, the newest first, and what each came to')
    .option('--tenant <tenant>', 'only of this one')
    .option('--month <month>', 'only those that begin in it, YYYY-MM', readMonth)
    .addOption(new Option('--state <state>', 'only these').choices(['open', 'closed']))
    .option('--as-of <instant>', AS_OF, readInstant)
    .option('--limit <n>', 'at most so many', readCount, LISTED);
  perform<PeriodFlags>(command, async (session, { options }) => {
    const { tenant: tenant_id = null, month = null, state = null, limit } = options;
    const given = { tenant_id, month, state, as_of: options.asOf ?? null, limit, cursor: null };
    const request = readRequest(periodsRequest, given);
    const answer = await listPeriods(session.parts(), request);
    const text = session.out.table(answer.periods, [
      { title: 'TENANT', value: (row) => row.tenant_id },
      { title: 'PERIOD', value: (row) => row.period_start },
      { title: 'ENDS', value: (row) => timeOf(row.ends_at), spare: true },
      { title: 'STATE', value: (row) => row.state },
      { title: 'MODE', value: (row) => row.mode },
      { title: 'ENTRIES', value: (row) => figureOf(row.entries), figure: true },
      { title: '', value: (row) => row.currency ?? '' },
      {
        title: 'CHARGE',
        value: (row) => moneyText(row.charge_total ?? row.charge_exact),
        figure: true,
      },
      { title: 'TOLD', value: (row) => words(row.told ?? '') },
      { title: 'INVOICE', value: (row) => row.invoice_id ?? '', spare: true },
    ]);
    const more = answer.next_cursor === null ? '' : '\n(--limit shows more)';
    session.out.answer(answer, answer.periods.length === 0 ? 'no period' : `${text}${more}`);
  });
}
