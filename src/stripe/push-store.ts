import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { inTransaction } from '../database/database.ts';
import type { PushState } from './push-state.ts';
import type { StripeMeter } from './setup.ts';

export async function saveMeter(
  database: Database,
  meter: StripeMeter,
  given: { readonly livemode: boolean; readonly at: InstantMs },
): Promise<void> {
  const row = {
    event_name: meter.eventName,
    meter_id: meter.meterId,
    product_id: meter.productId,
    price_id: meter.priceId,
    set_up_at: formatInstant(given.at),
  };
  await database.kysely
    .insertInto('stripe_meters')
    .values({ currency: meter.currency, livemode: given.livemode, ...row })
    .onConflict((conflict) => conflict.columns(['currency', 'livemode']).doUpdateSet(row))
    .execute();
}

/** The meters that `stripe setup` made, by currency. */
export async function readMeters(
  database: Database,
  livemode: boolean,
): Promise<ReadonlyMap<string, StripeMeter>> {
  const rows = await database.kysely
    .selectFrom('stripe_meters')
    .selectAll()
    .where('livemode', '=', livemode)
    .execute();
  return new Map(
    rows.map((row) => [
      row.currency,
      {
        currency: row.currency,
        eventName: row.event_name,
        meterId: row.meter_id,
        productId: row.product_id,
        priceId: row.price_id,
      },
    ]),
  );
}

/** A closed period and what of it was told to Stripe. */
export interface PushTarget {
  readonly tenantId: string;
  readonly mode: 'shadow' | 'live';
  readonly stripeCustomer: string | null;
  readonly periodStart: string;
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
  readonly currency: string;
  readonly billableMicro: bigint;
}

/** The closed periods that begin in a month, ordered by tenant. */
export async function readTargets(
  database: Database,
  month: string,
): Promise<readonly PushTarget[]> {
  const rows = await database.kysely
    .selectFrom('closes')
    .innerJoin('periods', (join) =>
      join
        .onRef('periods.tenant_id', '=', 'closes.tenant_id')
        .onRef('periods.period_start', '=', 'closes.period_start'),
    )
    .innerJoin('tenants', 'tenants.tenant_id', 'closes.tenant_id')
    .select([
      'closes.tenant_id',
      'tenants.mode',
      'tenants.stripe_customer',
      'closes.period_start',
      'periods.starts_at',
      'periods.ends_at',
      'closes.currency',
      'closes.billable_micro',
    ])
    .where(sql<boolean>`to_char(closes.period_start, 'YYYY-MM') = ${month}`)
    .orderBy('closes.tenant_id')
    .orderBy('closes.period_start')
    .execute();
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    mode: row.mode,
    stripeCustomer: row.stripe_customer,
    periodStart: row.period_start,
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    currency: row.currency,
    billableMicro: row.billable_micro,
  }));
}

/** What Stripe was or will be told: exact, durable before the first request, and never changed. */
export interface Intent {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly sequence: number;
  readonly identifier: string;
  readonly meter: string;
  readonly stripeCustomer: string;
  readonly valueMicro: bigint;
  /** Unix seconds, inside the period. */
  readonly eventTimestamp: number;
  readonly state: PushState;
  readonly attempts: number;
  readonly firstAttemptAt: InstantMs | null;
  readonly lastAnswer: string | null;
}

export async function readIntents(
  database: Database,
  period: { readonly tenantId: string; readonly periodStart: string },
): Promise<readonly Intent[]> {
  const rows = await database.kysely
    .selectFrom('push_intents')
    .selectAll()
    .where('tenant_id', '=', period.tenantId)
    .where('period_start', '=', period.periodStart)
    .orderBy('sequence')
    .execute();
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    periodStart: row.period_start,
    sequence: row.sequence,
    identifier: row.identifier,
    meter: row.meter,
    stripeCustomer: row.stripe_customer,
    valueMicro: row.value_micro,
    eventTimestamp: Number(row.event_timestamp),
    state: row.state,
    attempts: row.attempts,
    firstAttemptAt: row.first_attempt_at,
    lastAnswer: row.last_answer,
  }));
}

export async function insertIntent(
  database: Database,
  intent: Omit<Intent, 'state' | 'attempts' | 'firstAttemptAt' | 'lastAnswer'>,
  createdAt: InstantMs,
): Promise<void> {
  await database.kysely
    .insertInto('push_intents')
    .values({
      tenant_id: intent.tenantId,
      period_start: intent.periodStart,
      sequence: intent.sequence,
      identifier: intent.identifier,
      meter: intent.meter,
      stripe_customer: intent.stripeCustomer,
      value_micro: intent.valueMicro,
      event_timestamp: BigInt(intent.eventTimestamp),
      state: 'pending',
      attempts: 0,
      created_at: formatInstant(createdAt),
    })
    .execute();
}

/** Durable before the request: from here on a crash leaves `sent`, and nobody thinks it never went. */
export async function markAttempt(
  database: Database,
  identifier: string,
  at: InstantMs,
): Promise<void> {
  await sql`
    update push_intents set state = 'sent', attempts = attempts + 1, last_attempt_at = ${formatInstant(at)},
      first_attempt_at = coalesce(first_attempt_at, ${formatInstant(at)}), sent_at = coalesce(sent_at, ${formatInstant(at)})
    where identifier = ${identifier}`.execute(database.kysely);
}

export async function markState(
  database: Database,
  identifier: string,
  given: { readonly state: PushState; readonly answer: string; readonly at: InstantMs },
): Promise<void> {
  await database.kysely
    .updateTable('push_intents')
    .set({
      state: given.state,
      last_answer: given.answer,
      ...(given.state === 'confirmed' ? { confirmed_at: formatInstant(given.at) } : {}),
    })
    .where('identifier', '=', identifier)
    .execute();
}

/**
 * Runs the work while no other process, on this machine or another, works for the same customer and
 * meter (R18: one request in flight). Answers null when somebody else is at it.
 */
export async function whileAlone<Result>(
  database: Database,
  key: string,
  work: () => Promise<Result>,
): Promise<Result | null> {
  return inTransaction(database, async ({ client }) => {
    const { rows } = await client.query<{ alone: boolean }>(
      'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as alone',
      [`stripe-push:${key}`],
    );
    return rows[0]?.alone === true ? work() : null;
  });
}

/** The months, YYYY-MM, of periods with anything pushed, newest first. */
export async function monthsPushed(database: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ month: string }>`
    select distinct to_char(period_start, 'YYYY-MM') as month from push_intents order by 1 desc`.execute(
    database.kysely,
  );
  return rows.map((row) => row.month);
}
