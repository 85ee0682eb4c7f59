import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { LineAnswer, LineEntry, StatementLine } from '../../audit/line-answer.ts';
import { lineRequest, linesRequest } from '../../audit/line-answer.ts';
import { listLines, tellLine } from '../../audit/tell-line.ts';
import { readRequest } from '../../request.ts';
import { counted, figureOf } from '../../text/counted.ts';
import { readCount } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { moneyText, timeOf } from '../terminal/figures.ts';
import type { DrawTable } from '../terminal/table.ts';

const ENTRIES_LISTED = 100;

export function addAuditLine(group: Command): void {
  const command = group
    .command('line')
    .argument('<tenant>')
    .argument('<period>', 'the month in which the period begins, YYYY-MM, or that day', readPeriod)
    .argument('[line]', 'a number; none lists the lines', readCount)
    .description("the entries behind one line of a closed period's statement")
    .option('--limit <entries>', 'list at most so many; all are summed', readCount, ENTRIES_LISTED);
  perform<{ readonly limit: number }>(command, async (session, { args, options }) => {
    const [tenant_id = '', period = '', number] = args;
    const parts = session.parts();
    if (number === undefined) {
      const answer = await listLines(parts, readRequest(linesRequest, { tenant_id, period }));
      return session.out.answer(answer, renderLines(answer.lines, session.out.table));
    }
    const { limit } = options;
    const line = readCount(number);
    const request = readRequest(lineRequest, { tenant_id, period, line, limit });
    const story = await tellLine(parts, request);
    if (story.exact_sum !== story.line.exact) session.foundWrong();
    session.out.answer(story, (shown) => renderStory(shown, session.out.table));
  });
}

function readPeriod(text: string): string {
  if (/^\d{4}-(0[1-9]|1[0-2])(-\d\d)?$/.test(text)) return text;
  throw new InvalidArgumentError('write the month as YYYY-MM, or the day on which it begins.');
}

function renderLines(lines: readonly StatementLine[], table: DrawTable): string {
  if (lines.length === 0) return 'nothing was charged, so the statement has no lines';
  return table(lines, [
    { title: 'LINE', value: (line) => String(line.number), figure: true },
    { title: 'MODEL', value: (line) => line.model },
    { title: 'METER', value: (line) => `${line.meter}${line.late ? ' (late)' : ''}` },
    { title: 'TIER', value: (line) => line.service_tier, spare: true },
    { title: 'QUANTITY', value: (line) => moneyText(line.quantity), figure: true },
    { title: 'RATE', value: (line) => line.rate, figure: true },
    { title: 'EXACT', value: (line) => moneyText(line.exact), figure: true, spare: true },
    { title: 'AMOUNT', value: (line) => moneyText(line.amount), figure: true },
  ]);
}

function renderStory(story: LineAnswer, table: DrawTable): string {
  const { line } = story;
  const price = [...new Set(story.listed.map(priceOf))].join(', ');
  return [
    `Line ${line.number} of the statement of ${story.tenant_id} from ${story.period_start}: ${line.model} ${line.meter}`,
    `${moneyText(line.quantity)} at ${line.rate} = ${moneyText(line.exact)} ${story.currency}, on the statement ${moneyText(line.amount)}`,
    story.rule,
    ...(price === '' ? [] : [`price: ${price}`]),
    renderSum(story),
    ...(story.listed.length === 0 ? [] : ['', renderEntries(story.listed, table)]),
    ...(story.listed.length < story.entries
      ? [`${figureOf(story.entries - story.listed.length)} more (--limit shows them)`]
      : []),
  ].join('\n');
}

function renderSum({ entries, exact_sum, line }: LineAnswer): string {
  const sum = `${counted(entries, 'entry sums', 'entries sum')} to ${moneyText(exact_sum)}`;
  return exact_sum === line.exact
    ? `${sum}, which is the line exactly`
    : `${sum}, and the line is ${moneyText(line.exact)}: run "spanledger verify"`;
}

function renderEntries(entries: readonly LineEntry[], table: DrawTable): string {
  return table(entries, [
    { title: 'ENTRY', value: (entry) => entry.entry_id },
    { title: 'COMPLETED', value: (entry) => timeOf(entry.occurred_at) },
    { title: 'SOURCE', value: (entry) => entry.source, spare: true },
    { title: 'EVENT', value: (entry) => entry.event_id + memberOf(entry) },
    { title: 'KIND', value: (entry) => entry.kind, spare: true },
    { title: 'QUANTITY', value: (entry) => moneyText(entry.quantity), figure: true },
    { title: 'EXACT', value: (entry) => moneyText(entry.exact), figure: true },
  ]);
}

function memberOf({ member_id }: LineEntry): string {
  return member_id === null ? '' : ` [${member_id}]`;
}

function priceOf(entry: LineEntry): string {
  return `${entry.price_book ?? 'none'} of ${timeOf(entry.price_version ?? 'no date')}`;
}
