import type { Fault } from '../remedy.ts';
import { advise } from '../remedy.ts';
import type { Address, Destination, PushParts, Told } from './destination.ts';
import { isAddress } from './destination.ts';
import { readIntentFigures } from './figures.ts';
import type { Intent } from './intent.ts';
import { identifierOf, isTakeBack } from './intent.ts';
import type { PushTarget } from './push-target.ts';
import { eventTimestampOf } from './push-target.ts';

/** Why nothing is told, and what to do. */
export interface Refused {
  readonly refusal: Fault;
}

/**
 * Returns the first destination that takes a value of a period, and the address there; what the
 * first of them objects where none does. Without asking for the customer it is as far as the
 * ledger's side knows. One from which the period was taken back is told it no more. One that takes no more, but
 * counts more than is on record as told there, is not passed over: its count decides first, unless a person has said of
 * it what it is.
 */
export async function chooseDestination(
  parts: PushParts,
  target: PushTarget,
  what: {
    readonly valueMicro: bigint;
    readonly intents: readonly Intent[];
    readonly isCustomerAsked: boolean;
  },
): Promise<{ readonly destination: Destination; readonly address: Address } | Refused> {
  const { valueMicro, intents, isCustomerAsked } = what;
  const told = { target, valueMicro, eventTimestamp: eventTimestampOf(target) };
  const identifier = identifierOf(parts.ledgerName, target, intents.length + 1);
  let first: Fault | null = null;
  const left = intents.filter((intent) => isTakeBack(intent) && intent.state !== 'missing');
  for (const destination of parts.destinations) {
    if (left.some(({ destination: kind }) => kind === destination.kind)) continue;
    const address = destination.describe(target);
    const objection = isAddress(address) ? await objectionOf(destination, told) : address;
    if (objection === null && isAddress(address)) {
      const obstacle = isCustomerAsked ? await destination.lookAt({ ...told, ...address }) : null;
      if (obstacle === null) return { destination, address };
      if (!obstacle.isOnlyHere) return { refusal: obstacle };
      first ??= obstacle;
    }
    first ??= objection;
    if (!isCustomerAsked || !isAddress(address) || (await destination.isExcused(target))) continue;
    const of = { target, intents, intent: { ...address, identifier } };
    if (await countsMore(destination, of)) return { destination, address };
  }
  const nowhere = { fault: 'there is no destination to which it could be told', remedy: null };
  return { refusal: first ?? nowhere };
}

/** A ledger that was restored does not know what it told, and a destination may bill that though it takes no more. */
async function countsMore(
  destination: Destination,
  of: Parameters<typeof readIntentFigures>[1],
): Promise<boolean> {
  const { counted, confirmed } = await readIntentFigures(destination, of);
  return counted > confirmed;
}

/** If no destination takes an amount, a person bills it elsewhere. */
export async function objectionOf(destination: Destination, told: Told): Promise<Fault | null> {
  const fault = await destination.objectTo(told);
  if (fault === null) return null;
  const { tenantId: tenant_id, periodStart } = told.target;
  const month = periodStart.slice(0, 7);
  const settled = { operation: 'stripe settled', tenant_id, month } as const;
  return { fault, remedy: advise`bill it elsewhere, and record that with ${settled}` };
}
