import type Stripe from 'stripe';
import { formatInstant } from '../../clock.ts';

/** What becomes of the invoices of a subscription whose collection is paused. */
const UNCOLLECTED: ReadonlyMap<string, string> = new Map([
  ['keep_as_draft', 'stay drafts'],
  ['mark_uncollectible', 'are marked uncollectible as soon as they are made'],
  ['void', 'are void as soon as they are made'],
]);

/** Says until when nothing of a subscription is collected, and what its invoices become; null where its collection goes on. */
export function describePause(
  subscription: Pick<Stripe.Subscription, 'id' | 'pause_collection'>,
): string | null {
  const { id, pause_collection: pause } = subscription;
  if (pause === null) return null;
  const until =
    pause.resumes_at === null ? 'a person resumes it' : formatInstant(pause.resumes_at * 1000);
  const become = UNCOLLECTED.get(pause.behavior) ?? `become ${pause.behavior}`;
  return `its invoices will not be collected until ${until}: the collection of subscription ${id} is paused, and its invoices ${become}`;
}

/** Says why a draft that was read with its subscription must stay one; null where Stripe may finalize it. */
export function describeKeptDraft({ parent }: Pick<Stripe.Invoice, 'parent'>): string | null {
  const subscription = parent?.subscription_details?.subscription ?? null;
  if (subscription === null || typeof subscription === 'string') return null;
  return describePause(subscription);
}
