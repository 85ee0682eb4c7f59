import { sql } from 'kysely';
import { type Database, inTransaction } from '../../database/database.ts';
import type { LawReport, LawScope } from './law.ts';
import { VIOLATIONS_NAMED } from './law.ts';
import { changedRows } from './scope-store.ts';

/**
 * Tables whose rows decide who pays, what was told to whom and what a person did: their key, and the columns that
 * are kept as digests. The migrations begin the journal of each of them, with the same words.
 */
export const JOURNALED: Readonly<
  Record<
    string,
    {
      readonly key: readonly string[];
      readonly digests: readonly string[];
      /** Set where rows come with every month or message, and not with what a person does. */
      readonly grows?: true;
    }
  >
> = {
  tenants: { key: ['tenant_id'], digests: [] },
  tenant_price_books: { key: ['tenant_id', 'effective_from'], digests: [] },
  tenant_calendar_changes: { key: ['tenant_id', 'effective_from'], digests: [] },
  default_price_books: { key: ['effective_from'], digests: [] },
  price_books: { key: ['book', 'effective_from'], digests: ['document'] },
  exchange_versions: { key: ['version_id'], digests: [] },
  exchange_rates: { key: ['version_id', 'currency'], digests: [] },
  periods: { key: ['tenant_id', 'period_start'], digests: [], grows: true },
  closes: { key: ['tenant_id', 'period_start'], digests: ['manifest'], grows: true },
  push_intents: { key: ['tenant_id', 'period_start', 'sequence'], digests: [], grows: true },
  allocations: { key: ['pool', 'month', 'revision'], digests: [] },
  budgets: { key: ['budget_id'], digests: [] },
  budget_raises: { key: ['request_id'], digests: [] },
  webhook_endpoints: { key: ['endpoint_id'], digests: ['secret'] },
  quarantine: { key: ['quarantine_id'], digests: ['body'], grows: true },
  stripe_customers: { key: ['tenant_id', 'stripe_customer', 'livemode'], digests: [] },
  stripe_meters: { key: ['currency', 'livemode'], digests: [] },
  push_alerts: { key: ['alert_id'], digests: [], grows: true },
  issuer: { key: ['only_one'], digests: ['logo'] },
  ledger_name: { key: ['only_one'], digests: [] },
  http_keys: { key: ['key_id'], digests: ['key_hash'] },
  tenant_logins: { key: ['login'], digests: [] },
};

/**
 * Checks law 11: every row of these tables is as the journal last kept it, and empty in every column that came
 * after that; a migration that gives a new column values writes them into the journal. The journal itself is sealed (law 8). Of the tables that grow with every month or message, an
 * incremental run looks at the rows whose changes were sealed since. A table that the database's user may not
 * read is left out, and named.
 */
export async function checkJournal(
  database: Database,
  scope: LawScope,
  tables: readonly string[] = Object.keys(JOURNALED),
): Promise<LawReport> {
  const law = { law: 11, name: 'what was decided is as it was written down' };
  const violations: string[] = [];
  let checked = 0;
  const unread = await readForbidden(database, tables);
  for (const name of tables.filter((table) => !unread.includes(table))) {
    const found = await compareTable(database, scope, name);
    checked += found.checked;
    violations.push(...found.violations);
  }
  const report = { ...law, checked, violations: violations.slice(0, VIOLATIONS_NAMED) };
  const what = scope.kind === 'full' ? 'rows checked' : 'rows, decided or changed since';
  if (unread.length > 0) {
    return {
      ...report,
      range: `${what}, without ${unread.join(', ')}, which this user may not read`,
    };
  }
  return scope.kind === 'full' ? report : { ...report, range: what };
}

/** An auditor sees no key and no secret. */
async function readForbidden(
  database: Database,
  names: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select name from unnest(${[...names]}::text[]) name
    where not has_table_privilege(name, 'select') order by name`.execute(database.kysely);
  return rows.map(({ name }) => name);
}

interface Compared {
  readonly checked: bigint;
  readonly violations: readonly string[] | null;
}

/** Compares a table with its journal; of one that grows, an incremental run takes the rows that were changed. */
async function compareTable(database: Database, scope: LawScope, name: string) {
  const { key, digests, grows } = JOURNALED[name] ?? { key: [], digests: [] };
  const isWhole = scope.kind === 'full' || grows !== true;
  const ofKey = sql.raw(key.map((column) => `t.${column} = k.${column}`).join(' and '));
  const rowsNow = isWhole
    ? sql`${sql.table(name)} t`
    : sql`changed c cross join lateral jsonb_populate_record(null::${sql.table(name)}, c.row_key) k
        join ${sql.table(name)} t on ${ofKey}`;
  const rowsThen = isWhole ? sql`true` : sql`row_key in (select row_key from changed)`;
  return inTransaction(database, async ({ kysely }) => {
    // As the journal writes instants and bytes, whatever the session's own ways are: `kept_of` sets them for each row.
    await sql`set local time zone 'UTC'`.execute(kysely);
    await sql`set local bytea_output = 'hex'`.execute(kysely);
    const { rows } = await sql<Compared>`
    with changed as materialized (
      ${isWhole ? sql`select null::jsonb as row_key where false` : changedRows(scope, name)}
    ), now as materialized (
      select ${keyOf(key)} as row_key, ${withDigests(digests)} as kept from (select to_jsonb(t) as kept from ${rowsNow} offset 0) r
    ), last as materialized (
      select distinct on (row_key) row_key, kept from changes where of_table = ${name} and ${rowsThen}
      order by row_key, change_id desc
    ), compared as (
      select coalesce(n.row_key, l.row_key) as row_key, case
        when n.row_key is null and l.kept is not null then 'was removed'
        when n.row_key is not null and l.kept is null then 'was added'
        else 'was changed in ' || d.columns end as fault
      from now n full join last l on l.row_key = n.row_key
        cross join lateral (select string_agg(c.key, ', ' order by c.key) as columns from jsonb_each(l.kept || n.kept) c
          -- Nearly every row is as it was, and few are compared by their columns. One that came later is null where the journal does not know it.
          where l.kept is distinct from n.kept
            and coalesce(l.kept -> c.key, 'null') is distinct from coalesce(n.kept -> c.key, 'null')) d
    )
    select count(*) as checked,
      (array_agg(${name} || ' ' || row_key || ' ' || fault) filter (where fault is not null))
        [1:${sql.lit(VIOLATIONS_NAMED)}] as violations
    from compared`.execute(kysely);
    const [row] = rows;
    return { checked: Number(row?.checked ?? 0), violations: row?.violations ?? [] };
  });
}

/** What the function `key_of` makes of a row, which costs several times as much where it is called for each. */
function keyOf(names: readonly string[]) {
  const members = names.map((name) => sql`${sql.lit(name)}, r.kept -> ${sql.lit(name)}`);
  return sql`jsonb_build_object(${sql.join(members)})`;
}

/** What the function `with_digests` makes of it, in the same way. */
function withDigests(names: readonly string[]) {
  if (names.length === 0) return sql`r.kept`;
  const members = names.map(
    (name) =>
      sql`${sql.lit(name)}, encode(sha256(convert_to(coalesce(r.kept ->> ${sql.lit(name)}, ''), 'UTF8')), 'hex')`,
  );
  return sql`r.kept || jsonb_build_object(${sql.join(members)})`;
}
