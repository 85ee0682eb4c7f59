import type { Insertable, Selectable } from 'kysely';
import { sql } from 'kysely';
import { CLOCKS_AGREE_WITHIN_MS, formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/tables.ts';
import { periodKey } from '../periods/period-key.ts';
import type { Intent } from './intent.ts';
import type { PushEvent, PushState } from './intent-state.ts';
import { CHANGED_BY } from './intent-state.ts';

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

/**
 * Reads the intents of many periods in one query, by `periodKey`; a period without any is left out.
 */
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
  return Map.groupBy(rows.map(toIntent), periodKey);
}

function toIntent(row: Selectable<Tables['push_intents']>): Intent {
  return {
    tenantId: row.tenant_id,
    periodStart: row.period_start,
    sequence: row.sequence,
    identifier: row.identifier,
    destination: row.destination,
    channel: row.meter,
    customer: row.stripe_customer,
    valueMicro: row.value_micro,
    eventTimestamp: Number(row.event_timestamp),
    state: row.state,
    attempts: row.attempts,
    firstAttemptAt: row.first_attempt_at,
    lastAnswer: row.last_answer,
    livemode: row.livemode,
    account: row.account,
    absentSince: row.absent_since,
    provenAt: row.proven_at,
  };
}

export type NewIntent = Omit<
  Intent,
  'state' | 'attempts' | 'firstAttemptAt' | 'lastAnswer' | 'absentSince' | 'provenAt'
>;

/** A database, or one transaction of it. */
type Kept = Pick<Database, 'kysely'>;

/** Makes an intent; false where somebody else has made the same sequence in the meantime. */
export async function insertIntent(
  database: Kept,
  intent: NewIntent,
  createdAt: InstantMs,
): Promise<boolean> {
  return insertRow(database, rowOf(intent, createdAt));
}

function rowOf(intent: NewIntent, createdAt: InstantMs): Insertable<Tables['push_intents']> {
  return {
    tenant_id: intent.tenantId,
    period_start: intent.periodStart,
    sequence: intent.sequence,
    identifier: intent.identifier,
    destination: intent.destination,
    meter: intent.channel,
    stripe_customer: intent.customer,
    value_micro: intent.valueMicro,
    event_timestamp: BigInt(intent.eventTimestamp),
    livemode: intent.livemode,
    account: intent.account,
    state: 'pending',
    attempts: 0,
    created_at: formatInstant(createdAt),
  };
}

async function insertRow(
  database: Kept,
  row: Insertable<Tables['push_intents']>,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows: made } = await database.kysely
    .insertInto('push_intents')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  return made === 1n;
}

/** Takes back what was never sent, since a person or an invoice bills it; false where a request went out. */
export async function withdrawUnsent(
  database: Kept,
  identifier: string,
  says: string,
): Promise<boolean> {
  const { numUpdatedRows: withdrawn } = await database.kysely
    .updateTable('push_intents')
    .set({ state: 'missing', last_answer: says })
    .where('identifier', '=', identifier)
    .where('state', '=', 'pending')
    .where('attempts', '=', 0)
    .executeTakeFirstOrThrow();
  return withdrawn === 1n;
}

/** Keeps what a person billed elsewhere, as told and seen; false where somebody else took its sequence. */
export async function insertSettled(
  database: Kept,
  intent: NewIntent,
  { says, at }: { readonly says: string; readonly at: InstantMs },
): Promise<boolean> {
  const instant = formatInstant(at);
  const settled = { state: 'confirmed', confirmed_at: instant, proven_at: instant } as const;
  return insertRow(database, { ...rowOf(intent, at), ...settled, last_answer: says });
}

/** Gives an intent that was never sent a new address; false where a request went out in the meantime. */
export async function placeIntent(
  database: Database,
  identifier: string,
  at: Pick<Intent, 'destination' | 'channel' | 'customer' | 'livemode' | 'account'>,
): Promise<boolean> {
  const { numUpdatedRows: placed } = await database.kysely
    .updateTable('push_intents')
    .set({
      destination: at.destination,
      meter: at.channel,
      stripe_customer: at.customer,
      livemode: at.livemode,
      account: at.account,
    })
    .where('identifier', '=', identifier)
    .where('state', 'in', CHANGED_BY.address)
    .where('attempts', '=', 0)
    .executeTakeFirstOrThrow();
  return placed === 1n;
}

type Addressed = Pick<Intent, 'identifier' | 'destination' | 'channel' | 'customer'>;

/**
 * Notes an attempt before its request goes out: from here on a crash leaves `sent`, and nobody
 * thinks it never went. False where the intent may no longer be sent, since somebody else decided
 * about it or gave it a new address, or its first attempt was too long ago.
 */
export async function markAttempt(
  database: Database,
  { identifier, destination, channel, customer }: Addressed,
  { at, resendWithinMs }: { readonly at: InstantMs; readonly resendWithinMs: number },
): Promise<boolean> {
  const { numAffectedRows: marked } = await sql`
    update push_intents set state = 'sent', attempts = attempts + 1, last_attempt_at = ${formatInstant(at)},
      first_attempt_at = coalesce(first_attempt_at, ${formatInstant(at)}), sent_at = coalesce(sent_at, ${formatInstant(at)})
    where identifier = ${identifier} and destination = ${destination} and meter = ${channel}
      and stripe_customer = ${customer} and state = any(${[...CHANGED_BY.attempt]}::text[])
      and (first_attempt_at is null or first_attempt_at > ${formatInstant(at - resendWithinMs)}
        and first_attempt_at <= ${formatInstant(at + CLOCKS_AGREE_WITHIN_MS)})`.execute(
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

/**
 * Moves an intent to its state after an event; false where the intent is in a state that the event
 * does not change.
 */
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

/** Marks intents as proven: the destination's count holds what they say, to the unit. */
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

/** Reads the intents of these identifiers; ours only, whatever else an error report names. */
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

/** Reads the months, YYYY-MM, of periods with anything pushed, newest first. */
export async function monthsPushed(database: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ month: string }>`
    select distinct to_char(period_start, 'YYYY-MM') as month from push_intents order by 1 desc`.execute(
    database.kysely,
  );
  return rows.map((row) => row.month);
}
