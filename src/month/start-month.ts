import { Refusal } from '../refusal.ts';
import type { Remedy } from '../remedy.ts';
import type { StripeParts } from '../stripe/stripe-parts.ts';
import type { MonthAnswer, MonthRequest, StartAnswer, StartRequest } from './month-answer.ts';
import { planMonth } from './plan-month.ts';
import { whileRunIsAlone } from './run-lock-store.ts';
import { type RunParts, runMonth } from './run-month.ts';

/** Runs a month as a job of its own: a second one of the month is refused while it goes on. */
export async function runMonthAlone(
  parts: RunParts,
  request: MonthRequest,
  onBegun: () => void = () => {},
): Promise<MonthAnswer> {
  const { month } = request;
  const answer = await whileRunIsAlone(parts.database, month, () => {
    onBegun();
    return runMonth(parts, request);
  });
  if (answer !== null) return answer;
  throw new Refusal(
    'conflict',
    `${month} is being run already; two runs at once would only wait for one another`,
    'let that run end, and look at its steps; then run the month again where something is left',
  );
}

/**
 * Starts a run of the month that goes on when whoever asked is gone, and answers once it has begun; a dry run
 * answers what it would do. Each step is kept as it ends, so that a server that stops leaves the rest to the next run.
 */
export async function startMonth(
  parts: StripeParts & { readonly phrase: (remedy: Remedy) => string },
  { month, dry_run }: StartRequest,
): Promise<StartAnswer> {
  // No statement is written to the server's own disk: each is made for whoever asks for it.
  const request = { month, folder: null, issuer: null };
  if (dry_run) return { month, state: 'dry_run', plan: await planMonth(parts, request) };
  const begun = Promise.withResolvers<void>();
  const run = runMonthAlone(parts, request, begun.resolve);
  run.catch((error: unknown) => {
    parts.log.error({ month, reason: String(error) }, 'the run of a month stopped');
  });
  await Promise.race([begun.promise, run]);
  return { month, state: 'started', plan: null };
}
