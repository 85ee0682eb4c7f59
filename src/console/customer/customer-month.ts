import { html } from 'hono/html';
import type { ApiParts } from '../../api/api-parts.ts';
import type { StoryPeriod } from '../../audit/story-answer.ts';
import { monthAfter, parseInstant } from '../../clock.ts';
import { exactPico } from '../../money.ts';
import { Refusal } from '../../refusal.ts';
import type { OverviewAnswer } from '../../reports/overview/overview-answer.ts';
import { signedPercentOf } from '../../reports/percent.ts';
import { readRequest } from '../../request.ts';
import type { DailyFigures } from '../../statements/daily-view.ts';
import { showStatement } from '../../statements/show-statement.ts';
import { type StatementDocument, statementRequest } from '../../statements/statement-answer.ts';
import { localDayOf, localDaysOf } from '../../statements/statement-format.ts';
import { projectionWords } from '../pages/comparison.ts';
import { dailyFiguresOf } from '../pages/overview.ts';
import { amount, dayText, exactSum, type Html, localPercent, monthText } from '../view/amounts.ts';
import { card } from '../view/table.ts';

/** The period under way as its statement will have it: in the tenant's own days, by the arithmetic of the close. */
export interface CustomerMonth {
  readonly month: string;
  readonly currency: string;
  readonly soFar: string;
  readonly projection: { readonly total: string; readonly method: string } | null;
  /** What stands in the place of a projection where there is none. */
  readonly withoutProjection: string;
  /** What as many days of the period before came to; null where there was none. */
  readonly before: DaysBefore | null;
  readonly figures: DailyFigures;
  /** The statement so far; null where no period is open. */
  readonly statement: StatementDocument | null;
}

interface DaysBefore {
  readonly month: string;
  readonly sum: string;
  /** What the days of this period came to; a credit or a fee is of no day. */
  readonly now: string;
}

interface Asked {
  readonly parts: ApiParts;
  readonly tenantId: string;
}

/** Reads the period under way; a tenant that has none, such as one that left, has the month of the calendar. */
export async function readCustomerMonth(
  asked: Asked,
  of: {
    readonly running: StoryPeriod | null;
    readonly periods: readonly StoryPeriod[];
    readonly overview: OverviewAnswer;
  },
): Promise<CustomerMonth> {
  const { running, periods, overview } = of;
  const month = running?.period_start.slice(0, 7) ?? overview.month;
  const start = running?.period_start ?? null;
  const statement = await statementOf(asked, { month, start, preview: true });
  if (statement === null) {
    const { currency, to_date, projection } = overview;
    return {
      month,
      currency,
      soFar: to_date.charge,
      before: null,
      statement,
      projection:
        projection === null
          ? null
          : { total: projection.charge, method: projectionWords(projection) },
      withoutProjection: projectionWords(null),
      figures: dailyFiguresOf(overview),
    };
  }
  const { currency, exact, preview } = statement;
  return {
    month,
    currency,
    soFar: exact.charge,
    figures: statement,
    statement,
    before: await sumOfDaysBefore(asked, { statement, periods }),
    projection: preview?.projection ?? null,
    withoutProjection: noProjectionWords(statement),
  };
}

async function statementOf(
  { parts, tenantId: tenant_id }: Asked,
  of: { readonly month: string; readonly start: string | null; readonly preview: boolean },
): Promise<StatementDocument | null> {
  const { month, start, preview } = of;
  try {
    const request = readRequest(statementRequest, { tenant_id, month, preview });
    const found = await showStatement(parts, request);
    const documents = Array.isArray(found) ? found : [found];
    return documents.find(({ period }) => start === null || period.start === start) ?? null;
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** As many days of the period before as have begun of this one, in the days of both. */
async function sumOfDaysBefore(
  asked: Asked,
  of: { readonly statement: StatementDocument; readonly periods: readonly StoryPeriod[] },
): Promise<CustomerMonth['before']> {
  const { period, currency } = of.statement;
  const before = of.periods.find(
    ({ ends_at: end }) => parseInstant(end) === parseInstant(period.starts_at),
  );
  if (before === undefined) return null;
  const { period_start: start, state } = before;
  const month = start.slice(0, 7);
  const statement = await statementOf(asked, { month, start, preview: state !== 'closed' });
  if (statement === null || statement.currency !== currency) return null;
  const today = todayOf(of.statement);
  const begun = localDaysOf(period).filter((day) => day <= today).length;
  const days = localDaysOf(statement.period);
  const last = days[Math.min(begun, days.length) - 1] ?? start;
  const charges = statement.daily.filter(({ day }) => day <= last).map(({ charge }) => charge);
  if (charges.length === 0) return null;
  const now = exactSum(of.statement.daily.map(({ charge }) => charge));
  return { month, sum: exactSum(charges), now };
}

function todayOf({ preview, period }: StatementDocument): string {
  return localDayOf(parseInstant(preview?.as_of ?? period.starts_at), period.time_zone);
}

/** A projection rests on whole days of usage before today. */
function noProjectionWords(statement: StatementDocument): string {
  const days = localDaysOf(statement.period);
  const today = todayOf(statement);
  if (today > (days.at(-1) ?? today)) return 'the month is over, and is not closed yet';
  return days[0] === today
    ? 'this is the first day of the month: it is known from the second on'
    : 'nothing was used before today: it is known from tomorrow on';
}

/** What is metered in shadow mode is never to be paid (R19). */
const SHADOW_WORDS = 'metered in shadow mode: nothing will be due';

/** Returns the cards of the period: what it came to so far, and what it will come to. */
export function monthCards(of: CustomerMonth, isShadow: boolean, locale: string): Html {
  const { month, currency, soFar, projection, withoutProjection } = of;
  const expected =
    projection === null
      ? html`<span class="soft">—</span>`
      : amount(projection.total, currency, locale);
  const method = projection === null ? withoutProjection : methodWords(projection.method);
  const under = (words: Html | string) =>
    isShadow ? html`<b>${SHADOW_WORDS}</b> · ${words}` : html`${words}`;
  return html`${card(`${monthText(month, locale)} so far`, amount(soFar, currency, locale), under(beforeWords(of, locale)))}
${card('Expected by its end', expected, under(method))}`;
}

/** What else a projection counts stands on the preview of the statement; here its rule is enough. */
function methodWords(method: string): string {
  return method.split(/[;.]/)[0] ?? method;
}

/** More usage is neither good nor bad to who pays for it, so it has no color. */
function beforeWords({ before, currency, month }: CustomerMonth, locale: string): Html {
  const last = monthText(before?.month ?? monthAfter(month, -1), locale);
  if (before === null) return html`nothing in ${last} to the same day`;
  const change = signedPercentOf(
    exactPico(before.now) - exactPico(before.sum),
    exactPico(before.sum),
  );
  return html`${last} to the same day: ${amount(before.sum, currency, locale)}${change === null ? '' : html` · <b>${change.startsWith('-') ? '' : '+'}${localPercent(change, locale)}</b>`}`;
}

/** Returns the words that say when the figures are of. */
export function upToDateWords(at: string, locale: string): string {
  return `Up to date: ${dayText(at.slice(0, 10), locale)}, ${at.slice(11, 16)} UTC`;
}
