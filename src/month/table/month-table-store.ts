import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { PeriodSteps } from './month-table-answer.ts';

export interface MonthTableRow {
  readonly tenant_id: string;
  readonly period_start: string;
  readonly mode: 'shadow' | 'live';
  readonly charge: string;
  readonly currency: string | null;
  readonly is_closed: boolean;
  readonly has_ended: boolean;
  readonly told: string | null;
  readonly intents: bigint;
  /** Intents that were sent, or may have been, and have no answer. */
  readonly unanswered: bigint;
  readonly unproven: bigint;
  readonly invoice: PeriodSteps['invoice'];
  readonly invoice_id: string | null;
  readonly invoices: bigint;
}

/** Reads every period that begins in a month, with what was told of it and what bills it. */
export async function readMonthTable(
  database: Database,
  month: string,
  now: InstantMs,
): Promise<readonly MonthTableRow[]> {
  const first = `${month}-01`;
  const { rows } = await sql<MonthTableRow>`
    select p.tenant_id, p.period_start, p.mode, coalesce(p.charge_total, p.charge_exact, 0)::text as charge,
      p.currency, p.state = 'closed' as is_closed, p.ends_at <= ${formatInstant(now)} as has_ended, p.told,
      i.intents, i.unanswered, i.unproven, v.state as invoice, v.invoice_id, coalesce(v.invoices, 0) as invoices
    from audit.periods p
    left join lateral (
      select count(*) as intents, count(*) filter (where state <> 'confirmed') as unanswered,
        count(*) filter (where state = 'confirmed' and proven_at is null and destination <> 'settled') as unproven
      from push_intents i where i.tenant_id = p.tenant_id and i.period_start = p.period_start) i on true
    left join lateral (
      select state, invoice_id, count(*) over () as invoices from stripe_invoices v
      where v.tenant_id = p.tenant_id and v.period_start = p.period_start and v.state <> 'gone'
      order by finalized_at desc nulls last limit 1) v on true
    where p.period_start >= ${first}::date and p.period_start < ${first}::date + interval '1 month'`.execute(
    database.kysely,
  );
  return rows;
}
