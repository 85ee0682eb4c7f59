import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { EveryTenantRefused } from '../../push/destination.ts';
import { Refusal } from '../../refusal.ts';
import { otherAccountFault, readAccount } from '../account.ts';
import type { StripeClient } from '../stripe-client.ts';

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
  await database.kysely
    .insertInto('stripe_meters')
    .values({ currency: meter.currency, livemode: given.livemode, ...row })
    .onConflict((conflict) => conflict.columns(['currency', 'livemode']).doUpdateSet(row))
    .execute();
}

/** Reads the meters of this account, by currency; refuses those of another one of the same mode. */
export async function readOwnMeters(
  database: Database,
  { livemode, account }: MeterPlace,
): Promise<ReadonlyMap<string, StripeMeter>> {
  const { rows } = await sql<{ meter_id: string; account: string }>`
    select meter_id, account from stripe_meters where livemode = ${livemode} and account <> ${account}`.execute(
    database.kysely,
  );
  const [foreign] = rows;
  if (foreign !== undefined) {
    const what = `meter ${foreign.meter_id}`;
    const fault = otherAccountFault(what, { was: foreign.account, is: account });
    if (fault !== null) {
      const remedy = ['nothing was sent; ', ...(fault.remedy ?? [])];
      throw new OtherAccount('misconfigured', fault.fault, remedy);
    }
  }
  return readMeters(database, livemode);
}

/**
 * Refuses a key to which this ledger told nothing: of another account, or of a mode without a meter. What is kept
 * of invoices would be taken for gone, since that key knows none of them.
 */
export async function refuseOtherKey(
  parts: Pick<MeterPlace, 'livemode'> & {
    readonly database: Database;
    readonly stripe: StripeClient;
  },
): Promise<void> {
  const { database, stripe, livemode } = parts;
  const own = await readOwnMeters(database, { livemode, account: await readAccount(stripe) });
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
