import type { Database } from '../database/database.ts';
import { findChangedCloses } from '../ledger/closes/changed-closes.ts';
import { readClosesOf } from '../ledger/closes/closed-periods-store.ts';
import { periodKey } from '../periods/period-key.ts';
import type { PushParts } from '../push/destination.ts';
import { readLedgerName } from '../push/ledger-name-store.ts';
import type { PushTarget } from '../push/push-target.ts';
import type { Fault } from '../remedy.ts';
import { advise } from '../remedy.ts';
import { readAccount } from './account.ts';
import { itemDestination } from './items/item-destination.ts';
import { meterDestination } from './meters/meter-destination.ts';
import { readOwnMeters } from './meters/meter-store.ts';
import type { StripeParts } from './stripe-parts.ts';

/**
 * Returns what a push to this account works with. A new way to bill a period is one more entry of
 * the list.
 */
export async function pushPartsOf(parts: StripeParts): Promise<PushParts> {
  const { database, clock, log } = parts;
  const meters = await readOwnMeters(parts);
  const account = await readAccount(parts.stripe);
  const ledgerName = await readLedgerName(database);
  const own = { ...parts, account, ledgerName };
  const destinations = [meterDestination(own, meters), itemDestination(own, meters)];
  const findChanged = (targets: readonly PushTarget[]) => findChangedTargets(database, targets);
  return { database, clock, log, ledgerName, destinations, findChanged };
}

/** A close that was tampered with is told to nobody: what Stripe was told once cannot be taken back quietly. */
async function findChangedTargets(
  database: Database,
  targets: readonly PushTarget[],
): Promise<ReadonlyMap<string, Fault>> {
  const changed = await findChangedCloses(database, await readClosesOf(database, targets));
  return new Map(
    changed.map((close) => [
      periodKey(close),
      {
        fault: `the close is not what its entries give: ${close.faults.join('; ')}; nothing was told`,
        remedy: advise`run ${{ operation: 'verify', against: null }}, and find out who changed it`,
      },
    ]),
  );
}
