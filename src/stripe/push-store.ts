import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/tables.ts';
import type { PushEvent, PushState } from './push-state.ts';
import { CHANGED_BY } from './push-state.ts';

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
  /** Minor units: what the invoice line must come to. */
  readonly chargeTotal?: bigint;
}

/** The closed periods that are meant; null is any. */
export interface TargetFilter {
  /** YYYY-MM, in which the period begins. */
  readonly month: string | null;
  readonly tenantId: string | null;
}

/** The closed periods that begin in a month, or that a filter names; ordered by tenant and start. */
export async function readTargets(
  database: Database,
  wanted: string | TargetFilter,
): Promise<readonly PushTarget[]> {
  const { month, tenantId } =
    typeof wanted === 'string' ? { month: wanted, tenantId: null } : wanted;
  let query = database.kysely
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
      'closes.charge_total',
    ]);
  if (month !== null) {
    query = query.where(sql<boolean>`to_char(closes.period_start, 'YYYY-MM') = ${month}`);
  }
  if (tenantId !== null) query = query.where('closes.tenant_id', '=', tenantId);
  const rows = await query.orderBy('closes.tenant_id').orderBy('closes.period_start').execute();
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    mode: row.mode,
    stripeCustomer: row.stripe_customer,
    periodStart: row.period_start,
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    currency: row.currency,
    billableMicro: row.billable_micro,
    chargeTotal: row.charge_total,
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
  /** The mode of the key that it was made under; null in rows older than this column. */
  readonly livemode?: boolean | null;
  /** The instant at which the summary first lacked it. */
  readonly absentSince?: InstantMs | null;
  /** The instant at which the summary was seen to hold it. */
  readonly provenAt?: InstantMs | null;
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
  return rows.map(toIntent);
}

/** The intents of many periods in one query, by `intentKey`; a period without any is left out. */
export async function readIntentsOf(
  database: Database,
  periods: readonly { readonly tenantId: string; readonly periodStart: string }[],
): Promise<ReadonlyMap<string, readonly Intent[]>> {
  const rows = await database.kysely
    .selectFrom('push_intents')
    .selectAll()
    .where(
      sql<boolean>`(tenant_id, period_start) in (select * from unnest(
        ${periods.map((period) => period.tenantId)}::text[],
        ${periods.map((period) => period.periodStart)}::date[]))`,
    )
    .orderBy('sequence')
    .execute();
  return Map.groupBy(rows.map(toIntent), intentKey);
}

export function intentKey(of: { readonly tenantId: string; readonly periodStart: string }): string {
  return JSON.stringify([of.tenantId, of.periodStart]);
}

function toIntent(row: Selectable<Tables['push_intents']>): Intent {
  return {
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
    livemode: row.livemode,
    absentSince: row.absent_since,
    provenAt: row.proven_at,
  };
}

type NewIntent = Omit<
  Intent,
  'state' | 'attempts' | 'firstAttemptAt' | 'lastAnswer' | 'absentSince' | 'provenAt'
>;

/** Makes an intent; false where somebody else has made the same sequence in the meantime. */
export async function insertIntent(
  database: Database,
  intent: NewIntent,
  createdAt: InstantMs,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows: made } = await database.kysely
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
      livemode: intent.livemode ?? null,
      state: 'pending',
      attempts: 0,
      created_at: formatInstant(createdAt),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  return made === 1n;
}

/**
 * The attempt is durable before the request: from here on a crash leaves `sent`, and nobody thinks
 * it never went. False where the intent may no longer be sent, since somebody else decided about
 * it.
 */
export async function markAttempt(
  database: Database,
  identifier: string,
  at: InstantMs,
): Promise<boolean> {
  const { numAffectedRows: marked } = await sql`
    update push_intents set state = 'sent', attempts = attempts + 1, last_attempt_at = ${formatInstant(at)},
      first_attempt_at = coalesce(first_attempt_at, ${formatInstant(at)}), sent_at = coalesce(sent_at, ${formatInstant(at)})
    where identifier = ${identifier} and state = any(${[...CHANGED_BY.attempt]}::text[])`.execute(
    database.kysely,
  );
  return marked === 1n;
}

/** A change of state: what happened, what it becomes, and what was found out. */
export interface StateChange {
  readonly event: Exclude<PushEvent, 'attempt'>;
  readonly state: PushState;
  readonly answer: string;
  readonly at: InstantMs;
}

/** False where the intent is in a state that the event does not change. */
export async function markState(
  database: Database,
  identifier: string,
  given: StateChange,
): Promise<boolean> {
  const at = formatInstant(given.at);
  const { numUpdatedRows: changed } = await database.kysely
    .updateTable('push_intents')
    .set({
      state: given.state,
      last_answer: given.answer,
      ...(given.state === 'confirmed' ? { confirmed_at: at } : {}),
      ...(given.state === 'ambiguous' ? { absent_since: sql`coalesce(absent_since, ${at})` } : {}),
    })
    .where('identifier', '=', identifier)
    .where('state', 'in', CHANGED_BY[given.event])
    .executeTakeFirstOrThrow();
  return changed === 1n;
}

/** Stripe's summary holds what these intents say, to the unit. */
export async function markProven(
  database: Database,
  identifiers: readonly string[],
  at: InstantMs,
): Promise<void> {
  await sql`update push_intents set proven_at = ${formatInstant(at)}
    where identifier = any(${[...identifiers]}::text[]) and state = 'confirmed' and proven_at is null`.execute(
    database.kysely,
  );
}

/** The intents of these identifiers; ours only, whatever else an error report names. */
export async function readIntentsByIdentifier(
  database: Database,
  identifiers: readonly string[],
): Promise<readonly Intent[]> {
  const rows = await database.kysely
    .selectFrom('push_intents')
    .selectAll()
    .where(sql<boolean>`identifier = any(${[...identifiers]}::text[])`)
    .execute();
  return rows.map(toIntent);
}

/** The months, YYYY-MM, of periods with anything pushed, newest first. */
export async function monthsPushed(database: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ month: string }>`
    select distinct to_char(period_start, 'YYYY-MM') as month from push_intents order by 1 desc`.execute(
    database.kysely,
  );
  return rows.map((row) => row.month);
}
