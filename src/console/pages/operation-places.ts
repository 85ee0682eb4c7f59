import type { Operation, Remedy } from '../../remedy.ts';
import { phraseRemedy } from '../../remedy.ts';

/** Returns a remedy's operation for whoever looks at a page: where it is done. */
export function placeOfOperation(operation: Operation): string {
  return PLACES[operation.operation] ?? `"spanledger ${operation.operation}" at a terminal`;
}

const PLACES: Readonly<Record<Operation['operation'], string | null>> = {
  adjust: 'Credit or fee on the page of the tenant',
  'allocate list': 'the page of back-tests',
  'allocate reverse': 'Take back on the page of back-tests',
  'audit acts': 'the page of acts',
  'audit entry': 'the page of the entry',
  'audit line': 'the statement on the page of the tenant',
  'budget list': 'the budgets on the page of the tenant',
  'budget requests': 'the requests on the overview and on the page of the tenant',
  close: 'Close on the page of the month',
  correct: 'Correct on the page of the entry',
  'fx import': null,
  'key list': 'the list of keys',
  migrate: null,
  'price-book import': 'Import on the page of prices',
  'price-book list': 'the page of prices',
  prove: null,
  push: 'Tell Stripe on the page of the month',
  'push list': 'the page of the month',
  'quarantine list': 'the page of the quarantine',
  reconcile: 'Compare on the page of the month',
  'report runs': 'the page of runs',
  rerate: 'Re-rate on the page of prices',
  'seal publish': null,
  statement: 'the proof beside the statement on the page of the tenant',
  'stripe alerts': 'the list of alerts',
  'stripe resolve': 'the list of alerts',
  'stripe settled': 'Settled elsewhere on the page of the month',
  'stripe setup': null,
  'stripe unpark': 'Decide beside the push on the page of the tenant',
  'stripe unsettle': 'Take back beside the push on the page of the tenant',
  'tenant list': 'the page of tenants',
  'tenant set': 'Change on the page of the tenant',
  'webhook list': 'the page of webhooks',
  verify: null,
};

/** What was found, and where a person mends it, in one line. */
export function withPlaces(found: string | null, remedy: Remedy | null): string {
  const does = remedy === null ? '' : phraseRemedy(remedy, placeOfOperation);
  return [found ?? '', does].filter((part) => part !== '').join('; ');
}
