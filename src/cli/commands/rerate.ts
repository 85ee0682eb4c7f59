import type { Command } from 'commander';
import type { RerateAnswer } from '../../ledger/corrections/rerate-answer.ts';
import { rerateRequest } from '../../ledger/corrections/rerate-answer.ts';
import { rerateMonth } from '../../ledger/corrections/rerate-month.ts';
import { type TenantSide, tenantSides } from '../../ledger/corrections/tenant-sides.ts';
import { readRequest } from '../../request.ts';
import { counted, firstIds } from '../../text/counted.ts';
import { addActorOnceBy } from '../terminal/actor.ts';
import { readMonth } from '../terminal/arguments.ts';
import { readBookFile } from '../terminal/book-file.ts';
import { perform } from '../terminal/command.ts';
import { renderDifference, renderLosing, renderOtherCurrency } from '../terminal/difference.ts';
import { moneyText } from '../terminal/figures.ts';
import type { DrawTable } from '../terminal/table.ts';

export function addRerate(program: Command): void {
  const command = program
    .command('rerate')
    .argument('<month>', 'the month in which the periods begin, YYYY-MM', readMonth)
    .description('price entries again by the books as they are now, by correction')
    .option('--tenant <tenant>', 'only this one')
    .option('--dry-run', 'show the difference and post nothing')
    .option('--book-file <file>', 'with --dry-run: as if its price books were imported')
    .option('--price-book <book>', 'with --dry-run: as if everybody paid by this book')
    .option('--unprice', 'an entry whose price is no longer there loses it')
    .option('--reason <text>', 'why', 're-rated');
  perform<RerateFlags>(
    addActorOnceBy(command),
    async (session, { args: [month = ''], options }) => {
      const { tenant: tenant_id = null, dryRun: dry_run = false, unprice } = options;
      const { reason, actor, bookFile, priceBook: price_book } = options;
      const proposed = bookFile === undefined ? undefined : await readBookFile(bookFile);
      const given = { month, tenant_id, dry_run, unprice, proposed, price_book, reason, actor };
      const request = readRequest(rerateRequest, given);
      const answer = await rerateMonth(session.parts(), request, (done, all) =>
        session.out.progress('re-rated', done, all),
      );
      const isLeft = answer.losing.length > 0 && unprice !== true;
      if (isLeft || answer.in_other_currency.length > 0) session.foundWrong();
      const isForeseen = proposed !== undefined || price_book !== undefined;
      const sides = isForeseen ? sidesText(answer) : '';
      session.out.answer(answer, (shown) =>
        [render(shown, unprice === true, session.out.table), sides]
          .filter((text) => text !== '')
          .join('\n'),
      );
    },
  );
}

interface RerateFlags {
  readonly tenant?: string;
  readonly dryRun?: boolean;
  readonly bookFile?: string;
  readonly priceBook?: string;
  readonly unprice?: boolean;
  readonly reason: string;
  readonly actor: string;
}

function sideText({ tenant_id, change, currency }: TenantSide): string {
  return `${tenant_id} ${moneyText(change)} ${currency}`;
}

/** Who pays more and who less under prices that are only proposed, the largest first. */
function sidesText({ rows }: RerateAnswer): string {
  const sides = tenantSides(rows);
  const named = (of: readonly TenantSide[]) =>
    of.length === 0
      ? 'nobody'
      : `${counted(of.length, 'tenant')} (${firstIds(of.slice(0, SIDES_NAMED).map(sideText), of.length)})`;
  const more = sides.filter(({ change }) => /^[^-]*[1-9]/.test(change));
  const less = sides.filter(({ change }) => change.startsWith('-')).toReversed();
  return `${named(more)} would pay more, ${named(less)} less; the prices are only proposed`;
}

const SIDES_NAMED = 10;

function render(answer: RerateAnswer, unprice: boolean, table: DrawTable): string {
  const { month, examined, rows, losing, unrated, in_other_currency: left } = answer;
  if (examined === 0) return `no call of ${month} is in the ledger`;
  const waiting = unrated.map(
    ({ tenant_id, requested_model, entries }) => `${tenant_id} ${requested_model} (${entries})`,
  );
  const isRight = rows.length + losing.length + waiting.length + left.length === 0;
  return [
    isRight
      ? `${counted(examined, 'entry was', 'entries were')} looked at\nevery price is as it should be`
      : '',
    renderDifference(answer, table),
    renderLosing(losing, unprice),
    renderOtherCurrency(left),
    waiting.length === 0
      ? ''
      : `still without a price: ${waiting.join(', ')}; import a price for each model, then rerate ${month} again`,
  ]
    .filter((line) => line !== '')
    .join('\n');
}
