import type { Operation } from '../remedy.ts';

/**
 * Returns a remedy's operation for programs: the request that does it, or the command where no
 * route does.
 */
export function requestToMake(operation: Operation): string {
  if (operation.operation === 'statement' && operation.show !== 'proof') {
    const query = operation.show === 'preview' ? '?preview=true' : '';
    return `GET /v1/statements/{tenant}/{month}${query}`;
  }
  const request = REQUESTS[operation.operation];
  return request ?? `"spanledger ${operation.operation}" at a terminal`;
}

const REQUESTS: Readonly<Record<Operation['operation'], string | null>> = {
  adjust: 'POST /v1/tenants/{tenant}/adjustments',
  'allocate list': 'GET /v1/allocations',
  'allocate reverse': 'POST /v1/allocations/{pool}/{month}/reverse',
  'audit acts': 'GET /v1/acts',
  'audit entry': 'GET /v1/entries/{entry}',
  'audit line': 'GET /v1/statements/{tenant}/{month}/lines',
  'budget list': 'GET /v1/budgets',
  'budget requests': 'GET /v1/budgets/requests',
  close: 'POST /v1/closes',
  correct: 'POST /v1/entries/{entry}/corrections',
  'fx import': 'POST /v1/exchange-rates',
  'key list': 'GET /v1/keys',
  migrate: null,
  'price-book import': 'POST /v1/price-books',
  'price-book list': 'GET /v1/price-books',
  prove: null,
  push: 'POST /v1/pushes',
  'push list': 'GET /v1/pushes',
  'quarantine list': 'GET /v1/quarantine',
  reconcile: 'POST /v1/reconciliations',
  'report runs': 'GET /v1/runs',
  rerate: 'POST /v1/rerates',
  'seal publish': 'POST /v1/seals/publish',
  statement: 'GET /v1/statements/{tenant}/{month}/proof',
  'stripe alerts': 'GET /v1/alerts',
  'stripe resolve': 'POST /v1/alerts/{alert}/resolve',
  'stripe settled': 'POST /v1/settlements',
  'stripe setup': 'POST /v1/stripe/setup',
  'stripe unpark': 'POST /v1/pushes/{identifier}/unpark',
  'stripe unsettle': 'POST /v1/settlements/{identifier}/reverse',
  'tenant list': 'GET /v1/tenants',
  'tenant set': 'PUT /v1/tenants/{tenant}',
  'webhook list': 'GET /v1/webhooks',
  verify: 'POST /v1/verifications',
};
