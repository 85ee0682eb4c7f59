import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';

/** There is one money meter for each currency, and one price that bills it. */
export interface StripeMeter {
  readonly currency: string;
  readonly eventName: string;
  readonly meterId: string;
  readonly productId: string;
  readonly priceId: string;
}

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
