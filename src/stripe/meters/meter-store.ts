import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { EveryTenantRefused } from '../../push/destination.ts';
import { Refusal } from '../../refusal.ts';
import type { Fault } from '../../remedy.ts';
import { mixedUp, otherAccountFault, readAccount } from '../account.ts';
import type { StripeClient } from '../stripe-client.ts';
import { askStripe, isMissing } from '../stripe-client.ts';

/** There is one money meter for each currency, and one price that bills it. */
export interface StripeMeter {
  readonly currency: string;
  readonly eventName: string;
  readonly meterId: string;
  readonly productId: string;
  readonly priceId: string;
}

/** Where a meter is: in which books of which account; null where the account is not known. */
interface MeterPlace {
  readonly livemode: boolean;
  readonly account: string | null;
}

export async function saveMeter(
  database: Database,
  meter: StripeMeter,
  given: MeterPlace & { readonly at: InstantMs },
): Promise<void> {
  const row = {
    event_name: meter.eventName,
    meter_id: meter.meterId,
    product_id: meter.productId,
    price_id: meter.priceId,
    set_up_at: formatInstant(given.at),
    account: given.account,
  };
  // The account that another key named stays known: it is the same one, or this key would have been refused.
  const account = sql<string | null>`coalesce(excluded.account, stripe_meters.account)`;
  await database.kysely
    .insertInto('stripe_meters')
    .values({ currency: meter.currency, livemode: given.livemode, ...row })
    .onConflict((conflict) =>
      conflict.columns(['currency', 'livemode']).doUpdateSet({ ...row, account }),
    )
    .execute();
}

/**
 * Reads the meters of this account, by currency; refuses those of another one of the same mode. Where one of the two
 * accounts is not known, as with most restricted keys, the key shows whose it is by whether it knows the meter.
 */
export async function readOwnMeters(parts: KeyParts): Promise<ReadonlyMap<string, StripeMeter>> {
  const { database, stripe, livemode } = parts;
  const is = await readAccount(stripe);
  const { rows } = await sql<{ meter_id: string; account: string | null }>`
    select meter_id, account from stripe_meters where livemode = ${livemode} order by set_up_at, currency`.execute(
    database.kysely,
  );
  for (const { meter_id: meterId, account: was } of rows) {
    const fault = otherAccountFault(`meter ${meterId}`, { was, is });
    if (fault !== null) throw otherAccount(fault);
  }
  const unsure = rows.find(({ account }) => account === null || is === null);
  if (unsure !== undefined && !(await knowsMeter(stripe, unsure.meter_id))) {
    throw otherAccount(mixedUp(`meter ${unsure.meter_id}`, { was: unsure.account, is }));
  }
  return readMeters(database, livemode);
}

/** The key, and the ledger against which it is held. */
type KeyParts = Pick<MeterPlace, 'livemode'> & {
  readonly database: Database;
  readonly stripe: StripeClient;
};

const metersKnown = new WeakMap<StripeClient, Map<string, Promise<boolean>>>();

/** A meter cannot be deleted, so that each client is asked about one only once. */
function knowsMeter(stripe: StripeClient, meterId: string): Promise<boolean> {
  const known = metersKnown.get(stripe) ?? new Map<string, Promise<boolean>>();
  metersKnown.set(stripe, known);
  const before = known.get(meterId);
  if (before !== undefined) return before;
  const asked = askStripe(`meter ${meterId}`, () => stripe.billing.meters.retrieve(meterId)).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
  known.set(meterId, asked);
  // Whoever asked is told of the failure, and the next one asks again.
  asked.catch(() => known.delete(meterId));
  return asked;
}

function otherAccount({ fault, remedy }: Fault): OtherAccount {
  return new OtherAccount('misconfigured', fault, ['nothing was sent; ', ...(remedy ?? [])]);
}

/**
 * Refuses a key to which this ledger told nothing: of another account, or of a mode without a meter. What is kept
 * of invoices would be taken for gone, since that key knows none of them.
 */
export async function refuseOtherKey(parts: KeyParts): Promise<void> {
  const { livemode } = parts;
  const own = await readOwnMeters(parts);
  if (own.size > 0) return;
  throw new Refusal(
    'misconfigured',
    `STRIPE_API_KEY is of ${livemode ? 'live' : 'test'} mode, in which this ledger has no meter and no invoices`,
    'use a key of the account and mode that bill its tenants',
  );
}

/** Every tenant of this ledger is billed through the one account. */
class OtherAccount extends EveryTenantRefused {}

/** Reads the meters that `stripe setup` made, by currency. */
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
