import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Transaction } from '../database/database.ts';

/** The amount due in one currency for a period that has begun and still takes entries. */
export interface UnshutPeriod {
  readonly periodStart: string;
  readonly hasEnded: boolean;
  readonly currency: string;
  /** In picodollars of its currency. */
  readonly charge: bigint;
  /** What of it is late, of months that were billed: in shadow, too, it goes on to a bill. */
  readonly late: bigint;
}

export async function readUnshutPeriods(
  transaction: Transaction,
  tenantId: string,
  at: InstantMs,
): Promise<readonly UnshutPeriod[]> {
  const { rows } = await sql<UnshutPeriod>`
    select p.period_start as "periodStart", p.ends_at <= ${formatInstant(at)} as "hasEnded", e.currency,
      sum(e.charge) filter (where e.not_due is null) as charge,
      coalesce(sum(e.charge) filter (where e.not_due is null and e.late), 0) as late
    from periods p
    join entries e on e.tenant_id = p.tenant_id and e.period_start = p.period_start
    where p.tenant_id = ${tenantId} and p.state = 'open' and p.starts_at <= ${formatInstant(at)}
      and e.charge <> 0
    group by p.period_start, p.ends_at, e.currency having sum(e.charge) filter (where e.not_due is null) <> 0
      or sum(e.charge) filter (where e.not_due is null and e.late) <> 0
    order by p.period_start, e.currency`.execute(transaction.kysely);
  return rows;
}

export async function wasBilled(transaction: Transaction, tenantId: string): Promise<boolean> {
  const { rows } = await sql`
    select 1 from closes where tenant_id = ${tenantId} and mode = 'live' limit 1`.execute(
    transaction.kysely,
  );
  return rows.length > 0;
}
