import { verifyLedger } from '../audit/laws/verify-ledger.ts';
import { DAY_MS, formatInstant, parseInstant } from '../clock.ts';
import { openQueue } from '../ingest/queue-client.ts';
import { runWorker } from '../ingest/worker/run-worker.ts';
import type { WorkerAnswer } from '../ingest/worker/worker-answer.ts';
import type { CloseAnswer } from '../ledger/closes/close-answer.ts';
import { closePeriods } from '../ledger/closes/close-periods.ts';
import { type CalendarMonth, lastEndedMonth } from '../month/last-ended-month.ts';
import { tellFreshness } from '../month/status/tell-freshness.ts';
import { reportRuns } from '../reports/runs/report-runs.ts';
import { LOOP_STEPS } from '../reports/runs/run-waste.ts';
import { writeStatements } from '../statements/write-statements.ts';
import { pushMonth } from '../stripe/push-month.ts';
import type { ReconciledPeriod } from '../stripe/reconcile-answer.ts';
import { reconcileMonth } from '../stripe/reconcile-month.ts';
import { checkSummaries } from '../stripe/summary-law.ts';
import type { DemoAnswer, DemoRequest } from './demo-answer.ts';
import { connectionOf, type DemoParts } from './demo-parts.ts';
import { demoFigures } from './demo-rows.ts';
import { beginEarlierMonth, leaveWrong } from './leave-wrong.ts';
import { sendTraffic } from './send-traffic.ts';
import { setUpDemo } from './set-up-demo.ts';
import type { Traffic } from './traffic.ts';
import { makeTraffic } from './traffic.ts';

/** Runs the main job, end to end, as an operator would run it month by month. */
export async function runDemo(parts: DemoParts, request: DemoRequest): Promise<DemoAnswer> {
  const month = lastEndedMonth(parts);
  await setUpDemo(parts, month);
  const traffic = await sendMonth(parts, month);
  const worker = await consume(parts, traffic);
  const closes = await close(parts, month.name);
  const reconciled = await push(parts, month.name);
  const { files } = await writeStatements(parts, {
    month: month.name,
    folder: request.folder,
    issuer: null,
  });
  const { laws } = await verifyLedger(
    { ...parts, s3Endpoint: null, checkStripe: () => checkSummaries(parts) },
    { scope: 'full', against: null },
  );
  await sayMostWasted(parts, traffic.counts.calls);
  const answer = {
    month: month.name,
    traffic: traffic.counts,
    worker,
    ...(await demoFigures(parts, { closes, reconciled })),
    laws,
    statements: files,
    connection: request.keep ? connectionOf(parts) : null,
    console: null,
  };
  // What is looked at later is in no figure of the month that was told.
  if (request.keep) {
    const earlier = await beginEarlierMonth(parts, month);
    await beginOpenMonth(parts, month, earlier);
    await leaveWrong(parts, month);
  }
  return answer;
}

async function sendMonth({ queue, say, trace }: DemoParts, month: CalendarMonth): Promise<Traffic> {
  const traffic = makeTraffic(trace.random, trace.requests, month);
  const { counts } = traffic;
  say(
    `${trace.origin}: ${trace.requests.length} requests become ${counts.calls} model calls over ${month.name}`,
  );
  say('  tenants, users, features, models, failures and batches are synthetic: the trace has none');
  const messages = await sendTraffic(queue, traffic, () => {});
  say(
    `sent ${messages} SQS messages: ${counts.failed} failed calls, ${counts.fallbacks} fallbacks, ${counts.loops} retry loops, ${counts.batches} batched requests, ${counts.duplicates} duplicates, ${counts.conflicts} conflicts, ${traffic.malformed.length} malformed`,
  );
  return traffic;
}

/** Calls of the month under way, against those of the month before. */
const OPEN_SHARE = 3;
const FIRST_OPEN_CALL = 10_000_000;

/**
 * Fills the month under way, for whoever looks at the console: usage up to now, and calls that lack
 * something.
 */
async function beginOpenMonth(
  parts: DemoParts,
  month: CalendarMonth,
  earlier: Traffic['events'],
): Promise<void> {
  const { trace, queue } = parts;
  const now = parseInstant((await tellFreshness(parts)).at);
  const requests = trace.requests.filter((_, index) => index % OPEN_SHARE === 0);
  // Traffic stays a day away from the ends of its month, and today is to have some.
  const days = { startsAt: month.endsAt - DAY_MS, endsAt: now + DAY_MS };
  const traffic = makeTraffic(trace.random, requests, { ...days, firstCall: FIRST_OPEN_CALL });
  const lacking = lackingEvents(formatInstant(now - DAY_MS));
  const events = [...traffic.events, ...earlier, ...lacking];
  await sendTraffic(queue, { ...traffic, events, malformed: [] }, () => {});
  await consume(parts, { ...traffic, events, malformed: [] });
}

/** Calls without a price, without any usage, and under two tenants: each is named until somebody mends it. */
function lackingEvents(occurred_at: string): Traffic['events'] {
  const call = { source: 'demo', occurred_at, status: 'ok', operation: 'chat', provider: 'openai' };
  const usage = { input_tokens: 1200, output_tokens: 300 };
  // A producer that mended a tag by resending bills two customers for one call.
  const resent = ['umbrella-bio', 'hooli'].map((tenant_id) => ({
    ...call,
    event_id: 'sent-twice',
    requested_model: 'gpt-4o',
    usage,
    tenant_id,
  }));
  const lacking = ['northwind-ai', 'initech', 'stark-labs'].flatMap((tenant_id, index) => [
    { ...call, event_id: `new-model-${index}`, requested_model: 'gpt-6-mini', usage, tenant_id },
    { ...call, event_id: `no-usage-${index}`, requested_model: 'gpt-4o', tenant_id },
  ]);
  return [...lacking, ...resent];
}

const POLLERS = 4;

async function consume(parts: DemoParts, traffic: Traffic): Promise<WorkerAnswer> {
  const queue = openQueue({ ...parts.queue, region: null, pollers: POLLERS });
  const all = traffic.events.length + traffic.malformed.length;
  let done = 0;
  const worker = {
    ...parts,
    queue,
    reading: { litellmKey: null },
    stop: new AbortController().signal,
    onRecorded(recorded: readonly unknown[]) {
      done += recorded.length;
      parts.progress('worker', done, all);
    },
  };
  try {
    const answer = await runWorker(worker, { until_empty: true, pollers: POLLERS });
    parts.say(
      `worker: ${answer.posted} events posted, ${answer.duplicate} duplicates, ${answer.conflict} conflicts, ${answer.quarantined} quarantined`,
    );
    return answer;
  } finally {
    queue.close();
  }
}

async function close(parts: DemoParts, month: string): Promise<CloseAnswer> {
  const closes = await closePeriods(parts, { month, tenant_id: null });
  const open = closes.filter(({ state }) => state !== 'closed');
  if (open.length > 0) throw new Error(`not closed: ${JSON.stringify(open)}`);
  parts.say(`closed ${month} for ${closes.length} tenants`);
  return closes;
}

async function push(parts: DemoParts, month: string): Promise<readonly ReconciledPeriod[]> {
  const pushes = await pushMonth(parts, { month, tenant_id: null, dry_run: false });
  const confirmed = pushes.filter(({ state }) => state === 'confirmed').length;
  parts.say(`pushed ${confirmed} tenants to Stripe, once each`);
  const rows = await reconcileMonth(parts, { month, tenant_id: null });
  const unexplained = rows.filter((row) => !row.explained).length;
  parts.say(
    `reconciled ${rows.length} tenants with Stripe: ${unexplained} unexplained differences`,
  );
  return rows;
}

/** One line of what the report of runs says of the month. */
async function sayMostWasted(parts: DemoParts, most: number): Promise<void> {
  const everything = { tenant_id: null, month: null, from: null, to: null, as_of: null };
  const report = await reportRuns(parts, {
    ...everything,
    by: 'run',
    order: 'waste',
    limit: most,
    cursor: null,
    loop_steps: LOOP_STEPS,
  });
  // Calls outside any run are rows of the report, too.
  const runs = report.rows.filter(({ run }) => typeof run === 'string');
  const wasted = runs.filter((row) => /[1-9]/.test(row.cost_before_answer ?? ''));
  const [first] = wasted;
  if (first === undefined) return;
  parts.say(
    `${wasted.length} of ${runs.length} agent runs spent something before their answer; ${first.run} of ${first.tenant} ${first.share_before_answer} % of its cost`,
  );
}
