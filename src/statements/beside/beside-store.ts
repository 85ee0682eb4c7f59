import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { ENTRIES_OF_BATCH } from '../../database/entries-of-batch.ts';
import type { Manifest } from '../../ledger/closes/manifest.ts';
import { CALLS_OF_ENTRY } from '../../ledger/closes/period-groups-store.ts';
import { formatPico, type Pico } from '../../money.ts';
import type {
  MonthBefore,
  StatementAllocation,
  StatementCorrection,
  StatementInvoice,
  UsageShare,
} from '../statement-answer.ts';

/** A database, or the snapshot of it in which everything of a statement is read. */
type Reading = Pick<Database, 'kysely'>;

/** Facts about a period beyond its manifest that the customer may read. */
export interface Beside {
  readonly customer: Customer;
  readonly invoices: readonly StatementInvoice[];
  readonly month_before: MonthBefore | null;
  readonly features: readonly UsageShare[];
  readonly users: readonly UsageShare[];
  readonly corrections: readonly StatementCorrection[];
  readonly allocations: readonly StatementAllocation[];
  /** Calls of other periods that corrections took back here, less those that stand for them again. */
  readonly taken_back_elsewhere: number;
  /** Calls of the period that a gateway's cache answered. */
  readonly cached: number;
}

interface Customer {
  readonly name: string | null;
  readonly address: string | null;
  readonly contact: string | null;
}

export async function readBesideManifest({ kysely }: Reading, manifest: Manifest): Promise<Beside> {
  const { tenant_id: tenantId, period_start: periodStart } = manifest;
  const { rows } = await sql<Customer & BesideRow>`
    select t.name, t.address, t.contact, before.manifest as before,
      (select coalesce(json_agg(json_build_object('id', i.invoice_id, 'url', i.hosted_url,
          'state', case i.state when 'finalized' then 'final' when 'void' then 'void' else 'draft' end)
          order by i.invoice_id), '[]')
        from stripe_invoices i where i.tenant_id = t.tenant_id and i.period_start = ${periodStart} and i.state <> 'gone')
        as invoices,
      (select coalesce(sum(${sql.raw(CALLS_OF_ENTRY)}), 0)::int from entries_of_period(t.tenant_id, ${periodStart}::date)
        where gateway_cache <> 'none' and not late)
        as cached
    from tenants t left join lateral (
      select manifest from closes c where c.tenant_id = t.tenant_id and c.period_start < ${periodStart}
      order by c.period_start desc limit 1
    ) before on true
    where t.tenant_id = ${tenantId}`.execute(kysely);
  const [row] = rows;
  if (row === undefined) throw new Error(`tenant "${tenantId}" has a close, and no row`);
  const { name, address, contact, invoices, before, cached } = row;
  const has = (count: number | undefined) => (count ?? 0) > 0;
  const isCorrected = has(manifest.corrections);
  return {
    customer: { name, address, contact },
    invoices,
    month_before: before === null ? null : monthBefore(JSON.parse(before), manifest),
    features: await readShares(kysely, manifest, { ...FEATURES, isCorrected }),
    users: await readShares(kysely, manifest, { ...USERS, isCorrected }),
    // Most periods have none, and their manifest knows it without a look at the entries.
    corrections: isCorrected ? await readCorrections(kysely, manifest) : [],
    taken_back_elsewhere: isCorrected ? await readTakenBack(kysely, manifest) : 0,
    allocations: has(manifest.allocations) ? await readAllocations(kysely, manifest) : [],
    cached,
  };
}

interface BesideRow {
  readonly invoices: readonly StatementInvoice[];
  /** The manifest of the close before. */
  readonly before: string | null;
  readonly cached: number;
}

/**
 * Returns the period right before, in the same currency; what lies between or cannot be compared
 * tells nothing.
 */
function monthBefore(before: Manifest, now: Manifest): MonthBefore | null {
  if (before.ends_at !== now.starts_at || before.currency !== now.currency) return null;
  return {
    start: before.period_start,
    total: before.charge_total,
    lines: before.lines
      .filter(({ late, meter }) => !late && meter !== 'carried_in' && meter !== 'carried_out')
      .map(({ model, amount }) => ({ model, amount })),
  };
}

interface Grain {
  readonly rollup: 'usage_rollups' | 'run_rollups';
  readonly column: 'feature' | 'user_id';
}

const FEATURES: Grain = { rollup: 'usage_rollups', column: 'feature' };
const USERS: Grain = { rollup: 'run_rollups', column: 'user_id' };

/**
 * Usage by feature or by user: rollups, and the few batches that are not folded into them yet, in one query and so
 * in one snapshot. Rollups count entries, so that a correction's are counted by themselves: what is taken back is one
 * call less, and what stands for it is one more. Those of a call of another period count no calls here.
 */
async function readShares(
  kysely: Reading['kysely'],
  { tenant_id: tenantId, period_start: periodStart }: Manifest,
  { rollup, column, isCorrected }: Grain & { readonly isCorrected: boolean },
): Promise<readonly UsageShare[]> {
  const name = sql.ref(column);
  const corrected = sql`
      union all
      select coalesce(e.${name}, ''), case when e.is_reversal then -1 else 1 end, 0 from entries_of_period(${tenantId}, ${periodStart}::date) e where e.kind = 'correction'
        and not ${OF_ANOTHER_PERIOD}`;
  const { rows } = await sql<ShareRow>`
    select nullif(name, '') as name, sum(calls)::int as calls, sum(charge) as charge from (
      select ${name} as name, case when kind = 'usage' then entries else 0 end as calls,
        charge - not_due_charge as charge
      from ${sql.table(rollup)}
      where tenant_id = ${tenantId} and period_start = ${periodStart} and kind in ('usage', 'correction')
      union all
      select coalesce(e.${name}, ''), case when e.kind = 'usage' then 1 else 0 end,
        case when e.not_due is null then coalesce(e.charge, 0) else 0 end
      from fold_queue batch ${sql.raw(ENTRIES_OF_BATCH)}
      where e.tenant_id = ${tenantId} and e.period_start = ${periodStart} and e.kind in ('usage', 'correction')
      ${isCorrected ? corrected : sql``}
    ) usage
    group by 1 having sum(calls) <> 0 or sum(charge) <> 0
    order by sum(charge) desc, sum(calls) desc, 1`.execute(kysely);
  return rows.map(({ charge, ...of }) => ({ ...of, exact: formatPico(charge) }));
}

interface ShareRow {
  readonly name: string | null;
  readonly calls: number;
  readonly charge: Pico;
}

/** What the ledger itself corrects has a reason for each call; a customer reads them together. */
const REASON = sql`case
  when reason like 'a second report of one call: %' then 'reported twice, and counted once'
  when reason like 'the call first requested %' or reason like 'no earlier attempt of the call is left%'
    then 'answered by a later attempt, and charged on the model that was requested first'
  else reason end`;

/** The first entry of what a correction corrects stands in another period, which counted its call. */
const OF_ANOTHER_PERIOD = sql`exists (select from entries_of_event(e.tenant_id, e.source, e.event_id) first
  where first.member_id = e.member_id and first.revision = 0 and first.period_start <> e.period_start)`;

/** The manifest counts every entry, due or not, so that these are counted in the same way. */
async function readTakenBack(
  kysely: Reading['kysely'],
  { tenant_id: tenantId, period_start: periodStart }: Manifest,
): Promise<number> {
  const { rows } = await sql<{ calls: number }>`
    select coalesce(sum(case when e.is_reversal then 1 else -1 end), 0)::int as calls from entries_of_period(${tenantId}, ${periodStart}::date) e
    where e.kind = 'correction'
      and ${OF_ANOTHER_PERIOD}`.execute(kysely);
  return rows[0]?.calls ?? 0;
}

/**
 * What is not due is in no line that is billed, and so are its corrections. What is corrected in another currency than
 * that of the period sums to nothing there, or else the period would not have been closed: so it changes nothing here.
 */
async function readCorrections(
  kysely: Reading['kysely'],
  { tenant_id: tenantId, period_start: periodStart, time_zone: timeZone, currency }: Manifest,
): Promise<readonly StatementCorrection[]> {
  const { rows } = await sql<Omit<StatementCorrection, 'exact'> & { readonly charge: Pico }>`
    select to_char(occurred_at at time zone ${timeZone}, 'YYYY-MM') as month, late, ${REASON} as reason,
      count(*) filter (where is_reversal)::int as taken_back,
      count(*) filter (where not is_reversal)::int as replaced,
      coalesce(sum(charge) filter (where currency = ${currency}), 0) as charge
    from entries
    where tenant_id = ${tenantId} and period_start = ${periodStart} and kind = 'correction'
      and not_due is null
    group by 1, 2, 3 order by 1, 2, 3`.execute(kysely);
  return rows.map(({ charge, ...of }) => ({ ...of, exact: formatPico(charge) }));
}

/**
 * The operator's own words of why a pool was divided. After them an entry says for auditors how: out of the usage or
 * the cost of all tenants together, which is nobody's to read who is one of them.
 */
const REASON_GIVEN = sql`case when is_reversal then reason else regexp_replace(reason,
  ': [0-9.]+ of [0-9.]+ (calls|weighted tokens|of direct cost), remainder place [0-9]+, rounded (up|down)$', '') end`;

/** Shares of pools that were charged, and what was taken back of them. */
async function readAllocations(
  kysely: Reading['kysely'],
  { tenant_id: tenantId, period_start: periodStart }: Manifest,
): Promise<readonly StatementAllocation[]> {
  const { rows } = await sql<Omit<StatementAllocation, 'exact'> & { readonly charge: Pico }>`
    select requested_model as pool, ${REASON_GIVEN} as reason, sum(charge) as charge from entries
    where tenant_id = ${tenantId} and period_start = ${periodStart} and kind = 'allocation'
      and not_due is null and charge <> 0
    group by 1, 2 order by 1, 2`.execute(kysely);
  return rows.map(({ charge, ...of }) => ({ ...of, exact: formatPico(charge) }));
}
