import type { StripeParts } from '../../stripe/stripe-parts.ts';
import type { Session } from './session.ts';

/** Opens what the use cases of Stripe's side take; throws a `Refusal` without STRIPE_API_KEY. */
export async function openStripeParts(session: Session): Promise<StripeParts> {
  const { client, livemode } = await session.stripe();
  return { ...session.parts(), stripe: client, livemode };
}
