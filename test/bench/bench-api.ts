import { type ChildProcess, fork, spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { createKey } from '../../src/keys/create-key.ts';
import type { KeyRole } from '../../src/keys/key-answer.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { CLEAN, PackStream } from './bench-events.ts';
import { makeSource, type Plan, SOURCE } from './bench-rounds.ts';
import type { Servers } from './bench-servers.ts';
import { describeMachine, renderTable, whole } from './bench-table.ts';
import { fillLedger } from './fill-ledger.ts';
import { findHalfLoad, type HalfLoad, measureBeside } from './half-load.ts';
import { type Asking, askInLoops } from './http-load.ts';
import type { Machine } from './report.ts';
import { type Latency, latencyOf } from './spread.ts';

export interface ApiPlan extends Plan {
  readonly entries: number;
  readonly tenants: number;
  /** Of each kind of request. */
  readonly seconds: number;
}

/** One kind of request while events come in at half of what the server takes. */
interface AskedKind {
  readonly name: string;
  readonly latency: Latency;
  readonly bare: Latency;
}

export interface ApiReport extends HalfLoad {
  readonly machine: Machine;
  readonly entries: number;
  readonly tenants: number;
  readonly connections: number;
  readonly kinds: readonly AskedKind[];
}

const LEDGER = 'bench_api';
const MONTH = '2026-10';
const PACK = 100;
const CONNECTIONS = 2;

/** `serve --direct` in a process of its own over a large ledger, beside a bare route of Hono's. */
export async function measureApi(
  servers: Servers,
  plan: ApiPlan,
): Promise<Omit<ApiReport, 'machine'>> {
  const { url, tenant } = await makeLedger(servers, plan);
  const keys = await makeKeys(url);
  const bare = await startBare();
  const served = await startServe(url);
  try {
    const places = { keys, tenant, served: served.url, bare: bare.url };
    const measured = await measureServed(plan, places);
    await refuseUnposted(url);
    return measured;
  } finally {
    served.child.kill('SIGTERM');
    bare.child.disconnect();
    await once(served.child, 'exit');
    await servers.dropDatabase(LEDGER);
  }
}

/** A month that is closed, and the tenant with most calls in it, whose statement is asked for. */
async function makeLedger(
  servers: Servers,
  plan: ApiPlan,
): Promise<{ readonly url: string; readonly tenant: string }> {
  const { entries, tenants, onProgress } = plan;
  await makeSource(servers, plan);
  await servers.copyDatabase(SOURCE, LEDGER);
  const url = servers.urlOf(LEDGER);
  await fillLedger(url, { entries, tenants, month: MONTH, onProgress });
  onProgress(`close of ${MONTH}`);
  const database = openDatabase({ url, connections: 4, onConnectionLost() {} });
  await closePeriods({ database, clock: systemClock }, { month: MONTH, tenant_id: null });
  const { rows } = await database.pool.query<{ tenant_id: string }>(
    "select tenant_id from closes where to_char(period_start, 'YYYY-MM') = $1 order by entries desc, 1 limit 1",
    [MONTH],
  );
  await database.pool.query('vacuum analyze');
  await closeDatabase(database);
  await servers.checkpoint();
  const [row] = rows;
  if (row === undefined) throw new Error(`no period of ${MONTH} was closed`);
  return { url, tenant: row.tenant_id };
}

type Keys = Readonly<Record<'reader' | 'ingest', string>>;

async function makeKeys(url: string): Promise<Keys> {
  const database = openDatabase({ url, connections: 1, onConnectionLost() {} });
  const make = async (role: KeyRole) => {
    const unscoped = { tenant_id: null, source: null, tenant_ids: null, rate: null };
    const endless = { expires_at: null, expires_in_days: null };
    const request = { role, name: null, ...unscoped, ...endless, actor: 'the benchmark' };
    return (await createKey({ database, clock: systemClock }, request)).key;
  };
  const keys = { reader: await make('reader'), ingest: await make('ingest') };
  await closeDatabase(database);
  return keys;
}

interface Started {
  readonly url: string;
  readonly child: ChildProcess;
}

async function startBare(): Promise<Started> {
  const child = fork(fileURLToPath(new URL('bare-server.ts', import.meta.url)));
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  return { url, child };
}

/** The server ends with us, however we end, a kill that nobody hears of apart. */
export async function startServe(databaseUrl: string): Promise<Started> {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, 'serve', '--direct', '--port', '0', '--json'], {
    env: { ...process.env, DATABASE_URL: databaseUrl, SPANLEDGER_LOG_LEVEL: 'error' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Whoever is ended by a signal exits before any `finally`.
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(line.toString('utf8')) as { readonly url: string };
  return { url, child };
}

interface Places {
  readonly keys: Keys;
  readonly tenant: string;
  readonly served: string;
  readonly bare: string;
}

async function measureServed(
  plan: ApiPlan,
  { keys, tenant, served, bare }: Places,
): Promise<Omit<ApiReport, 'machine'>> {
  const { entries, tenants, seconds, onProgress } = plan;
  const make = eventMaker();
  const reading = (path: string): Asking => ({ url: served + path, key: keys.reader, body: null });
  const sending = (events: number): Asking => ({
    ...{ url: `${served}/v1/events`, key: keys.ingest },
    body: () => JSON.stringify(events === 1 ? make(1)[0] : make(events)),
  });
  onProgress('full load, packs of a hundred');
  const { fullLoad, halfLoad } = await findHalfLoad(sending(PACK), { pack: PACK, seconds });
  const kinds = await measureBeside(sending(PACK), halfLoad / PACK, async () => {
    const measured: AskedKind[] = [];
    for (const [name, asking] of [
      [
        'usage of the month, by day and model',
        reading(`/v1/usage?by=day,requested_model&month=${MONTH}`),
      ],
      [
        'usage of a tenant, by feature',
        reading(`/v1/usage?by=feature&month=${MONTH}&tenant=${tenant}`),
      ],
      ['statement of a closed month', reading(`/v1/statements/${tenant}/${MONTH}`)],
      ['ingest of one event', sending(1)],
      [`ingest of a pack of ${PACK}`, sending(PACK)],
    ] as const) {
      onProgress(`${name}, at half load`);
      const { latency, bare: of } = await inTurn(asking, { ...asking, url: bare }, seconds);
      measured.push({ name, latency, bare: of });
    }
    return measured;
  });
  return { entries, tenants, connections: CONNECTIONS, fullLoad, halfLoad, kinds };
}

/** A second of the one and a second of the other: what else the machine does meets both alike. The first only warms up. */
async function inTurn(asking: Asking, bare: Asking, seconds: number) {
  const found = { latency: [] as number[], bare: [] as number[] };
  const turn = { connections: CONNECTIONS, seconds: 1 };
  for (let round = 0; round <= seconds; round += 1) {
    const asked = await askInLoops(asking, turn);
    const plain = await askInLoops(bare, turn);
    if (round === 0) continue;
    found.latency.push(...asked);
    found.bare.push(...plain);
  }
  return { latency: latencyOf(found.latency), bare: latencyOf(found.bare) };
}

/** Events of now under ids of their own: what repeats another call would be no entry, but a duplicate or a conflict. */
export function eventMaker(): (count: number) => readonly object[] {
  const stream = new PackStream(CLEAN);
  const patterns: readonly Pattern[] = Array.from(
    { length: 10 },
    () => JSON.parse(stream.next().body).events,
  ).flat();
  const first = randomInt(2 ** 31);
  let next = 0;
  return (count) =>
    Array.from({ length: count }, () => {
      next += 1;
      const pattern = patterns[next % patterns.length];
      if (pattern === undefined) throw new Error('a pack has events');
      const turn = (first + Math.floor(next / patterns.length)).toString(16).padStart(8, '0');
      return anew(pattern, turn);
    });
}

interface Pattern {
  readonly started_at: string;
  readonly response_id?: string;
  readonly agent_run_id: string;
  readonly trace_id: string;
}

/** Another call of now, with a response of its own; the calls of a run stay together in each turn. */
function anew({ started_at: _, ...pattern }: Pattern, turn: string): object {
  const id = randomUUID();
  return {
    ...pattern,
    ...(pattern.response_id === undefined ? {} : { response_id: `chatcmpl-${id}` }),
    event_id: id,
    span_id: id.replaceAll('-', '').slice(0, 16),
    agent_run_id: `${pattern.agent_run_id}-${turn}`,
    trace_id: turn + pattern.trace_id.slice(turn.length),
    occurred_at: new Date().toISOString(),
  };
}

/** Fails where what was sent is not in the ledger: the load would be another one than is told. */
export async function refuseUnposted(url: string): Promise<void> {
  const database = openDatabase({ url, connections: 1, onConnectionLost() {} });
  const { rows } = await database.pool.query<{ received: bigint; posted: bigint }>(
    'select coalesce(sum(received), 0)::bigint as received, coalesce(sum(posted), 0)::bigint as posted from receipts',
  );
  await closeDatabase(database);
  const [row] = rows;
  if (row === undefined || row.received !== row.posted) {
    throw new Error(`of ${row?.received} events ${row?.posted} were posted`);
  }
}

export function renderApi(report: ApiReport): string {
  const { machine, entries, tenants, connections, fullLoad, halfLoad, kinds } = report;
  const times = (of: number, bare: number) => (of / bare).toFixed(1);
  return [
    `${whole(entries)} entries of ${whole(tenants)} tenants; ${describeMachine(machine)}`,
    `\`serve --direct\` takes ${whole(fullLoad)} events/s in packs of ${PACK}. At half of that, ${whole(halfLoad)} events/s, ${connections} connections ask in turn:`,
    renderTable(
      ['request', 'p50', 'p99', 'bare route p50', 'p99', 'times bare, p50', 'p99'],
      kinds.map(({ name, latency, bare }) => [
        name,
        ...[latency.p50, latency.p99, bare.p50, bare.p99].map((ms) => `${ms.toFixed(2)} ms`),
        times(latency.p50, bare.p50),
        times(latency.p99, bare.p99),
      ]),
    ),
  ].join('\n\n');
}
