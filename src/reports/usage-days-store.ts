import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { DaysForReading, DayVersion, ReadDay } from '../parts.ts';
import type { Dimension } from './usage-answer.ts';
import {
  COLUMNS,
  dimensionsOf,
  filterOf,
  nameDimensions,
  readUsageReport,
  rollupFor,
  type SummedRow,
  sumsOf,
  toUsage,
  type UsageQuestion,
  type UsageRow,
} from './usage-report-store.ts';

/** Sums rollups, and of the whole ledger only those days that were added to since they were asked for. */
export async function readUsageByDays(
  database: Database,
  question: UsageQuestion,
  days?: DaysForReading,
): Promise<readonly UsageRow[]> {
  const dimensions = question.by.filter((dimension) => dimension !== 'layer');
  if (days === undefined || !isOfKeptDays(dimensions, question)) {
    return readUsageReport(database, question);
  }
  return addDays(await days.ask(dimensions.join(), readDaysOf(database, question, dimensions)));
}

/** The rollup of the whole ledger as it is now is asked by days. Layers are shared out of whole sums. */
function isOfKeptDays(dimensions: readonly Dimension[], question: UsageQuestion): boolean {
  return (
    question.asOf === undefined &&
    question.isWalled !== true &&
    !question.by.includes('layer') &&
    rollupFor(dimensions, question.tenantId) === 'ledger_rollups'
  );
}

type DayRow = Pick<DayVersion, 'version'> & {
  readonly period_start: string;
  readonly of_day: string;
} & (SummedRow | { readonly dimensions: null });

/**
 * Reads the days of the question, each with its version, and sums those that were added to. The version is the number of
 * entries: whatever a fold brings to a day are entries. One statement says both, so that they are of one moment.
 */
function readDaysOf(
  database: Database,
  question: UsageQuestion,
  dimensions: readonly Exclude<Dimension, 'layer'>[],
) {
  const columns = dimensions.map((dimension) => COLUMNS[dimension]);
  return async (known: readonly DayVersion[]): Promise<readonly ReadDay<DaySums>[]> => {
    const { rows } = await sql<DayRow>`
      with days as materialized (
        select period_start, day, sum(entries)::bigint as version from ledger_rollups
        where ${filterOf(question)} group by period_start, day
      ), summed as (
        select period_start, day as of_day, ${dimensionsOf(columns)}, currency, ${sumsOf('ledger_rollups')}
        from ledger_rollups join (
          select period_start, day from days except select period_start, day from days join unnest(
            ${known.map(({ periodStart }) => periodStart)}::date[], ${known.map(({ day }) => day)}::date[],
            ${known.map(({ version }) => String(version))}::bigint[]) known(period_start, day, version)
            using (period_start, day, version)
        ) changed using (period_start, day)
        group by ${sql.raw(['period_start', 'day', ...columns.filter((name) => name !== 'day'), 'currency'].join(', '))}
      )
      select to_char(d.period_start, 'YYYY-MM-DD') as period_start, to_char(d.day, 'YYYY-MM-DD') as of_day, d.version,
        ${sql.raw(SUMMED_NAMES.map((name) => `s.${name}`).join(', '))}
      from days d left join summed s on s.period_start = d.period_start and s.of_day = d.day`.execute(
      database.kysely,
    );
    return [...Map.groupBy(rows, (row) => `${row.period_start}/${row.of_day}`).values()].map(
      (found) => readDay(found, dimensions),
    );
  };
}

/** A group of one day, and by what it is told from the others and ordered among them. */
interface DaySums {
  readonly key: string;
  readonly row: UsageRow;
}

const SUMMED_NAMES = [
  ...['dimensions', 'currency', 'entries', 'input_tokens', 'output_tokens', 'charge', 'not_due'],
  ...['cost', 'attributed_cost', 'routing_gain', 'uncosted', 'uncosted_charge'],
  ...['uncharged', 'uncharged_cost'],
];

function readDay(
  found: readonly DayRow[],
  dimensions: readonly Exclude<Dimension, 'layer'>[],
): ReadDay<DaySums> {
  const [first] = found;
  if (first === undefined) throw new Error('a group has a row');
  const { period_start: periodStart, of_day: day, version } = first;
  const summed = found.filter((row) => row.dimensions !== null);
  const rows = summed.map((row) => ({
    key: orderOf([...row.dimensions, row.currency]),
    row: toUsage(row, nameDimensions(dimensions, row.dimensions)),
  }));
  return { periodStart, day, version, rows: summed.length === 0 ? null : rows };
}

/** Orders as the database does, by the bytes of the one text and then of the next. */
function orderOf(texts: readonly string[]): string {
  return Buffer.from(texts.join('\0'), 'utf8').toString('latin1');
}

/** Adds up what several days have of one group; what one day alone has stays the same object. */
function addDays(days: readonly DaySums[]): readonly UsageRow[] {
  const groups = new Map<string, UsageRow>();
  for (const { key, row } of days) {
    const before = groups.get(key);
    groups.set(key, before === undefined ? row : addUsage(before, row));
  }
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function addUsage(a: UsageRow, b: UsageRow): UsageRow {
  return {
    ...a,
    entries: a.entries + b.entries,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    chargePico: a.chargePico + b.chargePico,
    notDuePico: a.notDuePico + b.notDuePico,
    costPico: a.costPico + b.costPico,
    attributedCostPico: a.attributedCostPico + b.attributedCostPico,
    uncosted: a.uncosted + b.uncosted,
    uncostedChargePico: a.uncostedChargePico + b.uncostedChargePico,
    uncharged: a.uncharged + b.uncharged,
    unchargedCostPico: a.unchargedCostPico + b.unchargedCostPico,
    routingGainPico: a.routingGainPico + b.routingGainPico,
  };
}
