import { hash } from 'node:crypto';
import { z } from 'zod';
import { ApiFailure } from './api-failure.ts';
import { type Endpoint, endpoint } from './endpoint.ts';
import { expandable } from './params.ts';

/** The account behind the key: another key, another account. A restricted key is not told it, as at Stripe. */
export const accountEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/account',
    params: z.strictObject(expandable),
    check: ({ account }) => refuseRestricted(account.apiKey),
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

function refuseRestricted(apiKey: string): void {
  if (!apiKey.startsWith('rk_')) return;
  const message = `The provided key '${apiKey}' does not have the required permissions for this endpoint.`;
  throw new ApiFailure(403, { type: 'invalid_request_error', message });
}
