import { randomInt } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { ENTRIES_PER_BATCH } from '../../database/entries-of-batch.ts';
import {
  LEDGER_DIMENSIONS,
  LEDGER_KEY,
  MEASURES,
  RATES_OF_ENTRIES,
  ROLLUPS,
  UNITS_MEASURE,
} from '../../ledger/rollups/rollup-store.ts';
import { FURTHER_UNITS } from '../../units.ts';
import { compareExchanges } from './exchanges-law-store.ts';
import type { LawReport, LawScope } from './law.ts';
import { VIOLATIONS_NAMED } from './law.ts';
import { type Counted, check } from './laws-store.ts';
import { batchesOf, entriesOf } from './scope-store.ts';

const LAW = { law: 9, name: 'rollups equal the entries that they sum' } as const;

/**
 * Checks law 9: both rollups of tenants hold what the entries sum to, both ways, and that of the whole ledger what
 * they sum to; so do the counts of converted costs. An incremental run compares each new batch's own row with its entries, and the rollups of a sample of
 * tenants, so that it costs the same however many entries there are; what all tenants come to it compares where the
 * sample has all of them.
 */
export async function checkRollups(database: Database, scope: LawScope): Promise<LawReport> {
  if (scope.kind === 'full') return compareRollups(database, null);
  const batches = await checkBatches(database, scope);
  const { drawn, all } = await drawTenants(database, scope);
  const isWhole = BigInt(drawn.length) === all;
  const sample = await compareRollups(database, isWhole ? null : drawn);
  return {
    ...sample,
    range: `rollup rows, of ${drawn.length} of ${all} tenants`,
    violations: [...sample.violations, ...batches.violations].slice(0, VIOLATIONS_NAMED),
  };
}

/** Compares the rollups of these tenants with their entries; null stands for every tenant. */
async function compareRollups(
  database: Database,
  tenantIds: readonly string[] | null,
): Promise<LawReport> {
  const { rows, differing } = await comparePeriods(database, tenantIds);
  const violations: string[] = [];
  if (differing.length > 0) {
    for (const rollup of ROLLUPS) {
      violations.push(...(await findRows(database, rollup, differing)));
    }
    violations.push(...differing.map(({ tenantId, periodStart }) => nameOf(tenantId, periodStart)));
  }
  const ledger = tenantIds === null ? await compareLedger(database) : { rows: 0, differing: [] };
  const exchanges = await compareExchanges(database, tenantIds);
  violations.push(...ledger.differing, ...exchanges.differing);
  return {
    ...LAW,
    checked: rows + ledger.rows + exchanges.rows,
    violations: violations.slice(0, VIOLATIONS_NAMED),
  };
}

/** Compares the rollup of the whole ledger with those of tenants, which are compared with entries. */
async function compareLedger(
  database: Database,
): Promise<{ readonly rows: number; readonly differing: readonly string[] }> {
  const columns = [...LEDGER_DIMENSIONS, ...MEASURES].map(({ name }) => name);
  const names = sql.raw([...columns, 'ledger_key'].join(', '));
  const dimensions = LEDGER_DIMENSIONS.map(({ name, of }) => `${of} as ${name}`);
  const sums = MEASURES.map(({ name }) => `sum(${name}) as ${name}`);
  const places = LEDGER_DIMENSIONS.map((_, index) => index + 1);
  const { rows } = await sql<{ rows: bigint; said: readonly string[] | null }>`
    with summed as (
      select s.*, ${sql.raw(LEDGER_KEY)} as ledger_key from (
        select ${sql.raw([...dimensions, ...sums].join(', '))} from usage_rollups
        group by ${sql.raw(places.join(', '))}) s
    ), differing as (
      (select 'usage_rollups' as side, x.* from (
        select ${names} from summed except all select ${names} from ledger_rollups) x)
      union all
      (select 'ledger_rollups' as side, x.* from (
        select ${names} from ledger_rollups except all select ${names} from summed) x)
    )
    select (select count(*) from ledger_rollups) as rows,
      (select array_agg(d.said) from (
        select side || ' of all tenants, period ' || period_start || ' day ' || day || ' model "' || requested_model
          || '": ' || entries || ' entries, charge ' || charge || ' p, cost ' || cost || ' p' as said
        from differing order by period_start, day, requested_model, side limit ${VIOLATIONS_NAMED}) d) as said`.execute(
    database.kysely,
  );
  const [row] = rows;
  return { rows: Number(row?.rows ?? 0n), differing: row?.said ?? [] };
}

function nameOf(tenantId: string, periodStart: string): string {
  return `tenant "${tenantId}" period ${periodStart}: its rollups are not the sums of its entries`;
}

/** Compares the row of each new batch with the sums of its entries. */
function checkBatches(database: Database, scope: LawScope): Promise<LawReport> {
  const batch = sql`e.entry_id / ${sql.lit(ENTRIES_PER_BATCH)}`;
  return check(
    database,
    LAW,
    sql<Counted>`
    with posted as (
      select ${batch} as batch_id, count(*) as entries, coalesce(sum(charge), 0) as charge, coalesce(sum(cost), 0) as cost
      from ${entriesOf(scope)} e group by 1
    ), compared as (
      select b.batch_id, b.entries::numeric, b.charge, b.cost,
        coalesce(p.entries, 0) as own_entries, coalesce(p.charge, 0) as own_charge, coalesce(p.cost, 0) as own_cost
      from batches b left join posted p on p.batch_id = b.batch_id where b.batch_id in (${batchesOf(scope)})
    )
    select count(*) as checked, array_agg('batch ' || batch_id || ': ' || entries || ' entries, charge ' || charge
        || ' p, cost ' || cost || ' p; posted ' || own_entries || ' entries, charge ' || own_charge || ' p, cost '
        || own_cost || ' p')
      filter (where (entries, charge, cost) is distinct from (own_entries, own_charge, own_cost)) as violations
    from compared`,
  );
}

/**
 * As many entries as an incremental run sums again, and as many tenants as it draws from. Twice as many entries took
 * nearly half of the time of an hour's run over a ledger of a million.
 */
const SAMPLED_ENTRIES = 25_000;
const SAMPLED_TENANTS = 100;

/**
 * Draws the tenants whose rollups an incremental run compares whole: at random among those that new entries
 * went to, and then among the others. A ledger that is smaller than the sample is compared as a whole; a
 * tenant that is larger than it is left to a full run.
 */
async function drawTenants(
  database: Database,
  scope: LawScope,
): Promise<{ readonly drawn: readonly string[]; readonly all: bigint }> {
  const seed = sql`${randomInt(2 ** 47)}::bigint`;
  const draw = sql`order by hashtextextended(tenant_id, ${seed}) limit ${sql.lit(SAMPLED_TENANTS)}`;
  const { rows } = await sql<{ candidates: readonly string[] | null; of_all: bigint }>`
    with recent as materialized (
      select distinct tenant_id from ${entriesOf(scope)} e
    ), candidate as (
      (select tenant_id, 1 as turn from recent ${draw})
      union all
      (select tenant_id, 2 from tenants where tenant_id not in (select tenant_id from recent) ${draw})
    )
    select (select array_agg(tenant_id order by turn, hashtextextended(tenant_id, ${seed})) from candidate) as candidates,
      (select count(*) from tenants) as of_all`.execute(database.kysely);
  const [row] = rows;
  return { drawn: await fillSample(database, row?.candidates ?? []), all: row?.of_all ?? 0n };
}

/** Tenants whose sizes are read at once: few fill the sample of a large ledger, and all rollup rows of each are read. */
const SIZED_AT_ONCE = 10;

/** Takes candidates in their order until the next one does not fit; those that are too large by themselves are passed over. */
async function fillSample(
  database: Database,
  candidates: readonly string[],
): Promise<readonly string[]> {
  const drawn: string[] = [];
  let entries = 0;
  for (let start = 0; start < candidates.length; start += SIZED_AT_ONCE) {
    const some = candidates.slice(start, start + SIZED_AT_ONCE);
    for (const { tenant_id, size } of await readSizes(database, some)) {
      if (size > SAMPLED_ENTRIES) continue;
      entries += size;
      if (entries > SAMPLED_ENTRIES) return drawn;
      drawn.push(tenant_id);
    }
  }
  return drawn;
}

/** Reads how many entries tenants have, as far as it matters: each row of a rollup has one at least. */
async function readSizes(database: Database, tenantIds: readonly string[]) {
  const { rows } = await sql<{ tenant_id: string; size: number }>`
    select c.tenant_id, coalesce(u.entries, 0)::float8 as size
    from unnest(${[...tenantIds]}::text[]) with ordinality c(tenant_id, place)
    cross join lateral (
      select sum(abs(r.entries)) as entries from (
        select entries from usage_rollups where tenant_id = c.tenant_id limit ${sql.lit(SAMPLED_ENTRIES + 1)}) r
    ) u order by c.place`.execute(database.kysely);
  return rows;
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
  tenantIds: readonly string[] | null,
): Promise<{ readonly rows: number; readonly differing: readonly Period[] }> {
  // Values of the statement, which so is the same for each run.
  const seed = sql`${randomInt(2 ** 47)}::bigint`;
  const weighted = <Of extends object>(measures: readonly Of[]) =>
    measures.map((measure) => ({ ...measure, weight: sql`${randomInt(1, 2 ** 31)}::numeric` }));
  const [measures, units] = [weighted(MEASURES), weighted(UNIT_MEASURES)];
  const sumOf = (weights: typeof units, of: 'name' | 'each') =>
    sql.join(
      weights.map(
        ({ weight, ...measure }) => sql`${weight} * coalesce(${sql.raw(measure[of])}, 0)`,
      ),
      sql` + `,
    );
  // Few rows have further units, and of all others half of the arithmetic would be over nothing.
  const weigh = (of: 'name' | 'each') => sql`${sumOf(measures, of)}
    + case when ${sql.raw(of === 'each' ? 'e.units' : 'units')} is null then 0 else ${sumOf(units, of)} end`;
  const [usage, run] = ROLLUPS;
  const number = (columns: readonly string[], of: 'name' | 'each') =>
    sql`sum(hash_record_extended(row(${sql.raw(columns.join(', '))}), ${seed})::numeric * (${weigh(of)}))`;
  const those = tenantIds === null ? sql`true` : sql`tenant_id = any(${[...tenantIds]}::text[])`;
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
      from (select * from entries_of_ledger() where ${those}) e ${sql.raw(RATES_OF_ENTRIES)}
      where not exists (select 1 from fold_queue f where f.batch_id = e.entry_id / ${sql.lit(ENTRIES_PER_BATCH)})
      group by e.tenant_id, e.period_start
    ), run as (
      select tenant_id, period_start, count(*) as rows, min(entries) as least,
        ${number(names(run), 'name')} as of_runs, ${number(names(usage), 'name')} as of_usage
      from run_rollups where ${those} group by tenant_id, period_start
    ), usage as (
      select tenant_id, period_start, count(*) as rows, min(entries) as least, ${number(names(usage), 'name')} as of_usage
      from usage_rollups where ${those} group by tenant_id, period_start
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
      select ${sums} from (select * from entries_of_ledger() where ${those}) e ${sql.raw(RATES_OF_ENTRIES)}
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
