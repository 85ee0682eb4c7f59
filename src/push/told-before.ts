import type { Database } from '../database/database.ts';
import type { Fault } from '../remedy.ts';
import { advise } from '../remedy.ts';
import type { Destination } from './destination.ts';
import { readIntentFigures } from './figures.ts';
import { readFormerCustomers } from './former-customer-store.ts';
import type { Intent } from './intent.ts';
import type { PushTarget } from './push-target.ts';

/**
 * A ledger that was restored does not know whom it told, and its tenant may have another customer by now: so
 * the one for whom the period was closed, and each that the tenant had before, must have been told nothing that
 * is not on record. Answers what was told, or null.
 */
export async function findToldBefore(of: {
  readonly database: Database;
  readonly target: PushTarget;
  readonly intents: readonly Intent[];
  readonly open: Intent;
  readonly destination: Destination;
}): Promise<Fault | null> {
  const { database, target, intents, open, destination } = of;
  const { closedFor, tenantId, periodStart } = target;
  const former = new Set(await readFormerCustomers(database, tenantId));
  if (closedFor !== null) former.add(closedFor);
  for (const customer of former) {
    if (customer === open.customer) continue;
    if (intents.some((intent) => intent.customer === customer && intent.attempts > 0)) continue;
    const intent = { ...open, customer };
    const { counted } = await readIntentFigures(destination, { target, intents, intent });
    if (counted === 0n) continue;
    const link = { operation: 'tenant set', tenant_id: tenantId, from: null } as const;
    const month = periodStart.slice(0, 7);
    const settled = { operation: 'stripe settled', tenant_id: tenantId, month } as const;
    const [was, inIt] =
      customer === closedFor
        ? ['this period was closed for', 'it']
        : ['this tenant was linked to', 'this period'];
    return {
      fault: `${was} ${customer}, for whom ${destination.countName} already says ${counted} in ${inIt}; nothing was told to ${open.customer}`,
      remedy: advise`link the tenant to that customer again with ${{ ...link, give: 'stripe_customer' }}, so that what it was told is found; or record what it was billed with ${settled}`,
    };
  }
  return null;
}
