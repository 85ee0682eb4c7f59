import { DAY_MS, formatInstant, type InstantMs, parseInstant, utcDay } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { foldBeforeReading } from '../../ledger/rollups/reading-folds.ts';
import { formatPico, type Pico } from '../../money.ts';
import type { Parts } from '../../parts.ts';
import { projectMonth } from '../../periods/project-month.ts';
import { refuseUnknownTenant } from '../../tenants/asked-tenant.ts';
import { signedPercentOf } from '../percent.ts';
import { readUsageByDays } from '../usage-days-store.ts';
import type { UsageRow } from '../usage-report-store.ts';
import type {
  DaysSum,
  OverviewAnswer,
  OverviewRequest,
  OverviewTenant,
} from './overview-answer.ts';
import { readDays, readTenantDays } from './overview-store.ts';

/**
 * Reports the month at a glance: what it came to, against the month before, what it will come to,
 * and by whom.
 */
export async function reportOverview(
  parts: Pick<Parts, 'database' | 'clock' | 'view' | 'folds' | 'days'>,
  request: OverviewRequest,
): Promise<OverviewAnswer> {
  const { database, clock, view = database, days } = parts;
  await refuseUnknownTenant(parts, request.tenant_id);
  const fresh = await foldBeforeReading(parts);
  const now = clock();
  const { tenant_id: tenantId } = request;
  const bounds = boundsOf(request.month ?? utcDay(now).slice(0, 7), now);
  const ask = (by: UsageQuestionBy, within: Days) =>
    readUsageByDays(view, { by, tenantId, ...within }, days);
  const sums = await ask([], bounds.toDate);
  const sumsBefore = await ask([], bounds.before);
  const currencies = currenciesOf([...sums, ...sumsBefore]);
  const currency = request.currency ?? currencies[0] ?? 'USD';
  const isOurs = (row: UsageRow) => row.currency === currency;
  const byModel = (await ask(['day', 'requested_model'], bounds.toDate)).filter(isOurs);
  const tenants = tenantId === null ? (await ask(['tenant'], bounds.toDate)).filter(isOurs) : [];
  return {
    at: formatInstant(now),
    ...fresh,
    month: bounds.month,
    currency,
    currencies,
    to_date: sumOf(sums.find(isOurs), bounds.toDate),
    before: sumOf(sumsBefore.find(isOurs), bounds.before),
    projection: await projectionOf(view, { currency, tenantId, bounds, now }),
    days: byModel.map((row) => ({
      day: row.day ?? '',
      model: row.requested_model ?? '',
      charge: formatPico(row.chargePico),
    })),
    tenants: await largestOf(view, tenants, { currency, bounds, limit: request.limit }),
    tenants_in_all: tenants.length,
  };
}

type UsageQuestionBy = Parameters<typeof readUsageByDays>[1]['by'];

interface Days {
  readonly from: InstantMs;
  readonly to: InstantMs;
}

interface Bounds {
  readonly month: string;
  readonly endsAt: InstantMs;
  /** The days of the month that have begun. */
  readonly toDate: Days;
  /** So many days of the month before. */
  readonly before: Days;
}

function boundsOf(month: string, now: InstantMs): Bounds {
  const from = firstDay(month);
  const endsAt = firstDay(utcDay(from + 31 * DAY_MS).slice(0, 7));
  const tomorrow = parseInstant(`${utcDay(now)}T00:00:00Z`) + DAY_MS;
  const to = Math.max(from, Math.min(endsAt, tomorrow));
  const fromBefore = firstDay(utcDay(from - DAY_MS).slice(0, 7));
  // A whole month stands against a whole one, however many days each has.
  const toBefore = to === endsAt ? from : Math.min(from, fromBefore + (to - from));
  return { month, endsAt, toDate: { from, to }, before: { from: fromBefore, to: toBefore } };
}

function firstDay(month: string): InstantMs {
  return parseInstant(`${month}-01T00:00:00Z`);
}

function currenciesOf(rows: readonly UsageRow[]): readonly string[] {
  const sums = new Map<string, Pico>();
  for (const { currency, chargePico } of rows) {
    sums.set(currency, (sums.get(currency) ?? 0n) + chargePico);
  }
  return [...sums].sort(([, a], [, b]) => (a === b ? 0 : a > b ? -1 : 1)).map(([name]) => name);
}

function sumOf(row: UsageRow | undefined, { from, to }: Days): DaysSum {
  const { entries = 0, chargePico = 0n, costPico = 0n, uncosted = 0, uncharged = 0 } = row ?? {};
  const figures = marginOf({ chargePico, costPico, uncosted, uncharged });
  return { from: utcDay(from), to: utcDay(to), entries, ...figures };
}

function marginOf({
  chargePico,
  costPico,
  uncosted,
  uncharged,
}: Pick<UsageRow, 'chargePico' | 'costPico' | 'uncosted' | 'uncharged'>) {
  // Neither an unknown cost nor a price that is still to come is one of zero.
  const margin = uncosted === 0 && uncharged === 0 ? chargePico - costPico : null;
  return {
    charge: formatPico(chargePico),
    cost: uncosted === 0 ? formatPico(costPico) : null,
    margin: margin === null ? null : formatPico(margin),
    margin_percent: margin === null ? null : signedPercentOf(margin, chargePico),
    entries_without_cost: uncosted,
    entries_without_price: uncharged,
  };
}

const WEEKS_MS = 28 * DAY_MS;

async function projectionOf(
  view: Database,
  of: {
    readonly currency: string;
    readonly tenantId: string | null;
    readonly bounds: Bounds;
    readonly now: InstantMs;
  },
): Promise<OverviewAnswer['projection']> {
  const { endsAt, toDate } = of.bounds;
  const today = toDate.to - DAY_MS;
  if (of.now >= endsAt || of.now < toDate.from) return null;
  const days = { currency: of.currency, from: Math.min(toDate.from, today - WEEKS_MS) };
  const rows = await readDays(view, of.tenantId, { ...days, to: toDate.to });
  const charges = new Map(rows.map(({ day, charge }) => [day, charge]));
  const ofCalls = new Map(
    rows.flatMap(({ day, of_calls: sum }) => (sum === null ? [] : [[day, sum] as const])),
  );
  const sumOn = (sums: ReadonlyMap<string, Pico>) => (day: InstantMs) =>
    sums.get(utcDay(day)) ?? 0n;
  const [first] = [...ofCalls.keys()].sort();
  const since = first === undefined ? today : parseInstant(`${first}T00:00:00Z`);
  const before = daysFrom(Math.max(since, today - WEEKS_MS), today).toReversed();
  const projected = projectMonth({
    toDate: daysFrom(toDate.from, toDate.to)
      .map(sumOn(charges))
      .reduce((sum, one) => sum + one, 0n),
    today: sumOn(ofCalls)(today),
    daysToCome: (endsAt - toDate.to) / DAY_MS,
    daysBefore: before.map(sumOn(ofCalls)),
  });
  if (projected === null) return null;
  const { charge, method, fromDays } = projected;
  return { charge: formatPico(charge), method, from_days: fromDays };
}

function daysFrom(from: InstantMs, to: InstantMs): readonly InstantMs[] {
  return Array.from({ length: Math.max(0, (to - from) / DAY_MS) }, (_, day) => from + day * DAY_MS);
}

async function largestOf(
  view: Database,
  rows: readonly UsageRow[],
  of: { readonly currency: string; readonly bounds: Bounds; readonly limit: number },
): Promise<readonly OverviewTenant[]> {
  const { toDate } = of.bounds;
  const largest = rows
    .toSorted((a, b) => (a.chargePico === b.chargePico ? 0 : a.chargePico > b.chargePico ? -1 : 1))
    .slice(0, of.limit);
  const ids = largest.map(({ tenant }) => tenant ?? '');
  const byDay = await readTenantDays(view, ids, { currency: of.currency, ...toDate });
  const charges = new Map(byDay.map((row) => [`${row.tenant_id} ${row.day}`, row.charge]));
  return largest.map((row) => {
    const tenant_id = row.tenant ?? '';
    const chargeOn = (day: InstantMs) => charges.get(`${tenant_id} ${utcDay(day)}`) ?? 0n;
    const days = daysFrom(toDate.from, toDate.to).map((day) => formatPico(chargeOn(day)));
    return { tenant_id, ...marginOf(row), days };
  });
}
