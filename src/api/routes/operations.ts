import { actsAnswer, actsRequest } from '../../audit/acts/acts-answer.ts';
import { listActs } from '../../audit/acts/list-acts.ts';
import { issuerAnswer, setIssuerRequest } from '../../issuer/issuer-answer.ts';
import { setIssuer, showIssuer } from '../../issuer/set-issuer.ts';
import { createKey } from '../../keys/create-key.ts';
import {
  createdKeyAnswer,
  createKeyRequest,
  keysAnswer,
  revokedKeyAnswer,
  revokeKeyRequest,
} from '../../keys/key-answer.ts';
import { listKeys } from '../../keys/list-keys.ts';
import { revokeKey } from '../../keys/revoke-key.ts';
import { freshnessAnswer } from '../../month/status/freshness-answer.ts';
import { statusAnswer, statusRequest } from '../../month/status/status-answer.ts';
import { tellFreshness } from '../../month/status/tell-freshness.ts';
import { tellStatus } from '../../month/status/tell-status.ts';
import { monthTableAnswer, monthTableRequest } from '../../month/table/month-table-answer.ts';
import { tellMonthTable } from '../../month/table/tell-month-table.ts';
import { comparePriceBooks } from '../../rating/books/compare-price-books.ts';
import { nameDefaultBook } from '../../rating/books/default-book.ts';
import { importPriceBooks } from '../../rating/books/import-price-books.ts';
import {
  bookAnswer,
  bookRequest,
  booksAnswer,
  compareAnswer,
  compareRequest,
  defaultBookAnswer,
  defaultBookRequest,
  importAnswer,
  importRequest,
  seedAnswer,
  seedRequest,
} from '../../rating/books/price-book-answer.ts';
import { listPriceBooks, showPriceBook } from '../../rating/books/show-price-books.ts';
import {
  exchangeAnswer,
  exchangeListAnswer,
  exchangeRequest,
} from '../../rating/exchange/exchange-answer.ts';
import {
  importExchangeRates,
  listExchangeRates,
} from '../../rating/exchange/import-exchange-rates.ts';
import { overviewAnswer, overviewRequest } from '../../reports/overview/overview-answer.ts';
import { reportOverview } from '../../reports/overview/report-overview.ts';
import { reportTagCoverage } from '../../reports/report-tag-coverage.ts';
import { tagCoverageAnswer, tagCoverageRequest } from '../../reports/tag-coverage-answer.ts';
import { listTenants } from '../../tenants/list-tenants.ts';
import { setTenant } from '../../tenants/set-tenant.ts';
import { showTenant } from '../../tenants/show-tenant.ts';
import {
  setTenantAnswer,
  setTenantRequest,
  shownTenantAnswer,
  showTenantRequest,
  tenantsAnswer,
} from '../../tenants/tenant-answer.ts';
import { listRoute, NOTHING_ASKED, type Route, route, USUAL_LIMIT } from '../route.ts';
import { BUDGETS } from './budgets.ts';
import { customerCheck } from './customer-check.ts';

const ADMIN = ['admin'] as const;
const OPERATORS = ['admin', 'reader'] as const;

const TENANTS: readonly Route[] = [
  listRoute('GET /v1/tenants', {
    about: 'tenants',
    roles: OPERATORS,
    summary: 'all tenants',
    request: NOTHING_ASKED,
    answer: tenantsAnswer,
    rows: 'tenants',
    idOf: ({ tenant_id }) => tenant_id,
    use: listTenants,
  }),
  route('GET /v1/tenants/{tenant}', {
    about: 'tenants',
    roles: OPERATORS,
    summary: 'one tenant with its history',
    request: showTenantRequest,
    answer: shownTenantAnswer,
    defaults: { most: 100 },
    use: showTenant,
  }),
  route('PUT /v1/tenants/{tenant}', {
    about: 'tenants',
    act: 'tenant set',
    roles: ADMIN,
    summary: 'make or change a tenant; what is not given stays as it is',
    request: setTenantRequest,
    answer: setTenantAnswer,
    use: (parts, request) => setTenant({ ...parts, ...customerCheck(parts) }, request),
  }),
];

const ISSUER: readonly Route[] = [
  route('GET /v1/issuer', {
    about: 'statements',
    roles: OPERATORS,
    summary: 'who sends the statements',
    request: NOTHING_ASKED,
    answer: issuerAnswer,
    use: showIssuer,
  }),
  route('PUT /v1/issuer', {
    about: 'statements',
    roles: ADMIN,
    summary: 'say who sends the statements; what is not given stays as it is',
    act: 'issuer set',
    request: setIssuerRequest,
    answer: issuerAnswer,
    use: setIssuer,
  }),
];

const PRICES: readonly Route[] = [
  listRoute('GET /v1/price-books', {
    about: 'prices',
    roles: OPERATORS,
    summary: 'every version of every price book',
    request: NOTHING_ASKED,
    answer: booksAnswer,
    rows: 'price_books',
    idOf: ({ book, effective_from }) => `${book}@${effective_from}`,
    use: listPriceBooks,
  }),
  route('GET /v1/price-books/{book}', {
    about: 'prices',
    roles: OPERATORS,
    summary: 'the versions of one price book as they were imported',
    request: bookRequest,
    answer: bookAnswer,
    use: showPriceBook,
  }),
  route('POST /v1/price-books', {
    about: 'prices',
    act: 'price-book import',
    roles: ADMIN,
    summary: 'import versions of price books',
    request: importRequest,
    answer: importAnswer,
    use: importPriceBooks,
  }),
  route('POST /v1/price-books/{book}/default', {
    about: 'prices',
    act: 'price-book default',
    roles: ADMIN,
    summary: 'name the book that a tenant without one pays by',
    request: defaultBookRequest,
    answer: defaultBookAnswer,
    use: nameDefaultBook,
  }),
  route('POST /v1/price-books/comparisons', {
    about: 'prices',
    roles: OPERATORS,
    summary: 'what differs between two versions of price books; nothing is changed',
    request: compareRequest,
    answer: compareAnswer,
    use: comparePriceBooks,
  }),
  route('POST /v1/price-books/{book}/seed', {
    about: 'prices',
    act: 'price-book seed',
    roles: ADMIN,
    summary: 'make a cost book of the public prices that this version knows',
    request: seedRequest,
    answer: seedAnswer,
    // What it reads the prices from is large, and no other route needs it.
    use: async (parts, request) =>
      (await import('../../rating/books/seed-price-book.ts')).seedPriceBook(parts, request),
  }),
  listRoute('GET /v1/exchange-rates', {
    about: 'prices',
    roles: OPERATORS,
    summary: 'every version of the exchange rates',
    request: NOTHING_ASKED,
    answer: exchangeListAnswer,
    rows: 'exchange_rates',
    idOf: ({ base, effective_from }) => `${base}@${effective_from}`,
    use: listExchangeRates,
  }),
  route('POST /v1/exchange-rates', {
    about: 'prices',
    act: 'fx import',
    roles: ADMIN,
    summary: 'import dated exchange rates',
    request: exchangeRequest,
    answer: exchangeAnswer,
    use: importExchangeRates,
  }),
];

const KEYS: readonly Route[] = [
  listRoute('GET /v1/keys', {
    about: 'keys',
    roles: ADMIN,
    summary: 'all keys, and what they may do',
    request: NOTHING_ASKED,
    answer: keysAnswer,
    rows: 'keys',
    idOf: ({ key_id }) => key_id,
    use: listKeys,
  }),
  route('POST /v1/keys', {
    about: 'keys',
    act: 'key create',
    roles: ADMIN,
    summary: 'make a key; it is shown once',
    request: createKeyRequest,
    answer: createdKeyAnswer,
    isShownOnce: true,
    use: createKey,
  }),
  route('DELETE /v1/keys/{key}', {
    about: 'keys',
    act: 'key revoke',
    roles: ADMIN,
    summary: 'revoke a key; it holds at once',
    request: revokeKeyRequest,
    answer: revokedKeyAnswer,
    use: revokeKey,
  }),
];

const STATE: readonly Route[] = [
  route('GET /v1/acts', {
    about: 'operations',
    roles: OPERATORS,
    summary: 'the journal: who did what, when and why, the newest first',
    request: actsRequest,
    answer: actsAnswer,
    defaults: { all: false, limit: USUAL_LIMIT },
    rows: 'acts',
    use: listActs,
  }),
  route('GET /v1/status', {
    about: 'operations',
    roles: OPERATORS,
    summary: 'how things stand, and what keeps a month from being whole',
    request: statusRequest,
    answer: statusAnswer,
    rows: 'missing',
    use: tellStatus,
  }),
  route('GET /v1/freshness', {
    about: 'operations',
    roles: OPERATORS,
    summary: 'how new the ledger is, and how much waits for a person',
    request: NOTHING_ASKED,
    answer: freshnessAnswer,
    use: tellFreshness,
  }),
  route('GET /v1/months/{month}', {
    about: 'operations',
    roles: OPERATORS,
    summary:
      'a month by tenant and step: closed, told, found and invoiced, with the steps of its run',
    request: monthTableRequest,
    answer: monthTableAnswer,
    rows: 'periods',
    use: tellMonthTable,
  }),
  route('GET /v1/overview', {
    about: 'operations',
    roles: OPERATORS,
    summary: 'the month at a glance: against the month before, projected, by day, model and tenant',
    request: overviewRequest,
    answer: overviewAnswer,
    defaults: { limit: 10 },
    rows: 'tenants',
    use: reportOverview,
  }),
  route('GET /v1/reports/coverage', {
    about: 'operations',
    roles: OPERATORS,
    summary: 'which share of the cost carries each tag, and who sends what has none',
    request: tagCoverageRequest,
    answer: tagCoverageAnswer,
    use: reportTagCoverage,
  }),
];

export const OPERATIONS: readonly Route[] = [
  ...TENANTS,
  ...ISSUER,
  ...PRICES,
  ...BUDGETS,
  ...KEYS,
  ...STATE,
];
