import { html } from 'hono/html';
import type { ApiParts } from '../../api/api-parts.ts';
import type { StoryPeriod } from '../../audit/story-answer.ts';
import { monthAfter, parseInstant, utcDay } from '../../clock.ts';
import { exactPico } from '../../money.ts';
import { Refusal } from '../../refusal.ts';
import type { OverviewAnswer } from '../../reports/overview/overview-answer.ts';
import { signedPercentOf } from '../../reports/percent.ts';
import { reportUsage } from '../../reports/report-usage.ts';
import { usageRequest } from '../../reports/usage-answer.ts';
import { readRequest } from '../../request.ts';
import type { DailyFigures } from '../../statements/daily-view.ts';
import { showStatement } from '../../statements/show-statement.ts';
import { type StatementDocument, statementRequest } from '../../statements/statement-answer.ts';
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
  /** What the same days of the period before came to; null where there was none. */
  readonly before: string | null;
  readonly figures: DailyFigures;
  /** Calls that a cache answered. */
  readonly cached: number;
  /** Whether a cached answer costs what it would have cost without the cache. */
  readonly cachedCost: boolean;
  readonly name: string | null;
}

interface Asked {
  readonly parts: ApiParts;
  readonly tenantId: string;
}

/** Reads the period under way; a tenant that has none, such as one that left, has the month of the calendar. */
export async function readCustomerMonth(
  asked: Asked,
  {
    running,
    overview,
  }: { readonly running: StoryPeriod | null; readonly overview: OverviewAnswer },
): Promise<CustomerMonth> {
  const month = running?.period_start.slice(0, 7) ?? overview.month;
  const preview = await previewOf(asked, { month, start: running?.period_start ?? null });
  if (preview === null) {
    const { currency, to_date, projection } = overview;
    return {
      ...{ month, currency, soFar: to_date.charge, before: null, cached: 0, cachedCost: true },
      projection:
        projection === null
          ? null
          : { total: projection.charge, method: projectionWords(projection) },
      ...{ figures: dailyFiguresOf(overview), name: null },
    };
  }
  const { currency, exact, usage, price_books: books, customer } = preview;
  return {
    ...{ month, currency, soFar: exact.charge, figures: preview, cached: usage.cached },
    before: await sumOfDaysBefore(asked, { month, currency, preview }),
    projection: preview.preview?.projection ?? null,
    cachedCost: books.every(({ caching }) => caching === 'work_done'),
    name: customer.name,
  };
}

async function previewOf(
  { parts, tenantId: tenant_id }: Asked,
  { month, start }: { readonly month: string; readonly start: string | null },
): Promise<StatementDocument | null> {
  try {
    const request = readRequest(statementRequest, { tenant_id, month, preview: true });
    const found = await showStatement(parts, request);
    const documents = Array.isArray(found) ? found : [found];
    return documents.find(({ period }) => start === null || period.start === start) ?? null;
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** As many days of the period before as have begun of this one. */
async function sumOfDaysBefore(
  { parts, tenantId: tenant_id }: Asked,
  of: { readonly month: string; readonly currency: string; readonly preview: StatementDocument },
): Promise<string | null> {
  const { month, currency, preview } = of;
  const { start } = preview.period;
  const first = (day: string) => parseInstant(`${day}T00:00:00Z`);
  const today = utcDay(parseInstant(preview.preview?.as_of ?? preview.period.starts_at));
  const before = monthAfter(month, -1);
  const begun = Math.max(0, first(today) - first(start)) + DAY_MS;
  const to = utcDay(Math.min(first(`${before}${start.slice(7)}`) + begun, first(start)));
  const asked = { by: [], tenant_id, month: before, from: null, to, as_of: null };
  const { rows } = await reportUsage(parts, readRequest(usageRequest, asked));
  const own = rows.filter((row) => row.currency === currency);
  return own.length === 0 ? null : exactSum(own.map(({ charge }) => charge));
}

/** Returns the cards of the period: what it came to so far, and what it will come to. */
export function monthCards(of: CustomerMonth, locale: string): Html {
  const { month, currency, soFar, projection } = of;
  const expected =
    projection === null
      ? html`<span class="soft">—</span>`
      : amount(projection.total, currency, locale);
  return html`${card(`${monthText(month, locale)} so far`, amount(soFar, currency, locale), beforeWords(of, locale))}
${card('Expected by its end', expected, methodWords(projection?.method ?? null))}`;
}

/** What else a projection counts stands on the preview of the statement; here its rule is enough. */
function methodWords(method: string | null): string {
  return method?.split(/[;.]/)[0] ?? 'the month is over, or nothing came before today';
}

/** More usage is neither good nor bad to who pays for it, so it has no color. */
function beforeWords({ soFar, before, currency, month }: CustomerMonth, locale: string): Html {
  const last = monthText(monthAfter(month, -1), locale);
  if (before === null) return html`nothing in ${last} to the same day`;
  const change = signedPercentOf(exactPico(soFar) - exactPico(before), exactPico(before));
  return html`${last} to the same day: ${amount(before, currency, locale)}${change === null ? '' : html` · <b>${change.startsWith('-') ? '' : '+'}${localPercent(change, locale)}</b>`}`;
}

/** Returns the words that say when the figures are of. */
export function upToDateWords(at: string, locale: string): string {
  return `Up to date: ${dayText(at.slice(0, 10), locale)}, ${at.slice(11, 16)} UTC`;
}
