import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import type { Address, Destination } from './destination.ts';
import type { Intent } from './intent.ts';
import { confirmedSum } from './intent.ts';
import type { PushTarget } from './push-target.ts';

/** The figures that decide an intent: the destination's count, and the confirmed part of it. */
export interface Figures {
  readonly counted: bigint;
  readonly confirmed: bigint;
  /** Whether a count was seen to hold all that is confirmed. */
  readonly isConfirmedProven: boolean;
}

/** Reads the count of the customer that the intent names, beside what is confirmed as told to that one. */
export async function readIntentFigures(
  destination: Destination,
  of: {
    readonly target: PushTarget;
    readonly intents: readonly Intent[];
    readonly intent: Address & Pick<Intent, 'identifier'>;
  },
): Promise<Figures> {
  const { target, intents, intent } = of;
  const { tenantId, periodStart, startsAt, endsAt } = target;
  const { customer, channel } = intent;
  const whose = { tenantId, periodStart, startsAt, endsAt, customer, channel };
  const question = { ...whose, mayBeOld: false };
  const counted = await destination.readCount(question).catch(asNothing);
  if (counted === null) refuseUnaskable(intent);
  const confirmed = intents.filter(
    (other) =>
      other.state === 'confirmed' &&
      other.destination === destination.kind &&
      other.customer === customer,
  );
  return {
    counted,
    confirmed: confirmedSum(confirmed),
    isConfirmedProven: confirmed.every((other) => other.provenAt !== null),
  };
}

/** For a customer that is gone nothing is counted, and nothing will be billed. */
function asNothing(error: unknown): bigint {
  if (error instanceof Refusal && error.kind === 'not_found') return 0n;
  throw error;
}

function refuseUnaskable({ identifier, channel }: Address & Pick<Intent, 'identifier'>): never {
  throw new Refusal(
    'misconfigured',
    `what was counted of intent ${identifier} cannot be asked: ${channel} is not set up in this mode`,
    advise`run ${{ operation: 'stripe setup', currency: null, subscriptions: false, tenant_id: null }}`,
  );
}
