import type { PushParts } from '../push/destination.ts';
import { readLedgerName } from '../push/ledger-name-store.ts';
import { readAccount } from './account.ts';
import { itemDestination } from './items/item-destination.ts';
import { meterDestination } from './meters/meter-destination.ts';
import { readOwnMeters } from './meters/meter-store.ts';
import type { StripeParts } from './stripe-parts.ts';

/** What a push to this account works with. A new way to bill a period is one more entry of the list. */
export async function pushPartsOf(parts: StripeParts): Promise<PushParts> {
  const { database, clock, log, livemode } = parts;
  const account = await readAccount(parts.stripe);
  const meters = await readOwnMeters(database, { livemode, account });
  const ledgerName = await readLedgerName(database);
  const own = { ...parts, account, ledgerName };
  const destinations = [meterDestination(own, meters), itemDestination(own, meters)];
  return { database, clock, log, ledgerName, destinations };
}
