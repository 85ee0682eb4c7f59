import type { Database } from '../database/database.ts';
import type { Fault } from '../remedy.ts';
import { advise } from '../remedy.ts';
import type { Destination } from './destination.ts';
import { isAddress } from './destination.ts';
import { readIntentFigures } from './figures.ts';
import { readFormerCustomers } from './former-customer-store.ts';
import type { Intent } from './intent.ts';
import { isTakeBack } from './intent.ts';
import type { PushTarget } from './push-target.ts';
import { takeBill } from './settled-amount.ts';

/**
 * A ledger that was restored does not know whom it told, and its tenant may have another customer by now: so
 * the one for whom the period was closed, and each that the tenant had before, must have been told nothing that
 * is not on record, by any destination, since any of them may have billed it. Records of what a person
 * settled that come to just that say what it was billed as; others are of other bills. Answers what was told, or null.
 */
export async function findToldBefore(of: {
  readonly database: Database;
  readonly destinations: readonly Destination[];
  readonly target: PushTarget;
  readonly intents: readonly Intent[];
  readonly open: Intent;
  readonly destination: Destination;
}): Promise<Fault | null> {
  const { database, target, intents, open } = of;
  const { closedFor, currency, tenantId } = target;
  const own = await readFormerCustomers(database, tenantId);
  const former = new Set(closedFor === null ? own : [...own, closedFor]);
  let settled = standingRecords(intents);
  for (const customer of former) {
    if (customer === open.customer) continue;
    if (intents.some((intent) => intent.customer === customer && intent.attempts > 0)) continue;
    const places = own.includes(customer) ? await placesOf(of) : [of];
    for (const { destination, open: told } of places) {
      const intent = { ...told, customer };
      const { counted } = await readIntentFigures(destination, { target, intents, intent });
      if (counted === 0n) continue;
      const left = counted < 0n ? null : takeBill(settled, { micro: counted, currency });
      if (left === null) return toldFault(of, { customer, destination, counted });
      settled = left;
    }
  }
  return null;
}

/** What each record says that was not taken back since: the same value below zero stands beside one that was. */
function standingRecords(intents: readonly Intent[]): readonly bigint[] {
  const records = intents.filter(
    ({ destination, state }) => destination === 'settled' && state === 'confirmed',
  );
  const standing = records.filter((intent) => !isTakeBack(intent)).map((one) => one.valueMicro);
  for (const { valueMicro } of records.filter(isTakeBack)) {
    standing.splice(standing.indexOf(-valueMicro), 1);
  }
  return standing;
}

type Place = Pick<Parameters<typeof findToldBefore>[0], 'destination' | 'open'>;

/** The destination that is about to be told, and each other one, unless a person has said what else that counts. */
async function placesOf(of: Parameters<typeof findToldBefore>[0]): Promise<readonly Place[]> {
  const { destinations, target, open, destination } = of;
  const places: Place[] = [of];
  for (const other of destinations) {
    if (other.kind === destination.kind || (await other.isExcused(target))) continue;
    const address = other.describe(target);
    if (isAddress(address)) {
      places.push({ destination: other, open: { ...open, channel: address.channel } });
    }
  }
  return places;
}

function toldFault(
  { target, open }: { readonly target: PushTarget; readonly open: Intent },
  found: {
    readonly customer: string;
    readonly destination: Destination;
    readonly counted: bigint;
  },
): Fault {
  const { closedFor, tenantId, periodStart } = target;
  const { customer, destination, counted } = found;
  const link = { operation: 'tenant set', tenant_id: tenantId, from: null } as const;
  const month = periodStart.slice(0, 7);
  const settled = { operation: 'stripe settled', tenant_id: tenantId, month } as const;
  const [was, inIt] =
    customer === closedFor
      ? ['this period was closed for', 'it']
      : ['this tenant was linked to', 'this period'];
  return {
    fault: `${was} ${customer}, for whom ${destination.countName} already says ${counted} in ${inIt}; nothing was told to ${open.customer}`,
    remedy: advise`link the tenant to that customer again with ${{ ...link, give: 'stripe_customer' }}, so that what it was told is found; or record what it was billed with ${settled}, by a record of just that`,
  };
}
