import type { PushParts, Told } from './destination.ts';
import { destinationOf } from './destination.ts';
import { readIntentFigures } from './figures.ts';
import type { DestinationKind, Intent } from './intent.ts';
import { identifierOf, isTakeBack, valueSum } from './intent.ts';
import type { NewIntent } from './intent-store.ts';
import { markProven } from './intent-store.ts';
import type { PushTarget } from './push-target.ts';
import { eventTimestampOf } from './push-target.ts';

/**
 * The intent by which a destination is told to take back what it was told of a period: the negative value, at the
 * same address, under the same protocol. Once that was told and seen, the period is due again, and told to the
 * next destination; so nothing is billed twice if somebody comes to bill the first one after all. Answers why it
 * cannot be, or null where nothing stands.
 */
export async function planTakeBack(
  { ledgerName, objectTo }: TakeBackParts,
  target: PushTarget,
  intents: readonly Intent[],
): Promise<NewIntent | string | null> {
  const standing = intents.filter(
    ({ destination, state }) => destination !== 'settled' && state !== 'missing',
  );
  const places = [...Map.groupBy(standing, placeOf).values()].flatMap((told) => {
    const sum = valueSum(told);
    const [first] = told;
    return first === undefined || sum === 0n ? [] : [{ of: first, sum }];
  });
  const [place, other] = places;
  if (place === undefined) return null;
  if (other !== undefined) {
    return `parts of it were told to ${placeOf(place.of)} and to ${placeOf(other.of)}, so that a person must say which bills it`;
  }
  const { of, sum } = place;
  const valueMicro = -sum;
  const eventTimestamp = eventTimestampOf(target);
  const objection = await objectTo(of.destination, { target, valueMicro, eventTimestamp });
  if (objection !== null) return objection;
  const { tenantId, periodStart, destination, channel, customer, livemode, account } = of;
  const sequence = intents.length + 1;
  const identifier = identifierOf(ledgerName, target, sequence);
  const where = { destination, channel, customer, livemode, account };
  const what = { tenantId, periodStart, sequence, identifier, valueMicro, eventTimestamp };
  return { ...what, ...where };
}

function placeOf({ customer, channel }: Pick<Intent, 'customer' | 'channel'>): string {
  return `${customer} by ${channel}`;
}

export interface TakeBackParts {
  readonly ledgerName: string;
  /** Says why a destination cannot take a value now, or null. */
  readonly objectTo: (kind: DestinationKind, told: Told) => Promise<string | null>;
}

/** Returns what a push works with, as far as taking back needs it. */
export function takeBackPartsOf(
  parts: Pick<PushParts, 'ledgerName' | 'destinations'>,
): TakeBackParts {
  return {
    ledgerName: parts.ledgerName,
    objectTo: async (kind, told) => {
      const destination = destinationOf(parts, { destination: kind });
      return destination === undefined
        ? `no destination ${kind} is set up`
        : destination.objectTo(told);
    },
  };
}

/**
 * Tells whether the counts no longer hold what was taken back, which is kept as proof. Only then is
 * it told to somebody else; a count that lags holds it up.
 */
export async function isSeenTakenBack(
  parts: PushParts,
  target: PushTarget,
  intents: readonly Intent[],
): Promise<boolean> {
  const unseen = intents.filter(
    (intent) => isTakeBack(intent) && intent.state === 'confirmed' && intent.provenAt === null,
  );
  for (const intent of unseen) {
    const destination = destinationOf(parts, intent);
    if (destination === undefined) return false;
    const of = { target, intents, intent };
    const { counted, confirmed } = await readIntentFigures(destination, of);
    if (counted !== confirmed) return false;
    await markProven(parts.database, [intent.identifier], parts.clock());
  }
  return true;
}
