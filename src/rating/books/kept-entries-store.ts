import { formatInstant, formatInstantOrNull, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { KeptEntries } from './price-book-answer.ts';

/**
 * Reads entries that stand and were priced by a book, by when they occurred, half-open; of one of
 * its versions where one is given. Null where there are none.
 */
export async function readPricedEntries(
  database: Database,
  of: {
    readonly book: string;
    readonly version: InstantMs | null;
    readonly from: InstantMs;
    readonly until: InstantMs | null;
  },
): Promise<KeptEntries | null> {
  const { rows } = await database.pool.query<{
    entries: bigint;
    first: InstantMs;
    last: InstantMs;
    months: readonly string[];
  }>(
    `with kept as (
       select e.tenant_id, e.period_start, e.late, count(*) as entries, min(e.occurred_at) as first, max(e.occurred_at) as last
       from entries e
       where e.occurred_at >= $2::timestamptz and e.occurred_at < coalesce($3::timestamptz, 'infinity')
         -- The period begins at most a long month before, and its blocks lie together.
         and e.period_start >= ($2::timestamptz - interval '62 days')::date
         and (e.charge_book = $1 and coalesce(e.charge_version = $4::timestamptz, $4 is null)
           -- A book that takes a discount off this one, or adds to its cost, prices by the rates of this one.
           or e.charge_rate_id in (select rate_id from price_rates
             where book = $1 and effective_from = coalesce($4::timestamptz, effective_from))
           or e.cost_book = $1 and coalesce(e.cost_version = $4::timestamptz, $4 is null))
         and not e.is_reversal and not exists (select 1 from entries c
           where c.tenant_id = e.tenant_id and c.corrects_entry_id = e.entry_id)
       group by e.tenant_id, e.period_start, e.late
     ), begun as (
       -- A call is priced anew by the period in which it occurred, in whichever one it stands.
       select k.period_start from kept k where not k.late
       union select p.period_start from kept k join periods p on p.tenant_id = k.tenant_id
         and p.starts_at <= k.last and p.ends_at > k.first where k.late
       union select k.first::date from kept k where k.late and not exists (
         select from periods p where p.tenant_id = k.tenant_id and p.starts_at <= k.first and p.ends_at > k.first)
     )
     select coalesce(sum(entries), 0)::bigint as entries, min(first) as first, max(last) as last,
       array(select distinct to_char(period_start, 'YYYY-MM') from begun order by 1) as months
     from kept`,
    [
      of.book,
      formatInstant(of.from),
      formatInstantOrNull(of.until),
      formatInstantOrNull(of.version),
    ],
  );
  const row = rows[0];
  if (row === undefined || row.entries === 0n) return null;
  const { entries, first, last, months } = row;
  return {
    entries: Number(entries),
    from: formatInstant(first),
    until: formatInstant(last),
    months,
  };
}
