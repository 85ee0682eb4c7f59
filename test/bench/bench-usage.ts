import { once } from 'node:events';
import { systemClock } from '../../src/clock.ts';
import { closeDatabase, type Database, openDatabase } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { makeRoles } from '../../src/database/roles.ts';
import { createKey } from '../../src/keys/create-key.ts';
import type { KeyRole } from '../../src/keys/key-answer.ts';
import { eventMaker, refuseUnposted, startServe } from './bench-api.ts';
import { makeSource, type Plan, SOURCE } from './bench-rounds.ts';
import type { Servers } from './bench-servers.ts';
import { describeMachine, renderTable, whole } from './bench-table.ts';
import { findHalfLoad, type HalfLoad, measureBeside } from './half-load.ts';
import { type Asking, askInLoops } from './http-load.ts';
import { multiplyLedger } from './multiply-ledger.ts';
import type { Machine } from './report.ts';
import { type Latency, latencyOf } from './spread.ts';

export interface UsagePlan extends Plan {
  readonly entries: number;
  readonly tenants: number;
  /** Of each question, once quiet and once beside ingest. */
  readonly seconds: number;
  /** Whether the ledger is left where it is, for the next run. */
  readonly stays: boolean;
}

interface QuestionMeasured {
  readonly name: string;
  readonly groups: number;
  readonly quiet: Latency;
  /** It is null of what sums rows of all tenants, which nobody asks again and again. */
  readonly beside: Latency | null;
}

export interface UsageReport extends HalfLoad {
  readonly machine: Machine;
  readonly entries: number;
  readonly tenants: number;
  readonly days: number;
  readonly gibibytes: number;
  readonly connections: number;
  /** Rows of each rollup, by its name. */
  readonly rows: Readonly<Record<string, number>>;
  readonly questions: readonly QuestionMeasured[];
}

/** The entries fall into all of their days alike. */
const MONTHS = ['2025-11', '2025-12'] as const;
const DAYS_A_MONTH = 31;
const CONNECTIONS = 2;
const PACK = 100;

/** Asks a server for usage over a large ledger: for everybody and for one tenant, quiet and while events come in. */
export async function measureUsage(
  servers: Servers,
  plan: UsagePlan,
): Promise<Omit<UsageReport, 'machine'>> {
  const ledger = `bench_usage_${plan.entries}`;
  const url = servers.urlOf(ledger);
  await fillOnce(servers, ledger, plan);
  const database = openDatabase({ url, connections: 1, onConnectionLost() {} });
  await migrate(database);
  await makeRoles(database);
  const told = await describeLedger(database);
  const keys = await makeKeys(database, told.tenant);
  await closeDatabase(database);
  await servers.checkpoint();
  const gibibytes = (await servers.sizeOf(ledger)) / 2 ** 30;
  const served = await startServe(url);
  try {
    const measured = await measureServed(plan, { url: served.url, keys });
    await refuseUnposted(url);
    const { tenant: _, ...of } = told;
    return { ...of, tenants: plan.tenants, gibibytes, connections: CONNECTIONS, ...measured };
  } finally {
    served.child.kill('SIGTERM');
    await once(served.child, 'exit');
    if (!plan.stays) await servers.dropDatabase(ledger);
  }
}

/** A ledger that a run before has filled is taken as it is; one whose filling was broken off is filled anew. */
async function fillOnce(servers: Servers, ledger: string, plan: UsagePlan): Promise<void> {
  if (await servers.hasDatabase(ledger)) return;
  const { entries, tenants, onProgress } = plan;
  const filling = `${ledger}_filling`;
  const days = DAYS_A_MONTH * MONTHS.length;
  const packed = Math.min(plan.sizes.packed, Math.ceil(entries / days));
  await makeSource(servers, { ...plan, sizes: { ...plan.sizes, packed } });
  await servers.copyDatabase(SOURCE, filling);
  const to = { entries, tenants, months: MONTHS, sealed: false, onProgress };
  await multiplyLedger(servers.urlOf(filling), to);
  await servers.renameDatabase(filling, ledger);
}

async function describeLedger(database: Database) {
  const { rows } = await database.pool.query<{
    entries: number;
    days: number;
    tenant: string;
    ledger_rollups: number;
    usage_rollups: number;
    run_usage: number;
  }>(
    `select (select sum(entries)::int from batches) as entries,
      (select count(distinct day)::int from ledger_rollups) as days,
      (select tenant_id from usage_rollups order by entries desc limit 1) as tenant,
      (select count(*)::int from ledger_rollups) as ledger_rollups,
      (select count(*)::int from usage_rollups) as usage_rollups, (select count(*)::int from run_usage) as run_usage`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('a query without a table has one row');
  const { entries, days, tenant, ...rollups } = row;
  return { entries, days, tenant, rows: rollups };
}

type Keys = Readonly<Record<'reader' | 'tenant' | 'ingest', string>>;

async function makeKeys(database: Database, tenant: string): Promise<Keys> {
  const make = async (role: KeyRole, tenantId: string | null) => {
    const unscoped = { name: null, source: null, tenant_ids: null, rate: null };
    const endless = { expires_at: null, expires_in_days: null };
    const request = { role, tenant_id: tenantId, ...unscoped, ...endless, actor: 'the benchmark' };
    return (await createKey({ database, clock: systemClock }, request)).key;
  };
  return {
    reader: await make('reader', null),
    tenant: await make('tenant', tenant),
    ingest: await make('ingest', null),
  };
}

/** What is promised of usage by day and model, at the p99 beside ingest. */
const LIMIT_MS = 100;

const BY_DAY_AND_MODEL = 'by=day,requested_model';
const QUESTIONS = [
  { name: 'by day and model', by: BY_DAY_AND_MODEL, key: 'reader' },
  {
    name: 'by day and model, a month',
    by: `${BY_DAY_AND_MODEL}&month=${MONTHS[1]}`,
    key: 'reader',
  },
  { name: "by day and model, with a tenant's key", by: BY_DAY_AND_MODEL, key: 'tenant' },
  { name: 'by feature', by: 'by=feature', key: 'reader' },
] as const;

/** These sum a row of each tenant, and so take seconds. */
const OVER_TENANTS = [
  { name: 'by prompt version', by: 'by=prompt_version', key: 'reader' },
  { name: 'by tenant', by: 'by=tenant', key: 'reader' },
  { name: 'by user', by: 'by=user', key: 'reader' },
] as const;

async function measureServed(
  { seconds, onProgress }: UsagePlan,
  { url, keys }: { readonly url: string; readonly keys: Keys },
): Promise<HalfLoad & { readonly questions: readonly QuestionMeasured[] }> {
  const asking = ({ by, key }: (typeof QUESTIONS | typeof OVER_TENANTS)[number]): Asking => ({
    ...{ url: `${url}/v1/usage?${by}`, key: keys[key], body: null },
  });
  const measure = async (of: (typeof QUESTIONS | typeof OVER_TENANTS)[number], when: string) => {
    const latency = await measureOne(asking(of), seconds);
    onProgress(`${of.name}, ${when}: ${JSON.stringify(latency)}`);
    return latency;
  };
  const questions: QuestionMeasured[] = [];
  for (const of of QUESTIONS) {
    const { name } = of;
    const groups = await countGroups(asking(of));
    questions.push({ name, groups, quiet: await measure(of, 'quiet'), beside: null });
  }
  const make = eventMaker();
  const sending: Asking = {
    ...{ url: `${url}/v1/events`, key: keys.ingest },
    body: () => JSON.stringify(make(PACK)),
  };
  onProgress('full load, packs of a hundred');
  const load = await findHalfLoad(sending, { pack: PACK, seconds });
  await measureBeside(sending, load.halfLoad / PACK, async () => {
    for (const [index, of] of QUESTIONS.entries()) {
      const found = questions[index];
      if (found === undefined) throw new Error(`${of.name} was not asked before`);
      questions[index] = { ...found, beside: await measure(of, 'at half load') };
    }
  });
  for (const of of OVER_TENANTS) {
    const groups = await countGroups(asking(of));
    questions.push({ name: of.name, groups, quiet: await measure(of, 'quiet'), beside: null });
  }
  return { ...load, questions };
}

/** The first second only warms up. */
async function measureOne(asking: Asking, seconds: number): Promise<Latency> {
  await askInLoops(asking, { connections: CONNECTIONS, seconds: 1 });
  return latencyOf(await askInLoops(asking, { connections: CONNECTIONS, seconds }));
}

async function countGroups({ url, key }: Asking): Promise<number> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
  const { rows } = (await answer.json()) as { readonly rows: readonly unknown[] };
  return rows.length;
}

/** Renders the table of the questions. */
export function renderUsage(report: UsageReport): string {
  const { machine, entries, tenants, days, gibibytes, rows } = report;
  const { connections, fullLoad, halfLoad, questions } = report;
  const rollups = Object.entries(rows).map(([name, count]) => `${whole(count)} in \`${name}\``);
  return [
    `${whole(entries)} entries of ${whole(tenants)} tenants and ${days} days, ${gibibytes.toFixed(1)} GiB, with rollup rows of ${rollups.join(', ')}; ${describeMachine(machine)}`,
    `\`serve --direct\` takes ${whole(fullLoad)} events/s in packs of ${PACK}. ${connections} connections ask as fast as they are answered, first while nothing comes in, then beside half of that, ${whole(halfLoad)} events/s:`,
    renderTable(
      [
        ...['`GET /v1/usage`', 'groups', 'quiet p50', 'p99', 'at half load p50', 'p99', 'samples'],
        `p99 within ${LIMIT_MS} ms`,
      ],
      questions.map(({ name, groups, quiet, beside }) => [
        ...[name, whole(groups)],
        ...[quiet.p50, quiet.p99, beside?.p50, beside?.p99].map(inMs),
        whole((beside ?? quiet).samples),
        beside === null ? '' : beside.p99 <= LIMIT_MS ? 'yes' : 'NO',
      ]),
    ),
  ].join('\n\n');
}

function inMs(ms: number | undefined): string {
  return ms === undefined ? '' : `${ms.toFixed(1)} ms`;
}
