import { runChild } from './bench-child.ts';
import type { Plan } from './bench-rounds.ts';
import { makeSource, ratePerSecond, runOn, runOnce, SOURCE, verifyLedger } from './bench-rounds.ts';
import type { Servers } from './bench-servers.ts';
import { quotients } from './bench-table.ts';
import type { Contender, Measured } from './contender.ts';
import { fillLedger } from './fill-ledger.ts';
import type { LedgerReport } from './large-ledger.ts';
import { probeLoad } from './load-probe.ts';
import type { GrowthPoint, LedgerPoint, ScaleReport } from './report.ts';
import { quantile, spread } from './spread.ts';
import { MANY_MEMBERS, MANY_TENANTS, randomIds } from './worker-growing.ts';
import { MANY_WORKERS } from './worker-many.ts';

export interface LedgerPlan {
  readonly entries: number;
  readonly tenants: number;
  /** Statements and stories that are read at each size. */
  readonly samples: number;
  readonly onProgress: (text: string) => void;
}

export interface ScalePlan extends Plan, LedgerPlan {
  /** Of the long run at full load. */
  readonly loadSeconds: number;
}

const LARGE = 'bench_large';
const SCRATCH = 'bench_scratch';

/** A quarter of the entries falls into each, so that a close has history around it. */
const MONTHS = ['2025-09', '2025-10', '2025-11', '2025-12'] as const;

/** What comes between two runs of verify, an hour apart. */
const LAST_MONTH = '2026-02';
const HOURS_OF_MONTH = 720;

type Measures = Omit<ScaleReport, 'machine' | 'seconds'>;

/** How cost grows with what is there already, with tenants, members and processes. */
export async function runScale(servers: Servers, plan: ScalePlan): Promise<Measures> {
  await makeSource(servers, plan);
  const processes = await measureGrowth(servers, plan, MANY_WORKERS);
  const tenantCounts = await measureGrowth(servers, plan, MANY_TENANTS);
  const memberCounts = await measureGrowth(servers, plan, MANY_MEMBERS);
  plan.onProgress(`full load for ${plan.loadSeconds} s`);
  const longLoad = await probeLoad(servers, { seconds: plan.loadSeconds, perSecond: null });
  tellMeasured(plan, longLoad);
  const large = await measureLarge(servers, plan);
  const verified = await measureVerify(servers, plan);
  const gibibytes = (await servers.sizeOf(LARGE)) / 2 ** 30;
  const { tenants, entries } = plan;
  return {
    tenants,
    entries,
    gibibytes,
    processes,
    tenantCounts,
    memberCounts,
    longLoad,
    ...verified,
    ...large,
  };
}

/** Of all entries, and then of the few that came since. */
async function measureVerify(
  servers: Servers,
  plan: ScalePlan,
): Promise<Pick<ScaleReport, 'laws' | 'verifyFull' | 'verifyIncremental'>> {
  const full = await timeVerify(servers, plan, 'full');
  const verifyFull = { entries: await servers.countEntries(LARGE), seconds: full.seconds };
  const entries = Math.ceil(plan.entries / HOURS_OF_MONTH);
  await fillMonth(servers, plan, { month: LAST_MONTH, entries });
  const since = await timeVerify(servers, plan, 'incremental');
  const verifyIncremental = { entries, seconds: since.seconds };
  return { laws: [...full.laws, ...since.laws], verifyFull, verifyIncremental };
}

async function timeVerify(servers: Servers, plan: ScalePlan, scope: 'full' | 'incremental') {
  plan.onProgress(`verify, ${scope}`);
  const startedAt = performance.now();
  const laws = await verifyLedger(servers.urlOf(LARGE), scope);
  const seconds = (performance.now() - startedAt) / 1000;
  tellMeasured(plan, { scope, seconds });
  return { laws, seconds };
}

/** One after another in each round, like the contenders of the core run. */
async function measureGrowth(
  servers: Servers,
  plan: ScalePlan,
  contenders: readonly Contender[],
): Promise<readonly GrowthPoint[]> {
  const measured = new Map<Contender, Measured[]>();
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const contender of contenders) {
      const events = Math.ceil(plan.sizes.packed / partsOf(contender));
      const one = await runOnce(servers, contender, { events, database: SCRATCH });
      plan.onProgress(
        `round ${round + 1} of ${plan.rounds}: ${contender.name}: ${Math.round(ratePerSecond(one) * partsOf(contender))}/s`,
      );
      measured.set(contender, [...(measured.get(contender) ?? []), one]);
    }
  }
  const points = contenders.map((contender) => {
    const ones = measured.get(contender) ?? [];
    const parts = partsOf(contender);
    const micros = ones.map(({ cpuMs, timedEvents }) => (cpuMs * 1000) / timedEvents / parts);
    return {
      name: contender.name,
      perSecond: spread(ones.map((one) => ratePerSecond(one) * parts)),
      cpuMicros: quantile(micros, 0.5),
    };
  });
  tellMeasured(plan, points);
  return points;
}

/** A run of an hour that does not reach its end leaves what it measured until then. */
function tellMeasured(plan: LedgerPlan, measured: object): void {
  plan.onProgress(`measured ${JSON.stringify(measured)}`);
}

/** Entries that an event of it makes. */
function partsOf({ input }: Contender): number {
  return input !== 'rows' && input.batched === 100 ? input.members : 1;
}

/** One month alone in a ledger: what the core run closes and states. */
export async function measureOneMonth(servers: Servers, plan: LedgerPlan): Promise<LedgerReport> {
  await servers.copyDatabase(SOURCE, LARGE);
  await fillMonth(servers, plan, { month: MONTHS[0], entries: plan.entries });
  const report = await measureMonth(servers, plan, MONTHS[0]);
  await servers.dropDatabase(LARGE);
  return report;
}

async function measureLarge(
  servers: Servers,
  plan: ScalePlan,
): Promise<Pick<ScaleReport, 'alone' | 'among' | 'ledger'>> {
  await servers.copyDatabase(SOURCE, LARGE);
  const points: LedgerPoint[] = [];
  const entries = Math.round(plan.entries / MONTHS.length);
  await fillMonth(servers, plan, { month: MONTHS[0], entries });
  const alone = await measureMonth(servers, plan, MONTHS[0]);
  points.push(await measureAgainstEmpty(servers, plan));
  for (const month of MONTHS.slice(1)) {
    await fillMonth(servers, plan, { month, entries });
    points.push(await measureAgainstEmpty(servers, plan));
  }
  const among = await measureMonth(servers, plan, MONTHS[1]);
  return { alone, among, ledger: points };
}

/** The source's entries are there already, and are what is multiplied. */
function fillMonth(
  servers: Servers,
  plan: LedgerPlan,
  of: { readonly month: string; readonly entries: number },
): Promise<void> {
  return fillLedger(servers.urlOf(LARGE), {
    ...of,
    tenants: plan.tenants,
    onProgress: (what) => plan.onProgress(`${of.month}: ${what}`),
  });
}

async function measureMonth(
  servers: Servers,
  plan: LedgerPlan,
  month: string,
): Promise<LedgerReport> {
  plan.onProgress(`close of ${month}, statements, stories`);
  const { endpoint } = servers;
  const databaseUrl = servers.urlOf(LARGE);
  const job = { events: 0, databaseUrl, sourceUrl: '', endpoint, queueUrl: '' };
  const report = await runChild<LedgerReport>({
    kind: 'ledger',
    job: { ...job, month, samples: plan.samples },
  });
  tellMeasured(plan, report);
  return report;
}

/** The same new events, each round, into an empty ledger and into the large one. */
async function measureAgainstEmpty(servers: Servers, plan: ScalePlan): Promise<LedgerPoint> {
  const entries = await servers.countEntries(LARGE);
  const large: number[] = [];
  const empty: number[] = [];
  for (let round = 0; round < plan.rounds; round += 1) {
    const entriesBefore = await servers.countEntries(LARGE);
    const same = { events: plan.sizes.packed, seed: entriesBefore };
    const alone = await runOnce(servers, randomIds, { ...same, database: SCRATCH });
    const among = await runOn(servers, randomIds, { ...same, database: LARGE, entriesBefore });
    empty.push(ratePerSecond(alone));
    large.push(ratePerSecond(among));
    plan.onProgress(
      `round ${round + 1} of ${plan.rounds}: random ids, ${Math.round(large.at(-1) ?? 0)}/s among ${entriesBefore} entries, ${Math.round(empty.at(-1) ?? 0)}/s alone`,
    );
  }
  const point = { entries, perSecond: spread(large), ofEmpty: spread(quotients(large, empty)) };
  tellMeasured(plan, point);
  return point;
}
