import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { InstantMs } from '../../clock.ts';
import type { Tables } from '../../database/tables.ts';
import { periodKey } from '../../periods/period-key.ts';
import { STANDS } from '../entries/entry-store.ts';
import type { PeriodRow } from './period-store.ts';

/** What stands against closing some of these periods, by `periodKey`; asked for all of them at once. */
export interface Objections {
  /** The earliest period before this one that is not closed: remainders are carried in order. */
  readonly earlierOpen: ReadonlyMap<string, EarlierPeriod>;
}

/** A period that holds up a later one, with the first few of its entries, as audit.entries shows them. */
interface EarlierPeriod {
  readonly start: string;
  /** A close that ended before its manifest was made left it shut. */
  readonly isShut: boolean;
  readonly entryIds: readonly string[];
}

/**
 * A period that holds up nobody although it is open (R12): a wrong clock or a history put usage without a
 * price into it, or usage that was taken back since; it ended before the tenant was there, and nothing was
 * closed before it. So there is no money in it and none is carried through it, and whatever comes later for
 * it is late usage.
 */
const HOLDS_UP_NOBODY = sql`p.state = 'open'
  and exists (select from tenants t where t.tenant_id = p.tenant_id and t.created_at >= p.ends_at)
  and not exists (select from closes c where c.tenant_id = p.tenant_id and c.period_start < p.period_start)
  and exists (select from entries_of_period(p.tenant_id, p.period_start) e
    where (e.outcome in ('unrated', 'unmeasured') and not e.is_reversal
      and not exists (select from corrections_of(e.entry_id)) or e.is_reversal))
  and not exists (select from entries_of_period(p.tenant_id, p.period_start) e
    where e.charge <> 0 and not e.is_reversal and not exists (select from corrections_of(e.entry_id)))`;

export async function readObjections(
  db: Kysely<Tables>,
  periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[],
): Promise<Objections> {
  const keys = sql`unnest(${periods.map((period) => period.tenantId)}::text[],
    ${periods.map((period) => period.periodStart)}::date[]) k(t, s)`;
  const { rows } = await sql<ObjectionRow>`
    select b.t, b.s, b.earlier, b.shut, (select array_agg(few.id) from (
      select 'ent_' || e.entry_id as id from entries_of_period(b.t, b.earlier) e
      order by e.entry_id limit 3) few) as ids
    from (
      select k.t, k.s, min(p.period_start) as earlier,
        (array_agg(p.state order by p.period_start))[1] = 'shut' as shut from ${keys}
      join periods p on p.tenant_id = k.t and p.period_start < k.s and p.state <> 'closed'
      where not (${HOLDS_UP_NOBODY}) group by k.t, k.s
    ) b`.execute(db);
  return {
    earlierOpen: new Map(
      rows.map(({ t, s, earlier, shut, ids }) => [
        periodKey({ tenantId: t, periodStart: s }),
        { start: earlier, isShut: shut, entryIds: ids ?? [] },
      ]),
    ),
  };
}

interface ObjectionRow {
  readonly t: string;
  readonly s: string;
  readonly earlier: string;
  readonly shut: boolean;
  readonly ids: readonly string[] | null;
}

/** Entries of one model that counted the same units and have no charge yet, and one of them. */
export interface WaitingRow {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly model: string;
  readonly outcome: 'unrated' | 'unmeasured';
  readonly entries: number;
  readonly sample: bigint;
  /** When the first and the last of their calls occurred; of late ones in an earlier period. */
  readonly firstAt: InstantMs;
  readonly lastAt: InstantMs;
}

/** Reads what holds up the close of these periods (R10). */
export async function readWaiting(
  db: Kysely<Tables>,
  periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[],
): Promise<readonly WaitingRow[]> {
  const { rows } = await sql<Omit<WaitingRow, 'entries'> & { readonly entries: bigint }>`
    select k.t as "tenantId", k.s as "periodStart", e.requested_model as model, e.outcome,
      count(*) as entries, min(e.entry_id) as sample,
      min(e.occurred_at) as "firstAt", max(e.occurred_at) as "lastAt"
    from unnest(${periods.map((period) => period.tenantId)}::text[],
      ${periods.map((period) => period.periodStart)}::date[]) k(t, s)
    join entries e on e.tenant_id = k.t and e.period_start = k.s
    where e.outcome in ('unrated', 'unmeasured') and ${sql.raw(STANDS)}
    group by k.t, k.s, e.requested_model, e.outcome, e.service_tier, e.provider,
      e.uncached_input_tokens > 0, e.output_tokens > 0,
      (select array_agg(u order by u) from jsonb_object_keys(e.units) u)
    order by e.requested_model, sample`.execute(db);
  return rows.map((row) => ({ ...row, entries: Number(row.entries) }));
}
