import type { PushParts } from '../push/destination.ts';
import { meterDestination } from './meters/meter-destination.ts';
import { readMeters } from './meters/meter-store.ts';
import type { StripeParts } from './stripe-parts.ts';

/** What a push to this account works with. A new way to bill a period is one more entry of the list. */
export async function pushPartsOf(parts: StripeParts): Promise<PushParts> {
  const { database, clock, log, livemode } = parts;
  const meters = await readMeters(database, livemode);
  return { database, clock, log, destinations: [meterDestination(parts, meters)] };
}
