import { html } from 'hono/html';
import { exactPico } from '../../money.ts';
import type { Dimension, UsageGroup } from '../../reports/usage-answer.ts';
import type { StatementDocument } from '../../statements/statement-answer.ts';
import { isUsageLine } from '../../statements/statement-document.ts';
import { adjustmentsOf, sharedSpendOf } from '../../statements/words/section-words.ts';
import { amount, countText, dayText, exactSum, type Html } from '../view/amounts.ts';
import { address, dataTable, NOTHING, panel, tabs } from '../view/table.ts';
import type { CustomerMonth } from './customer-month.ts';

const DIMENSIONS = {
  feature: 'Feature',
  requested_model: 'Model',
  user: 'User',
  day: 'Day',
} as const satisfies Partial<Record<Dimension, string>>;

/** What the usage of the page is divided by. */
export type CustomerDimension = keyof typeof DIMENSIONS;

export function dimensionOf(text: string | null): CustomerDimension {
  return text !== null && Object.hasOwn(DIMENSIONS, text) ? (text as CustomerDimension) : 'feature';
}

/** One part of what the period came to; the parts add up to it. */
interface Part {
  readonly name: string | Html;
  /** It is null where nobody can say, or no calls stand behind the amount. */
  readonly calls: number | null;
  readonly exact: string;
}

const UNNAMED = html`<span class="soft">not named</span>`;
const GROUPS_SHOWN = 31;

/** Renders where the money went, with the calls as the statement counts them. */
export function usagePanel(
  { at, locale }: { readonly at: string; readonly locale: string },
  of: {
    readonly by: CustomerDimension;
    readonly month: CustomerMonth;
    /** What reports say of a month that has no open period; empty for any other. */
    readonly groups: readonly UsageGroup[];
  },
): Html {
  const { by, month, groups } = of;
  const { currency, statement, figures } = month;
  const title = DIMENSIONS[by];
  const parts =
    statement === null ? partsOfGroups(groups, by) : partsOfStatement(statement, by, locale);
  const choices = Object.entries(DIMENSIONS).map(([name, words]) => ({
    words,
    href: address(at, { by: name }),
    isTaken: name === by,
  }));
  const counted = parts.some(({ calls }) => calls !== null);
  const body = dataTable({
    caption: `Usage by ${title.toLowerCase()}`,
    rows: parts.slice(0, GROUPS_SHOWN),
    empty: 'Nothing was used in this month yet.',
    columns: [
      { title, cell: ({ name }: Part) => html`<bdi>${name}</bdi>` },
      ...(counted
        ? [
            {
              title: 'Calls',
              figure: true,
              cell: ({ calls }: Part) => (calls === null ? NOTHING : countText(calls, locale)),
            },
          ]
        : []),
      {
        title: 'Amount',
        figure: true,
        cell: ({ exact }: Part) => amount(exact, currency, locale),
      },
    ],
  });
  const zone = statement === null ? 'UTC' : figures.period.time_zone;
  const hints = [
    ...(parts.length > GROUPS_SHOWN
      ? [`The first ${GROUPS_SHOWN} of ${countText(parts.length, locale)}.`]
      : []),
    ...(by === 'day' ? [`Days in ${zone}.`] : []),
  ];
  const hint = hints.length === 0 ? '' : html`<p class="hint">${hints.join(' ')}</p>`;
  return panel(`By ${title.toLowerCase()}`, html`${body}${hint}`, tabs('By', choices));
}

/** The parts of a month without an open period, in UTC days, whose calls no statement has counted. */
function partsOfGroups(groups: readonly UsageGroup[], by: CustomerDimension): readonly Part[] {
  const parts = groups.map((row) => ({
    name: row[by] ?? UNNAMED,
    calls: null,
    exact: row.charge,
  }));
  return by === 'day' ? parts : largestFirst(parts);
}

function partsOfStatement(
  statement: StatementDocument,
  by: CustomerDimension,
  locale: string,
): readonly Part[] {
  if (by === 'day') {
    const days = [...Map.groupBy(statement.daily, ({ day }) => day)]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([day, of]) => ({ name: dayText(day, locale), calls: null, exact: sumOf(of) }));
    return [...days, ...adjustedParts(statement)];
  }
  const shared = sharedSpendOf(statement).map(({ exact }) => exact);
  return [
    ...usageParts(statement, by),
    ...partOf('Shared spend', shared),
    ...adjustedParts(statement),
  ];
}

function usageParts(
  statement: StatementDocument,
  by: Exclude<CustomerDimension, 'day'>,
): readonly Part[] {
  if (by === 'requested_model') {
    const lines = [...statement.lines, ...statement.late_lines].filter(isUsageLine);
    const models = [...Map.groupBy(lines, ({ model }) => model)];
    return largestFirst(
      models.map(([model, of]) => ({
        name: model,
        calls: null,
        exact: exactSum(of.map(({ exact }) => exact)),
      })),
    );
  }
  const shares = by === 'user' ? statement.users : statement.features;
  return largestFirst(
    shares.map(({ name, calls, exact }) => ({ name: name ?? UNNAMED, calls, exact })),
  );
}

/** What is no usage, and so is of no feature, model, user or day. */
function adjustedParts(statement: StatementDocument): readonly Part[] {
  const { credits, fees } = adjustedOf(statement);
  return [...partOf('Fees', fees), ...partOf('Credits', credits)];
}

function partOf(name: string, exacts: readonly string[]): readonly Part[] {
  return exacts.length === 0 ? [] : [{ name, calls: null, exact: exactSum(exacts) }];
}

function adjustedOf(statement: StatementDocument) {
  const exacts = adjustmentsOf(statement).map(({ exact }) => exact);
  return {
    credits: exacts.filter((exact) => exactPico(exact) < 0n),
    fees: exacts.filter((exact) => exactPico(exact) > 0n),
  };
}

function largestFirst(parts: readonly Part[]): readonly Part[] {
  return parts.toSorted((a, b) => {
    const [one, other] = [exactPico(a.exact), exactPico(b.exact)];
    return one === other ? 0 : one < other ? 1 : -1;
  });
}

function sumOf(usages: readonly { readonly charge: string }[]): string {
  return exactSum(usages.map(({ charge }) => charge));
}

/** Renders the calls that cost nothing, and what was credited, as the statement counts them. */
export function unpaidPanel(statement: StatementDocument, locale: string): Html {
  const { usage, currency, price_books: books, preview, not_due: notDue } = statement;
  const { credits } = adjustedOf(statement);
  const cachedCost = books.every(({ caching }) => caching === 'work_done');
  const waiting = preview?.waiting ?? 0;
  const line = (isThere: boolean, words: string, value: Html | string) =>
    isThere ? [[words, value] as const] : [];
  const lines = [
    ...line(true, callsText(usage.failed, 'failed', locale), 'not charged'),
    ...line(true, callsText(usage.cancelled, 'cancelled', locale), 'not charged'),
    ...line(
      usage.cached > 0,
      `${countText(usage.cached, locale)} answers from a cache`,
      cachedCost ? 'charged as usual' : 'not charged',
    ),
    ...line(
      waiting > 0,
      `${callsText(waiting, '', locale)} without a price or a count`,
      'not charged yet',
    ),
    ...notDue.flatMap((of) =>
      line(true, 'Usage of months in shadow mode', amount(of.exact, of.currency, locale)),
    ),
    ...line(credits.length > 0, 'Credits', amount(exactSum(credits), currency, locale)),
  ];
  return panel(
    'What you did not pay for',
    html`<ul class="pipe">${lines.map(([words, value]) => html`<li>${words}<span class="value">${value}</span></li>`)}</ul><p class="hint">A failed call is one that gave no answer. A call that was repeated after an error, or reported twice, is charged once. An answer from a cache is one that was kept from an earlier call: your statement says under “Notes” what it costs.</p>`,
  );
}

function callsText(count: number, which: string, locale: string): string {
  const words = [countText(count, locale), which, count === 1 ? 'call' : 'calls'];
  return words.filter((word) => word !== '').join(' ');
}
