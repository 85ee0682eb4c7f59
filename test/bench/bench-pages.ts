import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock, utcDay } from '../../src/clock.ts';
import { closeDatabase, type Database, openDatabase } from '../../src/database/database.ts';
import { makeRoles } from '../../src/database/roles.ts';
import { createKey } from '../../src/keys/create-key.ts';
import type { KeyRole } from '../../src/keys/key-answer.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { eventMaker, refuseUnposted, startServe } from './bench-api.ts';
import { makeSource, type Plan, SOURCE } from './bench-rounds.ts';
import type { Servers } from './bench-servers.ts';
import { describeMachine, renderTable, whole } from './bench-table.ts';
import { fillLedger } from './fill-ledger.ts';
import { askAtRate } from './http-load.ts';
import type { Machine } from './report.ts';
import { type Latency, latencyOf } from './spread.ts';

export interface PagesPlan extends Plan {
  readonly runs: number;
  readonly tenants: number;
  /** Requests of each page that count; the first of each is told apart. */
  readonly samples: number;
  /** Events a second that come in meanwhile. */
  readonly perSecond: number;
}

interface PageMeasured {
  readonly name: string;
  /** The very first request, in milliseconds. */
  readonly first: number;
  readonly latency: Latency;
  /** The largest page, in bytes. */
  readonly bytes: number;
}

export interface PagesReport {
  readonly machine: Machine;
  readonly runs: number;
  readonly tenants: number;
  readonly entries: number;
  readonly perSecond: number;
  readonly pages: readonly PageMeasured[];
}

const LEDGER = 'bench_pages';
const CALLS_A_RUN = 2;
/** What of the runs falls into the month that is closed. */
const CLOSED_SHARE = 7;
const PACK = 10;
/** No page may take longer than that, at the p99. */
export const PAGE_LIMIT_MS = 300;

/** Measures every page of the console and the customer's page on a large ledger, while events come in. */
export async function measurePages(
  servers: Servers,
  plan: PagesPlan,
): Promise<Omit<PagesReport, 'machine'>> {
  await makeSource(servers, plan);
  await servers.copyDatabase(SOURCE, LEDGER);
  const url = servers.urlOf(LEDGER);
  await makeLedger(url, plan);
  await servers.checkpoint();
  const report = await measureServed(url, plan);
  await refuseUnposted(url);
  await servers.dropDatabase(LEDGER);
  return report;
}

/** A month that is closed, and the month under way. */
async function makeLedger(url: string, plan: PagesPlan): Promise<void> {
  const { runs, tenants, onProgress } = plan;
  const { running, ended } = months();
  const closed = Math.round((runs * CALLS_A_RUN) / CLOSED_SHARE);
  const fill = { tenants, callsARun: CALLS_A_RUN, onProgress };
  await fillLedger(url, { ...fill, entries: closed, month: ended });
  onProgress(`close of ${ended}`);
  const database = openDatabase({ url, connections: 4, onConnectionLost() {} });
  await closePeriods({ database, clock: systemClock }, { month: ended, tenant_id: null });
  await fillLedger(url, { ...fill, entries: runs * CALLS_A_RUN - closed, month: running });
  await closeDatabase(database);
}

function months(): { readonly running: string; readonly ended: string } {
  const running = utcDay(systemClock()).slice(0, 7);
  const [year = 0, month = 0] = running.split('-').map(Number);
  const before = new Date(Date.UTC(year, month - 2, 1)).toISOString();
  return { running, ended: before.slice(0, 7) };
}

/** Serves the ledger by a process of its own, and asks each page in turn for things at random. */
export async function measureServed(
  url: string,
  plan: PagesPlan,
): Promise<Omit<PagesReport, 'machine'>> {
  const { runs, tenants, perSecond, onProgress } = plan;
  const database = openDatabase({ url, connections: 1, onConnectionLost() {} });
  await makeRoles(database);
  const sample = await sampleOf(database, plan.samples + 1);
  const entries = await countOf(database);
  const keys = { admin: await keyOf(database, 'admin'), ingest: await keyOf(database, 'ingest') };
  const links = await Promise.all(
    sample.slice(0, 8).map(({ tenant }) => keyOf(database, 'link', tenant)),
  );
  await closeDatabase(database);
  const served = await startServe(url);
  const stop = new AbortController();
  const make = eventMaker();
  const sending = {
    ...{ url: `${served.url}/v1/events`, key: keys.ingest },
    body: () => JSON.stringify(make(PACK)),
  };
  const beside = askAtRate(sending, perSecond / PACK, stop.signal);
  try {
    const cookie = await signIn(served.url, keys.admin);
    const pages: PageMeasured[] = [];
    for (const [name, pathOf] of pagesOf(sample, links)) {
      const measured = await measurePage(plan.samples, (nth) =>
        timed(`${served.url}${pathOf(nth)}`, cookie),
      );
      pages.push({ name, ...measured });
      onProgress(`${name}: ${JSON.stringify(measured)}`);
    }
    return { runs, tenants, entries, perSecond, pages };
  } finally {
    stop.abort();
    await beside;
    served.child.kill('SIGTERM');
  }
}

interface Sampled {
  readonly tenant: string;
  readonly run: string;
  readonly entry: string;
  readonly source: string;
  readonly event: string;
}

/** Calls from all over the ledger, each with what there is to look at around it. */
async function sampleOf(database: Database, most: number): Promise<readonly Sampled[]> {
  const { rows } = await database.pool.query<Sampled>(
    `select e.* from (
       select batch_id * 1000000 as first_id from batches where entries > 0 order by random() limit $1
     ) b cross join lateral (
       select tenant_id as tenant, agent_run_id as run, 'ent_' || entry_id as entry, source, event_id as event
       from entries where entry_id >= b.first_id order by entry_id limit 1 offset $2
     ) e`,
    [most, randomInt(200)],
  );
  return rows;
}

async function countOf(database: Database): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(
    'select sum(entries)::int as count from batches',
  );
  return rows[0]?.count ?? 0;
}

async function keyOf(database: Database, role: KeyRole, tenant?: string): Promise<string> {
  const unscoped = { source: null, tenant_ids: null, rate: null, expires_at: null };
  const { key } = await createKey(
    { database, clock: systemClock },
    {
      ...{ role, name: `the benchmark, ${role}`, tenant_id: tenant ?? null, ...unscoped },
      ...{ expires_in_days: role === 'link' ? 1 : null, actor: 'the benchmark' },
    },
  );
  return key;
}

type PathOf = (nth: number) => string;

/** Every page by its name, and where it is for the n-th thing at random. */
function pagesOf(
  sample: readonly Sampled[],
  links: readonly string[],
): readonly (readonly [string, PathOf])[] {
  const { ended } = months();
  const of = (path: (sampled: Sampled) => string): PathOf => {
    return (nth) => path(sample[nth % sample.length] ?? EMPTY);
  };
  const at = (path: string): PathOf => {
    return () => path;
  };
  return [
    ['overview', at('/console')],
    ['overview of the month before', at(`/console?month=${ended}`)],
    ['tenants', at('/console/tenants')],
    ['tenants, by name', at('/console/tenants?sort=tenant&q=tenant-0001')],
    ['a tenant', of(({ tenant }) => `/console/tenants/${tenant}`)],
    ['a tenant by user', of(({ tenant }) => `/console/tenants/${tenant}?by=user`)],
    ['a tenant by run', of(({ tenant }) => `/console/tenants/${tenant}?by=agent_run`)],
    ['runs', at('/console/runs')],
    ['runs by cost', at('/console/runs?order=cost')],
    ['runs by feature', at('/console/runs?by=feature')],
    ['runs of a tenant', of(({ tenant }) => `/console/runs?tenant=${tenant}`)],
    ['a run', of(({ run }) => `/console/runs/${run}`)],
    ['an entry', of(({ entry }) => `/console/entries/${entry}`)],
    ['an event', of(({ source, event }) => `/console/events/${source}/${event}`)],
    ['lines of a statement', of(({ tenant }) => `/console/statements/${tenant}/${ended}`)],
    ['a line', of(({ tenant }) => `/console/statements/${tenant}/${ended}/lines/1`)],
    ['the month', at('/console/month')],
    ['prices', at('/console/prices')],
    ['quarantine', at('/console/quarantine')],
    ['alerts', at('/console/alerts')],
    ['acts', at('/console/acts')],
    ["a customer's page", (nth) => `/usage/${links[nth % links.length]}`],
    ["a customer's page by user", (nth) => `/usage/${links[nth % links.length]}?by=user`],
  ];
}

const EMPTY: Sampled = { tenant: '', run: '', entry: '', source: '', event: '' };

/** Between two pages that are looked at. */
const PAUSE_MS = 20;

async function measurePage(
  samples: number,
  ask: (nth: number) => Promise<Answered>,
): Promise<Omit<PageMeasured, 'name'>> {
  const first = await firstOf(() => ask(0));
  const asked = [];
  for (let nth = 1; nth <= samples; nth += 1) {
    const answered = await ask(nth);
    if (answered.status === 503) throw new Error('a page that was there is gone again');
    asked.push(answered);
    await pause(PAUSE_MS);
  }
  const latency = latencyOf(asked.map(({ millis }) => millis));
  const bytes = Math.max(first.bytes, ...asked.map((of) => of.bytes));
  return { first: first.millis, latency, bytes };
}

interface Answered {
  readonly status: number;
  readonly millis: number;
  readonly bytes: number;
}

/** What sums the whole ledger for the first time is said to be under way, and asked for again, as a person would. */
async function firstOf(ask: () => Promise<Answered>): Promise<Answered> {
  const begun = performance.now();
  for (;;) {
    const answered = await ask();
    if (answered.status !== 503) return { ...answered, millis: performance.now() - begun };
    await pause(ASKED_AGAIN_MS);
  }
}

const ASKED_AGAIN_MS = 500;

async function signIn(url: string, key: string): Promise<string> {
  const body = new URLSearchParams({ key });
  const answer = await fetch(`${url}/console/sign-in`, {
    method: 'POST',
    body,
    redirect: 'manual',
  });
  const cookie = answer.headers.get('set-cookie')?.split(';')[0];
  if (cookie === undefined) throw new Error(`nobody was let in: ${answer.status}`);
  return cookie;
}

async function timed(url: string, cookie: string): Promise<Answered> {
  const begun = performance.now();
  const answer = await fetch(url, { headers: { cookie }, redirect: 'manual' });
  const { length: bytes } = await answer.text();
  // A tenant without a line in its statement has a page that says so.
  const { status } = answer;
  if (![200, 404, 409, 503].includes(status)) throw new Error(`${url} answered ${status}`);
  return { status, millis: performance.now() - begun, bytes };
}

/** Renders the table of the pages, the slowest first. */
export function renderPages(report: PagesReport): string {
  const { machine, entries, runs, tenants, perSecond, pages } = report;
  const ms = (of: number) => `${of.toFixed(0)} ms`;
  return [
    `${whole(runs)} runs, ${whole(entries)} entries of ${whole(tenants)} tenants, while ${whole(perSecond)} events/s come in; ${describeMachine(machine)}`,
    renderTable(
      ['page', 'first', 'p50', 'p99', 'kB', `p99 within ${PAGE_LIMIT_MS} ms`],
      pages
        .toSorted((a, b) => b.latency.p99 - a.latency.p99)
        .map(({ name, first, latency, bytes }) => [
          ...[name, ms(first), ms(latency.p50), ms(latency.p99), (bytes / 1000).toFixed(0)],
          latency.p99 <= PAGE_LIMIT_MS ? 'yes' : 'NO',
        ]),
    ),
  ].join('\n\n');
}
