import type { ProgressPart } from '../parts.ts';
import { readAccount } from './account.ts';
import { refuseOtherMode } from './customers/check-mode.ts';
import { linkCustomers } from './customers/link-customers.ts';
import { setUpSubscriptions } from './customers/subscription.ts';
import { readOwnMeters, saveMeter } from './meters/meter-store.ts';
import { setUpMeter } from './meters/set-up-meter.ts';
import type { SetUpAnswer, SetUpRequest } from './set-up-answer.ts';
import type { StripeParts } from './stripe-parts.ts';

/**
 * Makes or finds the meter, product and price of a currency, and keeps them; links customers and sees to
 * subscriptions where that is asked for. Doing it twice makes nothing new.
 */
export async function setUpStripe(
  parts: StripeParts & ProgressPart,
  request: SetUpRequest,
): Promise<SetUpAnswer> {
  const { database, stripe, livemode, clock } = parts;
  const account = await readAccount(stripe);
  await readOwnMeters(parts);
  await refuseOtherMode(parts);
  const meter = await setUpMeter(stripe, request.currency);
  await saveMeter(database, meter, { livemode, account, at: clock() });
  const customers = request.customers ? await linkCustomers(parts) : null;
  const subscriptions = request.subscriptions
    ? await setUpSubscriptions(parts, meter, request.tenant_id)
    : null;
  const { currency, eventName, meterId, productId, priceId } = meter;
  return {
    currency,
    livemode,
    event_name: eventName,
    meter: meterId,
    product: productId,
    price: priceId,
    customers,
    subscriptions,
  };
}
