import type { CheckAnswer } from '../../budgets/budget-answer.ts';
import {
  budgetAnswer,
  budgetsAnswer,
  budgetsRequest,
  checkAnswer,
  checkRequest,
  removeBudgetAnswer,
  removeBudgetRequest,
  setBudgetRequest,
} from '../../budgets/budget-answer.ts';
import { checkBudgets } from '../../budgets/check-budgets.ts';
import {
  releaseHoldAnswer,
  releaseHoldRequest,
  reserveAnswer,
  reserveRequest,
} from '../../budgets/hold-answer.ts';
import { listBudgets } from '../../budgets/list-budgets.ts';
import { approveRaise, refuseRaise } from '../../budgets/raises/answer-raise.ts';
import { askRaise, listRaises } from '../../budgets/raises/ask-raise.ts';
import {
  approveRaiseRequest,
  askRaiseRequest,
  raiseAnswer,
  raisesAnswer,
  raisesRequest,
  refuseRaiseRequest,
} from '../../budgets/raises/raise-answer.ts';
import { releaseHold } from '../../budgets/release-hold.ts';
import { reserveHold } from '../../budgets/reserve-hold.ts';
import { removeBudget, setBudget } from '../../budgets/set-budget.ts';
import type { Reply } from '../reply.ts';
import { jsonReply } from '../reply.ts';
import { listRoute, type Route, route, Written } from '../route.ts';

const ADMIN = ['admin'] as const;
const CALLERS = ['admin', 'ingest'] as const;

/** Who is denied asks for a higher limit, and an operator answers. */
const RAISES: readonly Route[] = [
  listRoute('GET /v1/budgets/requests', {
    about: 'budgets',
    roles: ['admin', 'reader', 'ingest'],
    summary: 'requests to raise a limit that wait for an answer, or all of them',
    request: raisesRequest,
    answer: raisesAnswer,
    defaults: { all: false },
    rows: 'requests',
    idOf: ({ request_id }) => request_id,
    use: listRaises,
  }),
  route('POST /v1/budgets/requests', {
    about: 'budgets',
    act: 'budget ask',
    roles: CALLERS,
    summary: 'ask an operator for a higher limit; of one budget one request waits',
    request: askRaiseRequest,
    answer: raiseAnswer,
    use: askRaise,
  }),
  route('POST /v1/budgets/requests/{request}/approve', {
    about: 'budgets',
    act: 'budget approve',
    roles: ADMIN,
    summary: 'raise the limit to what was asked for, or to what is granted in its place',
    request: approveRaiseRequest,
    answer: raiseAnswer,
    use: approveRaise,
  }),
  route('POST /v1/budgets/requests/{request}/refuse', {
    about: 'budgets',
    act: 'budget refuse',
    roles: ADMIN,
    summary: 'leave the limit as it is, and say why',
    request: refuseRaiseRequest,
    answer: raiseAnswer,
    use: refuseRaise,
  }),
];

export const BUDGETS: readonly Route[] = [
  listRoute('GET /v1/budgets', {
    about: 'budgets',
    roles: ['admin', 'reader', 'tenant'],
    summary: 'all budgets, what is spent and held, and the holds whose event did not come',
    request: budgetsRequest,
    answer: budgetsAnswer,
    rows: 'budgets',
    idOf: ({ budget_id }) => budget_id,
    use: listBudgets,
  }),
  route('PUT /v1/budgets', {
    about: 'budgets',
    act: 'budget set',
    roles: ADMIN,
    summary: 'set or change a budget on what a tenant is charged, or on its tokens',
    request: setBudgetRequest,
    answer: budgetAnswer,
    defaults: { kind: 'hard' },
    use: setBudget,
  }),
  route('DELETE /v1/budgets', {
    about: 'budgets',
    act: 'budget remove',
    roles: ADMIN,
    summary: 'take a budget away, with what it counted',
    request: removeBudgetRequest,
    answer: removeBudgetAnswer,
    use: removeBudget,
  }),
  deciding(
    route('POST /v1/budgets/check', {
      about: 'budgets',
      roles: ['admin', 'reader', 'ingest'],
      summary: 'allow, warn or deny a call before it is made; 402 where it is denied',
      request: checkRequest,
      answer: checkAnswer,
      defaults: { service_tier: 'standard' },
      use: checkBudgets,
    }),
  ),
  deciding(
    route('POST /v1/budgets/reserve', {
      about: 'budgets',
      roles: CALLERS,
      summary:
        'hold what a call may come to until its event carries the hold; 402 where it is denied',
      request: reserveRequest,
      answer: reserveAnswer,
      defaults: { service_tier: 'standard' },
      use: reserveHold,
    }),
  ),
  route('POST /v1/budgets/holds/{hold_id}/release', {
    about: 'budgets',
    act: 'budget release',
    roles: CALLERS,
    summary: 'give back what a call was promised that is not made, or whose event will not come',
    request: releaseHoldRequest,
    answer: releaseHoldAnswer,
    use: releaseHold,
  }),
  ...RAISES,
];

/** Answers with 402 where the call is denied, and with the headroom of the deciding budget in headers. */
function deciding(of: Route): Route {
  const headersOf = (answer: unknown) => headroomOf(answer as CheckAnswer);
  return {
    ...of,
    otherStatuses: [402],
    headersOf,
    async run(asked) {
      const answer = (await of.run(asked)) as CheckAnswer;
      const reply = jsonReply(answer, answer.verdict === 'deny' ? 402 : 200);
      return new Written({ ...reply, headers: headersOf(answer) });
    },
  };
}

/** The headers in which a decision tells its headroom. */
export const HEADROOM_HEADERS = [
  ...['budget-id', 'budget-limit', 'budget-spent', 'budget-held', 'budget-left'],
  'budget-resets-at',
];

/** Tells the headroom of the budget that decides, or else the first. */
function headroomOf(answer: CheckAnswer): Reply['headers'] {
  const { budgets, decided_by: by, retry_after: seconds } = answer;
  const budget = budgets.find(({ budget_id }) => budget_id === by) ?? budgets[0];
  if (budget === undefined) return {};
  const { budget_id, limit, spent, held, left, resets_at: resetsAt } = budget;
  return {
    'budget-id': budget_id,
    'budget-limit': limit,
    'budget-spent': spent,
    'budget-held': held,
    'budget-left': left,
    ...(resetsAt === null ? {} : { 'budget-resets-at': resetsAt }),
    ...(seconds === null ? {} : { 'retry-after': String(seconds) }),
  };
}
