import { DateTime } from 'luxon';
import type { LawAnswer } from '../audit/laws/verification-answer.ts';
import { verifyLedger } from '../audit/laws/verify-ledger.ts';
import { type Clock, formatInstant } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { closeDatabase, createDatabase, openDatabase } from '../database/database.ts';
import { migrate } from '../database/migrate.ts';
import { openQueue } from '../ingest/queue-client.ts';
import { runWorker } from '../ingest/run-worker.ts';
import type { WorkerAnswer } from '../ingest/worker-answer.ts';
import { closePeriods } from '../ledger/closes/close-periods.ts';
import type { Log } from '../log.ts';
import { divideHalfUp, formatMinor, picoPerMinor } from '../money.ts';
import { seedCostBook } from '../rating/books/genai-seed.ts';
import { importPriceBook } from '../rating/books/price-book-store.ts';
import { percentOf } from '../reports/percent.ts';
import { analyzeRun } from '../reports/runs/agent-run.ts';
import { figuresOf } from '../reports/runs/run-figures.ts';
import { RunRanking } from '../reports/runs/run-ranking.ts';
import { eachRun } from '../reports/runs/run-store.ts';
import type { UsageRow } from '../reports/usage-report-store.ts';
import { readUsageReport } from '../reports/usage-report-store.ts';
import { DEFAULT_ISSUER } from '../statements/statement-view.ts';
import { writeStatements } from '../statements/write-statements.ts';
import { saveMeter } from '../stripe/meters/meter-store.ts';
import { setUpMeter } from '../stripe/meters/set-up-meter.ts';
import { checkSummaries } from '../stripe/meters/summary-law.ts';
import { pushMonth } from '../stripe/push.ts';
import type { ReconcileRow } from '../stripe/reconcile.ts';
import { reconcileMonth } from '../stripe/reconcile.ts';
import { openStripe, type StripeClient } from '../stripe/stripe-client.ts';
import { type StripeDouble, startStripeDouble } from '../stripe-double/stripe-double.ts';
import { setTenant } from '../tenants/tenant-store.ts';
import { DEMO_TENANTS, demoChargeBooks } from './cast.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import { type LocalQueue, startLocalQueue } from './local-queue.ts';
import { seededRandom } from './random.ts';
import { sendTraffic } from './send-traffic.ts';
import { generateTrace, readTrace } from './trace.ts';
import type { Traffic } from './traffic.ts';
import { makeTraffic } from './traffic.ts';

export interface DemoOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** A trace to replay; null for a generated one. */
  readonly traceFile: string | null;
  readonly calls: number;
  readonly seed: number;
  /** The folder where the statements go. */
  readonly folder: string;
  readonly say: (line: string) => void;
  readonly progress: (label: string, done: number, all: number) => void;
}

/** The parts that the demo runs on, each real: a database, a queue over HTTP, a Stripe over HTTP. */
export interface DemoParts {
  readonly postgres: EmbeddedPostgres;
  readonly queue: LocalQueue;
  readonly double: StripeDouble;
  readonly database: Database;
  readonly stripe: StripeClient;
  stop(): Promise<void>;
}

export interface DemoResult {
  /** YYYY-MM */
  readonly month: string;
  readonly traffic: Traffic['counts'];
  readonly worker: WorkerAnswer;
  readonly tenants: readonly DemoRow[];
  readonly laws: readonly LawAnswer[];
  readonly statements: readonly string[];
}

/** One tenant's month as finance reads it; decimal strings in the currency's major unit. */
export interface DemoRow {
  readonly tenant_id: string;
  readonly mode: string;
  readonly calls: number;
  readonly failed: number;
  readonly tokens: string;
  readonly charge: string;
  readonly cost: string;
  readonly margin: string;
  /** Micro-dollars confirmed as pushed, and what Stripe's summary says. */
  readonly pushed: string;
  readonly stripe: string | null;
}

const DATABASE_NAME = 'spanledger';

export async function startDemoParts(log: Log): Promise<DemoParts> {
  const [postgres, queue, double] = await Promise.all([
    startEmbeddedPostgres(),
    startLocalQueue(),
    startStripeDouble(),
  ]);
  const admin = openDatabase({ url: postgres.url, connections: 1, onConnectionLost: () => {} });
  await createDatabase(admin, DATABASE_NAME);
  await closeDatabase(admin);
  const database = openDatabase({
    url: postgres.urlOf(DATABASE_NAME),
    connections: 12,
    onConnectionLost: (error) => log.warn({ error: error.message }, 'connection lost'),
  });
  const stripe = openStripe({ apiKey: double.apiKey, apiBase: double.url });
  return {
    postgres,
    queue,
    double,
    database,
    stripe,
    async stop() {
      await closeDatabase(database);
      await Promise.all([postgres.stop(), queue.stop(), double.close()]);
    },
  };
}

/** How to reach the parts that go on running, as environment variables. */
export function connectionOf(parts: DemoParts): Readonly<Record<string, string>> {
  return {
    DATABASE_URL: parts.postgres.urlOf(DATABASE_NAME),
    SPANLEDGER_QUEUE_URL: parts.queue.queueUrl,
    AWS_ENDPOINT_URL_SQS: parts.queue.endpoint,
    STRIPE_API_BASE: parts.double.url,
    STRIPE_API_KEY: parts.double.apiKey,
  };
}

/** The main job, end to end, as an operator would run it month by month. */
export async function runDemo(parts: DemoParts, options: DemoOptions): Promise<DemoResult> {
  const month = lastEndedMonth(options.clock);
  const { say } = options;
  await prepare(parts, options, month);
  const traffic = await sendMonth(parts, options, month);
  const worker = await consume(parts, options, traffic);
  const request = { month: month.name, tenant_id: null };
  const closes = await closePeriods({ database: parts.database, clock: options.clock }, request);
  const open = closes.filter((close) => close.state !== 'closed');
  if (open.length > 0) throw new Error(`not closed: ${JSON.stringify(open)}`);
  say(`closed ${month.name} for ${closes.length} tenants`);
  const stripe = { ...parts, livemode: false, clock: options.clock, log: options.log };
  const pushes = await pushMonth(stripe, month.name);
  say(
    `pushed ${pushes.filter((push) => push.state === 'confirmed').length} tenants to Stripe, once each`,
  );
  const reconciled = await reconcileMonth(stripe, month.name);
  const unexplained = reconciled.filter((row) => !row.explained).length;
  say(
    `reconciled ${reconciled.length} tenants with Stripe: ${unexplained} unexplained differences`,
  );
  const of = { month: month.name, folder: options.folder, issuer: DEFAULT_ISSUER };
  const { files } = await writeStatements(parts, of);
  const { laws } = await verifyLedger(
    { ...stripe, s3Endpoint: null, checkStripe: () => checkSummaries(stripe) },
    { scope: 'full', against: null },
  );
  await sayMostWasted(parts.database, say);
  const usage = await readUsageReport(parts.database, {
    by: ['tenant', 'outcome'],
    tenantId: null,
    from: null,
    to: null,
  });
  const tenants = closes.map((close) =>
    demoRow(close.tenant_id, { charge: close.charge_total ?? '0', usage, reconciled }),
  );
  return { month: month.name, traffic: traffic.counts, worker, tenants, laws, statements: files };
}

/** One line of what "spanledger report runs" says of the month. */
async function sayMostWasted(database: Database, say: DemoOptions['say']): Promise<void> {
  const ranking = new RunRanking(1);
  const everything = { tenantId: null, from: null, to: null };
  await eachRun(database, everything, (run) => {
    for (const figures of figuresOf(analyzeRun(run), 'run')) ranking.append(figures);
  });
  const { rows, total } = ranking.end();
  for (const { name, tenantId, wastedCost, cost } of rows) {
    say(
      `${total.wastedRows} of ${total.rows} agent runs spent something before their answer; ${name} of ${tenantId} ${percentOf(wastedCost, cost)} % of its cost`,
    );
  }
}

interface DemoMonth {
  readonly name: string;
  readonly startsAt: number;
  readonly endsAt: number;
}

/** The newest month that is over in every time zone. */
function lastEndedMonth(clock: Clock): DemoMonth {
  const start = DateTime.fromMillis(clock(), { zone: 'utc' })
    .minus({ days: 1 })
    .startOf('month')
    .minus({ months: 1 });
  return {
    name: start.toFormat('yyyy-MM'),
    startsAt: start.toMillis(),
    endsAt: start.plus({ months: 1 }).toMillis(),
  };
}

async function prepare(parts: DemoParts, options: DemoOptions, month: DemoMonth): Promise<void> {
  const { database, double, stripe } = parts;
  const { clock, say } = options;
  await migrate(database);
  const effectiveFrom = formatInstant(month.startsAt - 40 * 24 * 60 * 60 * 1000);
  const cost = seedCostBook({ book: 'providers', effectiveFrom, currency: 'USD' });
  for (const book of [...demoChargeBooks(effectiveFrom), ...cost]) {
    await importPriceBook(database, book, clock());
  }
  say(
    `imported charge books standard and enterprise, and provider prices of ${cost[0]?.models.length} models`,
  );
  for (const { tenantId, weight: _, ...change } of DEMO_TENANTS) {
    const stripeCustomer = `cus_${tenantId.replaceAll('-', '_')}`;
    double.control.addCustomer({ id: stripeCustomer });
    await setTenant(database, tenantId, { ...change, stripeCustomer, at: clock() });
  }
  const meter = await setUpMeter(stripe, 'USD');
  await saveMeter(database, meter, { livemode: false, at: clock() });
  say(`registered ${DEMO_TENANTS.length} tenants, and set up Stripe meter ${meter.eventName}`);
}

async function sendMonth(
  parts: DemoParts,
  options: DemoOptions,
  month: DemoMonth,
): Promise<Traffic> {
  const random = seededRandom(options.seed);
  const { traceFile, say } = options;
  const trace =
    traceFile === null ? generateTrace(random, options.calls) : await readTrace(traceFile);
  const traffic = makeTraffic(random, trace, month);
  const { counts } = traffic;
  const origin =
    traceFile === null ? `generated trace, seed ${options.seed}` : `trace ${traceFile}`;
  say(`${origin}: ${trace.length} requests become ${counts.calls} model calls over ${month.name}`);
  say('  tenants, users, features, models, failures and batches are synthetic: the trace has none');
  const messages = await sendTraffic(parts.queue, traffic, () => {});
  say(
    `sent ${messages} SQS messages: ${counts.failed} failed calls, ${counts.fallbacks} fallbacks, ${counts.loops} retry loops, ${counts.batches} batched requests, ${counts.duplicates} duplicates, ${counts.conflicts} conflicts, ${traffic.malformed.length} malformed`,
  );
  return traffic;
}

async function consume(
  parts: DemoParts,
  options: DemoOptions,
  traffic: Traffic,
): Promise<WorkerAnswer> {
  const { database, queue } = parts;
  const { clock, log } = options;
  const client = openQueue({ ...queue, region: null, pollers: 4 });
  const all = traffic.events.length + traffic.malformed.length;
  let done = 0;
  const onRecorded = (recorded: readonly unknown[]) => {
    done += recorded.length;
    options.progress('worker', done, all);
  };
  try {
    const answer = await runWorker(
      {
        database,
        queue: client,
        clock,
        log,
        reading: { litellmKey: null },
        stop: new AbortController().signal,
        onRecorded,
      },
      { until_empty: true, pollers: 4 },
    );
    options.say(
      `worker: ${answer.posted} events posted, ${answer.duplicate} duplicates, ${answer.conflict} conflicts, ${answer.quarantined} quarantined`,
    );
    return answer;
  } finally {
    client.close();
  }
}

function demoRow(
  tenantId: string,
  of: {
    readonly charge: string;
    readonly usage: readonly UsageRow[];
    readonly reconciled: readonly ReconcileRow[];
  },
): DemoRow {
  const own = of.usage.filter((row) => row.tenant === tenantId);
  const count = (outcome: string) =>
    own.filter((row) => row.outcome === outcome).reduce((sum, row) => sum + row.entries, 0);
  const sum = (value: (row: UsageRow) => bigint) =>
    own.reduce((total, row) => total + value(row), 0n);
  const cost = sum((row) => row.costPico);
  const reconciled = of.reconciled.find((row) => row.tenant_id === tenantId);
  const tenant = DEMO_TENANTS.find((candidate) => candidate.tenantId === tenantId);
  return {
    tenant_id: tenantId,
    mode: tenant?.mode ?? 'shadow',
    calls: own.reduce((total, row) => total + row.entries, 0),
    failed: count('failed') + count('cancelled'),
    tokens: String(sum((row) => row.inputTokens + row.outputTokens)),
    charge: of.charge,
    cost: cents(cost),
    margin: cents(sum((row) => row.chargePico) - cost),
    pushed: reconciled?.confirmed ?? '0',
    stripe: reconciled?.stripe ?? null,
  };
}

function cents(amount: bigint): string {
  return formatMinor(divideHalfUp(amount, picoPerMinor('USD')), 'USD');
}
