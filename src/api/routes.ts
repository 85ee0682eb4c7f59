import type { Route } from './route.ts';
import { ACTIONS } from './routes/actions.ts';
import { BUCKET_ACTS } from './routes/buckets.ts';
import { CHECKS } from './routes/checks.ts';
import { EXPORTS } from './routes/exports.ts';
import { OPERATIONS } from './routes/operations.ts';
import { QUESTIONS } from './routes/questions.ts';
import { STATEMENTS } from './routes/statements.ts';
import { STRIPE_ROUTES } from './routes/stripe-acts.ts';
import { WEBHOOKS } from './routes/webhooks.ts';

/** The table of routes: adding a question is adding a row. */
export const ROUTES: readonly Route[] = [
  ...QUESTIONS,
  ...STATEMENTS,
  ...EXPORTS,
  ...OPERATIONS,
  ...ACTIONS,
  ...STRIPE_ROUTES,
  ...BUCKET_ACTS,
  ...WEBHOOKS,
  ...CHECKS,
];
