import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import type { Tables } from '../../database/tables.ts';
import { periodKey } from '../../periods/period-key.ts';
import type { FrozenManifest, PeriodFacts } from './manifest.ts';
import type { PeriodRow } from './period-store.ts';

/** A period with what decides which remainder it takes. */
export interface CarriedTo extends Pick<PeriodRow, 'tenantId' | 'periodStart'> {
  readonly mode: 'shadow' | 'live';
  readonly currency: string;
  /** False for a close of before, which took the remainder of whatever close was the last. */
  readonly carriesApart: boolean;
}

/** What is carried into a period. */
export interface Carried {
  readonly carriedIn: bigint;
  /** What of it is of months that were billed, and came while the tenant was in shadow. */
  readonly carriedInDue: bigint;
}

/**
 * Reads what the close before carried on to each of these periods, in picodollars; nothing to a
 * tenant's first. What was never billed is carried to no bill, and what is left in one currency
 * stays in it, until the next period of its kind. What is due and came in months in shadow goes to the next live
 * one. The answer throws for a period that was not asked for.
 */
export async function readCarriedIn(
  db: Kysely<Tables>,
  periods: readonly CarriedTo[],
): Promise<(period: Pick<PeriodRow, 'tenantId' | 'periodStart'>) => Carried> {
  const apart = <Value>(value: (period: CarriedTo) => Value) =>
    periods.map((period) => (period.carriesApart ? value(period) : null));
  const { rows } = await sql<{ t: string; s: string; left_over: bigint; due: bigint }>`
    select k.t, k.s, coalesce(before.left_over, 0) as left_over, coalesce((
      select sum(c.carried_out_due) from closes c
      where k.m = 'live' and c.tenant_id = k.t and c.period_start < k.s and c.mode = 'shadow' and c.currency = k.c
        and (before.period_start is null or c.period_start > before.period_start)
    ), 0)::numeric(38, 0) as due
    from unnest(${periods.map((period) => period.tenantId)}::text[],
      ${periods.map((period) => period.periodStart)}::date[],
      ${apart(({ mode }) => mode)}::text[], ${apart(({ currency }) => currency)}::text[]) k(t, s, m, c)
    left join lateral (
      select period_start, carried_out - coalesce(carried_out_due, 0) as left_over from closes
      where tenant_id = k.t and period_start < k.s and (k.m is null or mode = k.m and currency = k.c)
      order by period_start desc limit 1
    ) before on true`.execute(db);
  const carried = new Map(
    rows.map(({ t, s, left_over: leftOver, due }) => [
      periodKey({ tenantId: t, periodStart: s }),
      { carriedIn: leftOver + due, carriedInDue: due },
    ]),
  );
  return ({ tenantId, periodStart }) => {
    const amounts = carried.get(periodKey({ tenantId, periodStart }));
    if (amounts === undefined) {
      throw new Error(`nobody asked what is carried into period ${periodStart} of "${tenantId}"`);
    }
    return amounts;
  };
}

/** A period's frozen facts and bytes, ready to be kept. */
export interface NewClose {
  readonly facts: PeriodFacts;
  readonly frozen: FrozenManifest;
  readonly mode: 'shadow' | 'live';
  readonly stripeCustomer: string | null;
}

/**
 * Inserts closes. Their manifests go as one piece of bytes that the statement cuts again: as texts of a list each of
 * their many quotation marks would be escaped here and read again there.
 */
export async function insertCloses(
  transaction: Transaction,
  closes: readonly NewClose[],
  closedAt: InstantMs,
): Promise<void> {
  const column = (value: (close: NewClose) => unknown) => closes.map(value);
  const manifests = closes.map(({ frozen }) => Buffer.from(frozen.text));
  await transaction.client.query(
    `insert into closes (tenant_id, period_start, manifest, manifest_hash, entries, currency,
       charge_exact, carried_in, billable_micro, carried_out, charge_total, mode, stripe_customer, carried_out_due, closed_at)
     select t, s, convert_from(substr($15::bytea, (1 + sum(bytes) over (order by n) - bytes)::int, bytes), 'UTF8'),
       hash, entries, currency, exact, carried_in, billable, carried_out, total, mode, customer, due, $16::timestamptz
     from unnest($1::text[], $2::date[], $3::int[], $4::text[], $5::bigint[], $6::text[],
       $7::numeric[], $8::numeric[], $9::numeric[], $10::numeric[], $11::numeric[], $12::text[], $13::text[],
       $14::numeric[]) with ordinality x(t, s, bytes, hash, entries, currency, exact, carried_in, billable, carried_out,
         total, mode, customer, due, n)`,
    [
      column(({ facts }) => facts.tenantId),
      column(({ facts }) => facts.periodStart),
      manifests.map((bytes) => bytes.length),
      column(({ frozen }) => frozen.hash),
      column(({ frozen }) => frozen.manifest.entries),
      column(({ facts }) => facts.currency),
      column(({ frozen }) => frozen.chargeExact),
      column(({ facts }) => facts.carriedIn),
      column(({ frozen }) => frozen.billable.billableMicro),
      column(({ frozen }) => frozen.billable.carriedOut),
      column(({ frozen }) => frozen.billable.total),
      column(({ mode }) => mode),
      column(({ stripeCustomer }) => stripeCustomer),
      column(({ frozen }) => frozen.carriedOutDue),
      Buffer.concat(manifests),
      formatInstant(closedAt),
    ],
  );
}
