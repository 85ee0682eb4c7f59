import type { Actor } from './actor.ts';
import type { Bridge } from './bridge.ts';
import { later } from './own-postgres.ts';
import { deletedButNotPosted, type Seen, watch, within } from './watch.ts';

export interface Trouble {
  readonly name: string;
  readonly make: () => Promise<unknown> | unknown;
  readonly mend: () => Promise<unknown> | unknown;
  readonly lastsMs: number;
  /** What each process must say of it, by its name. */
  readonly says: Readonly<Record<string, RegExp>>;
  /** Whether the worker receives nothing at the end of it, and its door says so. */
  readonly stopsReceiving: boolean;
  /** The time in which everything goes on by itself. Default two minutes. */
  readonly goesOnWithinMs?: number;
}

/** Lines of a log in a minute at the most, beside those of requests that are refused. */
const LINES_A_MINUTE = 40;

/** Makes the trouble under load and mends it; answers what was wrong meanwhile. */
export async function goThrough(bridge: Bridge, trouble: Trouble): Promise<readonly string[]> {
  const { actors } = bridge;
  const from = new Map(actors.map((actor) => [actor, actor.said.length]));
  const watching = watch(bridge);
  await trouble.make();
  const began = performance.now();
  await later(trouble.lastsMs);
  const minutes = (performance.now() - began) / 60_000;
  const gone = await deletedButNotPosted(bridge).catch(() => []);
  const waiting = bridge.queued();
  await watching.stop();
  const loud = actors.flatMap((actor) => tooLoud(actor, from.get(actor) ?? 0, minutes));
  await trouble.mend();
  const mended = performance.now();
  const before = await postedNow(bridge);
  const isBack = await within(trouble.goesOnWithinMs ?? 120_000, async () => {
    return (await postedNow(bridge)) > before + 60;
  });
  const seconds = Math.round((performance.now() - mended) / 1000);
  const isReady = await within(90_000, async () => await isWorkerReady(bridge));
  tell(trouble, { seen: watching.seen, waiting, seconds, bridge });
  const silent = Object.entries(trouble.says).flatMap(([name, words]) => {
    const actor = actors.find((one) => one.name === name);
    const said = actor?.saidSince(from.get(actor) ?? 0) ?? [];
    if (said.some(({ text }) => words.test(text))) return [];
    return [
      `${name} did not say ${words}; it said ${said.map(({ text }) => text.slice(0, 300)).slice(-4)}`,
    ];
  });
  return [
    ...silent,
    ...loud,
    ...(isBack ? [] : [`nothing was posted again within ${seconds} s`]),
    ...(isReady ? [] : ['/readyz of the worker does not tell that it goes on']),
    ...(gone.length === 0 ? [] : [`${gone.length} events left the queue before they were posted`]),
    ...(trouble.stopsReceiving ? notStopped(watching.seen) : []),
  ].map((fault) => `${trouble.name}: ${fault}`);
}

async function isWorkerReady({ actors }: Bridge): Promise<boolean> {
  const url = actors.find(({ name }) => name === 'worker')?.url ?? null;
  return url === null || (await fetch(`${url}/readyz`)).status === 200;
}

/** Ten seconds, in which the load sends a hundred messages. */
const LAST_LOOKS = 20;

function notStopped(seen: Seen): readonly string[] {
  const last = seen.inFlight.slice(-LAST_LOOKS);
  const received = last.some((count, place) => count > (last[place - 1] ?? count));
  return [
    ...(received ? [`the worker went on receiving: ${last.join(', ')} were in flight`] : []),
    ...(seen.readiness.get('worker')?.has(503) === true
      ? []
      : ['/readyz of the worker did not tell']),
    ...(seen.waitingMetric ? [] : ['/metrics of the worker did not tell']),
    ...(seen.readiness.get('worker')?.has(0) !== true
      ? []
      : ['a door of the worker did not answer within 10 s']),
  ];
}

const OF_A_REQUEST: ReadonlySet<string> = new Set([
  'request refused',
  'the database does not answer',
]);

/** A request that is refused, or that asks for health, is a line each; what goes on by itself says each state once. */
function tooLoud(actor: Actor, from: number, minutes: number): readonly string[] {
  const lines = actor.saidSince(from).filter(({ msg }) => !OF_A_REQUEST.has(msg));
  if (lines.length <= LINES_A_MINUTE * Math.max(1, minutes)) return [];
  const counts = Map.groupBy(lines, ({ msg }) => msg);
  const most = [...counts].sort((a, b) => b[1].length - a[1].length).slice(0, 3);
  return [
    `${actor.name} wrote ${lines.length} lines: ${most.map(([msg, of]) => `${of.length} × ${msg}`)}`,
  ];
}

async function postedNow(bridge: Bridge): Promise<number> {
  const { rows } = await bridge.database.pool.query<{ n: number }>(
    'select count(*)::int as n from entries',
  );
  return rows[0]?.n ?? 0;
}

function tell(
  { name }: Trouble,
  of: {
    readonly seen: Seen;
    readonly waiting: { readonly ready: number; readonly inFlight: number };
    readonly seconds: number;
    readonly bridge: Bridge;
  },
): void {
  const { seen, waiting, seconds, bridge } = of;
  const memory = [...seen.mostMegabytes].map(([actor, most]) => `${actor} ${most} MB`).join(', ');
  const doors = [...seen.readiness]
    .map(([actor, all]) => `${actor} ${[...all].join('/')}`)
    .join(', ');
  const exits = bridge.actors.flatMap(({ name: actor, exits: all }) =>
    all.length === 0 ? [] : [`${actor} ended ${all.join(', ')}`],
  );
  const answers = [...bridge.load.answers].map(
    ([server, { byStatus }]) =>
      `${server} ${[...byStatus].map(([status, n]) => `${status}×${n}`).join(' ')}`,
  );
  console.log(
    `${name}: at its end ${waiting.ready} messages waited, ${waiting.inFlight} in flight (at most ${Math.max(...seen.inFlight)}); back after ${seconds} s; ${memory}; /readyz ${doors}; answers ${answers.join('; ')}${exits.length === 0 ? '' : `; ${exits.join('; ')}`}`,
  );
}
