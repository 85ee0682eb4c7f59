/** What is said of a service that is not set up, wherever its answer would stand. */

export const QUEUE_NOT_ASKED = 'the queue was not asked: SPANLEDGER_QUEUE_URL is not set';
export const STRIPE_NOT_ASKED =
  'Stripe was not asked: STRIPE_API_KEY is not set; what it counted is as the last push or reconcile saw it';
