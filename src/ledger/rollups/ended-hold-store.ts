import { formatInstant, type InstantMs } from '../../clock.ts';
import { type Database, inTransaction } from '../../database/database.ts';

/**
 * So long a hold is kept once it has ended. What still asks for it is over by then: a caller that asks again under its
 * id, the guard against loops, the second event of its call, and the law of budgets in incremental runs.
 */
const ENDED_HOLDS_KEPT = `interval '7 days'`;

/** So many leave in one transaction: some tens of milliseconds of work. */
const LEAVE_AT_ONCE = 5_000;

/** More leave in one turn than callers can make until the next one; the rest of a great many leave then. */
const TURNS_AT_MOST = 8;

/**
 * Takes away the holds that ended some days ago, the first that ended first, and says until when. What they held was
 * given back when they ended, so that no counter is touched, and no caller that reserves waits. An open
 * hold never leaves, however long it is unsettled.
 */
export async function takeEndedHolds(database: Database, at: InstantMs): Promise<void> {
  for (let turn = 1; turn <= TURNS_AT_MOST; turn += 1) {
    if ((await takeSome(database, at)) < LEAVE_AT_ONCE) return;
  }
}

async function takeSome(database: Database, at: InstantMs): Promise<number> {
  return inTransaction(database, async ({ client }) => {
    const { rows } = await client.query<{ taken: bigint }>({
      name: 'take-ended-holds',
      text: `with taken as (
          delete from budget_holds where ctid = any(array(
            select ctid from budget_holds where ended_at < $1::timestamptz - ${ENDED_HOLDS_KEPT}
            order by ended_at limit ${LEAVE_AT_ONCE} for update skip locked
          )) returning ended_at
        ), said as (
          insert into kept_holds as k (ended_since) select max(ended_at) from taken having count(*) > 0
          on conflict (only_one) do update set ended_since = greatest(k.ended_since, excluded.ended_since)
        )
        select count(*) as taken from taken`,
      values: [formatInstant(at)],
    });
    return Number(rows[0]?.taken ?? 0);
  });
}
