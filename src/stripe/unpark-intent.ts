import { decideParked } from '../push/decide-parked.ts';
import type { UnparkAnswer, UnparkRequest } from '../push/unpark-answer.ts';
import { pushPartsOf } from './destinations.ts';
import type { StripeParts } from './stripe-parts.ts';

/** Decides a parked intent by what Stripe has counted, once a person has mended its cause. */
export async function unparkIntent(
  parts: StripeParts,
  request: UnparkRequest,
): Promise<UnparkAnswer> {
  return decideParked(await pushPartsOf(parts), request);
}
