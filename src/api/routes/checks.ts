import { allocatePool, listPools, reversePool, showPool } from '../../allocation/allocate-pool.ts';
import {
  allocateRequest,
  allocationAnswer,
  backtestAnswer,
  backtestRequest,
  poolRequest,
  poolsAnswer,
  poolsRequest,
  reverseRequest,
} from '../../allocation/allocation-answer.ts';
import { backtestMonth } from '../../allocation/backtest-month.ts';
import { verificationAnswer, verificationRequest } from '../../audit/laws/verification-answer.ts';
import { verifyLedger } from '../../audit/laws/verify-ledger.ts';
import { DEFAULT_CURRENCY } from '../../rating/rate-event.ts';
import { costDriftAnswer, costDriftRequest } from '../../reports/cost-drift-answer.ts';
import { countsAnswer, countsRequest } from '../../reports/counts-answer.ts';
import { leaversAnswer } from '../../reports/leavers-answer.ts';
import { reportCostDrift } from '../../reports/report-cost-drift.ts';
import { reportCounts } from '../../reports/report-counts.ts';
import { reportLeavers } from '../../reports/report-leavers.ts';
import { listSeals } from '../../seals/list-seals.ts';
import { sealListAnswer, sealListRequest } from '../../seals/seal-answer.ts';
import { checkSummaries } from '../../stripe/summary-law.ts';
import { listRoute, NOTHING_ASKED, type Route, route } from '../route.ts';

const ADMIN = ['admin'] as const;
const OPERATORS = ['admin', 'reader'] as const;

const REPORTS: readonly Route[] = [
  route('GET /v1/reports/cost-drift', {
    about: 'operations',
    roles: OPERATORS,
    summary: 'what producers say that calls cost beside our own cost, and what explains the rest',
    request: costDriftRequest,
    answer: costDriftAnswer,
    defaults: { by: ['provider'] },
    use: reportCostDrift,
  }),
  route('GET /v1/reports/counts', {
    about: 'operations',
    roles: OPERATORS,
    summary: 'how sure the counts of calls are, and what was charged by them',
    request: countsRequest,
    answer: countsAnswer,
    defaults: { by: ['source'] },
    use: reportCounts,
  }),
  listRoute('GET /v1/reports/leavers', {
    about: 'operations',
    roles: OPERATORS,
    summary: 'what is owed to customers who left, and by them, a row for each currency',
    request: NOTHING_ASKED,
    answer: leaversAnswer,
    rows: 'leavers',
    idOf: ({ tenant_id, currency }) => `${currency ?? ''} ${tenant_id}`,
    use: reportLeavers,
  }),
];

const LAWS: readonly Route[] = [
  route('POST /v1/verifications', {
    about: 'operations',
    act: 'verify',
    roles: ADMIN,
    summary: 'check every law on the live database; what a file of seals says is for the command',
    // A path that a client names would be a file of the server's.
    request: verificationRequest.pick({ scope: true }),
    answer: verificationAnswer,
    defaults: { scope: 'incremental' },
    use(parts, { scope }) {
      const { stripeParts } = parts;
      const checkStripe = stripeParts === null ? null : () => checkSummaries(stripeParts);
      return verifyLedger({ ...parts, checkStripe }, { scope, against: null });
    },
  }),
  listRoute('GET /v1/seals', {
    about: 'operations',
    roles: OPERATORS,
    summary: 'the newest seals of the chain, the newest first',
    request: sealListRequest,
    answer: sealListAnswer,
    defaults: { last: 20 },
    rows: 'seals',
    idOf: ({ seal_number }) => seal_number,
    numbered: 'down',
    use: listSeals,
  }),
];

const POOLS: readonly Route[] = [
  listRoute('GET /v1/allocations', {
    about: 'allocations',
    roles: OPERATORS,
    summary: 'pools of shared spend that were divided',
    request: poolsRequest,
    answer: poolsAnswer,
    rows: 'allocations',
    idOf: ({ pool, month }) => `${month} ${pool}`,
    use: listPools,
  }),
  route('GET /v1/allocations/{pool}/{month}', {
    about: 'allocations',
    roles: OPERATORS,
    summary: 'one pool with the share of each tenant',
    request: poolRequest,
    answer: allocationAnswer,
    use: showPool,
  }),
  route('POST /v1/allocations', {
    about: 'allocations',
    act: 'allocate',
    roles: ADMIN,
    summary:
      'divide a pool over the tenants of a month; a dry run shows the shares and posts nothing',
    request: allocateRequest,
    answer: allocationAnswer,
    defaults: { currency: DEFAULT_CURRENCY, billed: false, dry_run: false },
    use: allocatePool,
  }),
  route('POST /v1/allocations/{pool}/{month}/reverse', {
    about: 'allocations',
    act: 'allocate reverse',
    roles: ADMIN,
    summary: 'take back the shares of a pool',
    request: reverseRequest,
    answer: allocationAnswer,
    use: reversePool,
  }),
  route('GET /v1/backtests/{month}', {
    about: 'allocations',
    roles: OPERATORS,
    summary: 'which way to divide comes nearest to what each tenant caused',
    request: backtestRequest,
    answer: backtestAnswer,
    defaults: { currency: DEFAULT_CURRENCY },
    use: backtestMonth,
  }),
];

/** Reports of money, the laws, and shared spend. */
export const CHECKS: readonly Route[] = [...REPORTS, ...LAWS, ...POOLS];
