import { hash } from 'node:crypto';
import { z } from 'zod';
import { type Endpoint, endpoint } from './endpoint.ts';
import { expandable } from './params.ts';

/** The account behind the key: another key, another account. */
export const accountEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/account',
    params: z.strictObject(expandable),
    run: ({ account }) => ({
      id: `acct_${hash('sha256', account.apiKey).slice(0, 16)}`,
      object: 'account',
      business_profile: { name: 'Stripe double' },
      charges_enabled: true,
      country: 'US',
      default_currency: 'usd',
      details_submitted: true,
      payouts_enabled: true,
      type: 'standard',
    }),
  }),
];
