import { unparkAnswer, unparkRequest } from '../../push/unpark-answer.ts';
import { setUpAnswer, setUpRequest } from '../../stripe/set-up-answer.ts';
import { setUpStripe } from '../../stripe/set-up-stripe.ts';
import { unparkIntent } from '../../stripe/unpark-intent.ts';
import { type Route, route } from '../route.ts';
import { stripeOf } from './stripe-side.ts';

const ADMIN = ['admin'] as const;

/** What an operator does on Stripe's side beside the month. */
export const STRIPE_ROUTES: readonly Route[] = [
  route('POST /v1/stripe/setup', {
    about: 'stripe',
    act: 'stripe setup',
    roles: ADMIN,
    summary:
      'make or find the meter, product and price of a currency; link customers, and see to subscriptions',
    request: setUpRequest,
    answer: setUpAnswer,
    defaults: { currency: 'USD', customers: false, subscriptions: false },
    use: (parts, request) => setUpStripe(stripeOf(parts), request),
  }),
  route('POST /v1/pushes/{identifier}/unpark', {
    about: 'stripe',
    act: 'stripe unpark',
    roles: ADMIN,
    summary: "decide a parked push by Stripe's summary: it was counted, or is told anew",
    request: unparkRequest,
    answer: unparkAnswer,
    use: (parts, request) => unparkIntent(stripeOf(parts), request),
  }),
];
