import type { PushAnswer, PushRequest } from '../push/push-answer.ts';
import { pushClosed } from '../push/push-targets.ts';
import { pushPartsOf } from './destinations.ts';
import type { ProgressPart, StripeParts } from './stripe-parts.ts';

/** Tells Stripe what each closed period of a month came to, once (R18). */
export async function pushMonth(
  parts: StripeParts & ProgressPart,
  request: PushRequest,
): Promise<PushAnswer> {
  return pushClosed(await pushPartsOf(parts), request, { onProgress: parts.onProgress });
}
