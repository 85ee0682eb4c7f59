import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import { type Database, mayOnlyRead } from '../../database/database.ts';

/** What is read again and again of one period: a count, or whether there are invoices. */
export interface RepeatedRead {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly what: 'meter' | 'invoice_item' | 'invoices';
  readonly customer: string;
}

/** So many reads at once, and one more each so many hours. */
interface Allowance {
  readonly most: number;
  readonly hoursForOne: number;
}

/**
 * Stripe allows 500 reads for each transaction and month. Two months are verified at a time, so that an
 * hourly verification reads 50 + 120 times of the newer one in its month, and 120 times of the older.
 */
const ALLOWANCES: Readonly<Record<RepeatedRead['what'], Allowance>> = {
  meter: { most: 50, hoursForOne: 6 },
  invoice_item: { most: 50, hoursForOne: 6 },
  invoices: { most: 10, hoursForOne: 24 },
};

/**
 * Takes one read from the allowance; false where none is left, and null where this user may take none: an auditor counts
 * nothing here, since what it writes others would believe.
 */
export async function takeRead(
  database: Database,
  of: RepeatedRead,
  at: InstantMs,
): Promise<boolean | null> {
  try {
    return await takeOne(database, of, at);
  } catch (error) {
    if (!mayOnlyRead(error)) throw error;
    return null;
  }
}

async function takeOne(database: Database, of: RepeatedRead, at: InstantMs): Promise<boolean> {
  const { most, hoursForOne } = ALLOWANCES[of.what];
  const instant = formatInstant(at);
  const left = sql`least(${most}::numeric, r.allowance
    + greatest(0, extract(epoch from ${instant}::timestamptz - r.read_at)) / ${hoursForOne * 3600}::numeric)`;
  const { numAffectedRows: taken } = await sql`
    insert into stripe_reads as r (tenant_id, period_start, what, stripe_customer, read_at, allowance) values
      (${of.tenantId}, ${of.periodStart}, ${of.what}, ${of.customer}, ${instant}, ${most - 1})
    on conflict (tenant_id, period_start, what, stripe_customer)
      do update set allowance = ${left} - 1, read_at = ${instant} where ${left} >= 1`.execute(
    database.kysely,
  );
  return taken === 1n;
}

export async function keepFigure(
  database: Database,
  of: RepeatedRead,
  figure: bigint | null,
): Promise<void> {
  await sql`update stripe_reads set figure = ${figure} where ${isOf(of)}`.execute(database.kysely);
}

/** Clocks of two machines may be so far apart. */
const AHEAD_AT_MOST_MS = 3_600_000;

/** The figure that was read last; null where none was, or not in the time in which a read comes back. */
export async function readFigure(
  database: Database,
  of: RepeatedRead,
  at: InstantMs,
): Promise<bigint | null> {
  const since = formatInstant(at - ALLOWANCES[of.what].hoursForOne * 3_600_000);
  const { rows } = await sql<{ figure: bigint | null }>`
    select figure from stripe_reads where ${isOf(of)}
      and read_at between ${since} and ${formatInstant(at + AHEAD_AT_MOST_MS)}`.execute(
    database.kysely,
  );
  return rows[0]?.figure ?? null;
}

function isOf({ tenantId, periodStart, what, customer }: RepeatedRead) {
  return sql`tenant_id = ${tenantId} and period_start = ${periodStart} and what = ${what}
    and stripe_customer = ${customer}`;
}
