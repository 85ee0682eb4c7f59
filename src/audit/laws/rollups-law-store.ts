import { randomInt } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { ENTRIES_PER_BATCH } from '../../database/entries-of-batch.ts';
import {
  MEASURES,
  RATES_OF_ENTRIES,
  ROLLUPS,
  UNITS_MEASURE,
} from '../../ledger/rollups/rollup-store.ts';
import { FURTHER_UNITS } from '../../units.ts';
import type { LawReport, LawScope } from './law.ts';
import { VIOLATIONS_NAMED } from './law.ts';
import { type Counted, check } from './laws-store.ts';
import { batchesOf, entriesOf } from './scope-store.ts';

const LAW = { law: 9, name: 'rollups equal the entries that they sum' } as const;

/**
 * Checks law 9: both rollups hold what the entries sum to, both ways. An incremental run compares
 * what the rollups hold in all with what the batches posted in all, and looks at every period only
 * where that differs.
 */
export async function checkRollups(database: Database, scope: LawScope): Promise<LawReport> {
  const totals = scope.kind === 'incremental' ? await checkTotals(database, scope) : null;
  if (totals?.violations.length === 0) return totals;
  const { rows, differing } = await comparePeriods(database);
  const violations: string[] = [];
  if (differing.length > 0) {
    for (const rollup of ROLLUPS) {
      violations.push(...(await findRows(database, rollup, differing)));
    }
    violations.push(...differing.map(({ tenantId, periodStart }) => nameOf(tenantId, periodStart)));
  }
  violations.push(...(totals?.violations ?? []));
  return { ...LAW, checked: rows, violations: violations.slice(0, VIOLATIONS_NAMED) };
}

function nameOf(tenantId: string, periodStart: string): string {
  return `tenant "${tenantId}" period ${periodStart}: its rollups are not the sums of its entries`;
}

/** Rollups against batches, as one sum; and each new batch's row against its entries. */
async function checkTotals(database: Database, scope: LawScope): Promise<LawReport> {
  const batch = sql`e.entry_id / ${sql.lit(ENTRIES_PER_BATCH)}`;
  const sums = sql`coalesce(sum(entries), 0) as entries, coalesce(sum(charge), 0) as charge, coalesce(sum(cost), 0) as cost`;
  const report = await check(
    database,
    LAW,
    sql<Counted>`
    with posted as (
      select ${batch} as batch_id, count(*) as entries, coalesce(sum(charge), 0) as charge, coalesce(sum(cost), 0) as cost
      from ${entriesOf(scope)} e group by 1
    ), compared as (
      select 'batch ' || b.batch_id as what, b.entries::numeric, b.charge, b.cost,
        coalesce(p.entries, 0) as own_entries, coalesce(p.charge, 0) as own_charge, coalesce(p.cost, 0) as own_cost
      from batches b left join posted p on p.batch_id = b.batch_id where b.batch_id in (${batchesOf(scope)})
      union all
      select r.what, r.entries, r.charge, r.cost, b.entries, b.charge, b.cost
      from (select 'usage_rollups' as what, ${sums} from usage_rollups
        union all select 'run_usage', ${sums} from run_usage) r,
        (select ${sums} from batches b where not exists (
          select 1 from fold_queue f where f.batch_id = b.batch_id)) b
    )
    select count(*) as checked, array_agg(what || ': ' || entries || ' entries, charge ' || charge || ' p, cost ' || cost
        || ' p; posted ' || own_entries || ' entries, charge ' || own_charge || ' p, cost ' || own_cost || ' p')
      filter (where (entries, charge, cost) is distinct from (own_entries, own_charge, own_cost)) as violations
    from compared`,
  );
  return { ...report, range: 'sums checked' };
}

/** Each unit of the map, as it stands in a rollup and in an entry. */
const UNIT_MEASURES = FURTHER_UNITS.map(({ name }) => ({
  name: `(units ->> '${name}')::numeric`,
  each: `(e.units ->> '${name}')::numeric`,
}));

interface Period {
  readonly tenantId: string;
  readonly periodStart: string;
}

/**
 * The periods whose rollups are not the sums of their entries. Grouped as the rollups are, nearly every entry
 * would be a group of its own. So each row is made a number instead: a hash of its dimensions times a
 * weighted sum of its measures, which adds up over a period in the same way on both sides. Seed and weights
 * are drawn for each run, so that nobody can prepare faults that cancel out.
 */
async function comparePeriods(
  database: Database,
): Promise<{ readonly rows: number; readonly differing: readonly Period[] }> {
  const seed = randomInt(2 ** 47);
  const weights = [...MEASURES, ...UNIT_MEASURES].map((measure) => ({
    ...measure,
    weight: randomInt(1, 2 ** 31),
  }));
  const weigh = (of: 'name' | 'each') =>
    weights
      .map(({ weight, ...measure }) => `${weight}::numeric * coalesce(${measure[of]}, 0)`)
      .join(' + ');
  const [usage, run] = ROLLUPS;
  const number = (columns: readonly string[], of: 'name' | 'each') =>
    sql.raw(
      `sum(hash_record_extended(row(${columns.join(', ')}), ${seed})::numeric * (${weigh(of)}))`,
    );
  const names = (rollup: (typeof ROLLUPS)[number] | undefined) =>
    (rollup?.dimensions ?? []).map(({ name }) => name);
  const { rows } = await sql<{
    tenant_id: string;
    period_start: string;
    rows: bigint;
    differs: boolean;
  }>`
    with entry as (
      select e.tenant_id, e.period_start, ${number(
        (run?.dimensions ?? []).map(({ of }) => of),
        'each',
      )} as of_runs
      from entries e ${sql.raw(RATES_OF_ENTRIES)}
      where not exists (select 1 from fold_queue f where f.batch_id = e.entry_id / ${sql.lit(ENTRIES_PER_BATCH)})
      group by e.tenant_id, e.period_start
    ), run as (
      select tenant_id, period_start, count(*) as rows, min(entries) as least,
        ${number(names(run), 'name')} as of_runs, ${number(names(usage), 'name')} as of_usage
      from run_rollups group by tenant_id, period_start
    ), usage as (
      select tenant_id, period_start, count(*) as rows, min(entries) as least, ${number(names(usage), 'name')} as of_usage
      from usage_rollups group by tenant_id, period_start
    ), compared as (
      select tenant_id, period_start, coalesce(r.rows, 0) + coalesce(u.rows, 0) as rows,
        e.of_runs is distinct from r.of_runs or r.of_usage is distinct from u.of_usage
          or r.least < 1 or u.least < 1 as differs
      from entry e full join run r using (tenant_id, period_start) full join usage u using (tenant_id, period_start)
    )
    select tenant_id, period_start, (sum(rows) over ())::bigint as rows, differs from compared
    order by differs desc nulls last, tenant_id, period_start limit ${VIOLATIONS_NAMED}`.execute(
    database.kysely,
  );
  const differing = rows
    .filter(({ differs }) => differs)
    .map((row) => ({ tenantId: row.tenant_id, periodStart: row.period_start }));
  return { rows: Number(rows[0]?.rows ?? 0n), differing };
}

/**
 * Finds the rows of these periods that are in a rollup and not in the entries' sums, or the other
 * way round.
 */
async function findRows(
  database: Database,
  rollup: (typeof ROLLUPS)[number],
  periods: readonly Period[],
): Promise<readonly string[]> {
  const columns = [...rollup.dimensions, ...MEASURES, UNITS_MEASURE];
  const names = sql.raw(columns.map(({ name }) => name).join(', '));
  const sums = sql.raw(columns.map(({ name, of }) => `${of} as ${name}`).join(', '));
  const places = sql.raw(rollup.dimensions.map((_, index) => index + 1).join(', '));
  const table = sql.raw(rollup.table);
  const tenants = periods.map(({ tenantId }) => tenantId);
  const starts = periods.map(({ periodStart }) => periodStart);
  const those = sql`(tenant_id, period_start) in (select * from unnest(${tenants}::text[], ${starts}::date[]))`;
  const { rows } = await sql<{ said: string }>`
    with entry_sums as (
      select ${sums} from (select * from entries where ${those}) e ${sql.raw(RATES_OF_ENTRIES)}
      where not exists (select 1 from fold_queue f where f.batch_id = e.entry_id / ${sql.lit(ENTRIES_PER_BATCH)})
      group by ${places}
    ), rolled_up as (
      select ${names} from ${table} where ${those}
    ), differing as (
      (select 'entries' as side, x.* from (
        select ${names} from entry_sums except all select ${names} from rolled_up) x)
      union all
      (select ${sql.lit(rollup.table)} as side, x.* from (
        select ${names} from rolled_up except all select ${names} from entry_sums) x)
    )
    select side || ' of tenant "' || tenant_id || '" period ' || period_start || ' day ' || day || ' model "'
      || requested_model || '": ' || entries || ' entries, charge ' || charge || ' p, cost ' || cost || ' p' as said
    from differing limit ${VIOLATIONS_NAMED}`.execute(database.kysely);
  return rows.map(({ said }) => said);
}
