import { brokenLaws } from '../../support/worker.ts';
import type { Actor } from './actor.ts';
import { type Bridge, residentKilobytes } from './bridge.ts';
import { later } from './own-postgres.ts';

/** What is seen of the bridge while it has a trouble. */
export interface Seen {
  /** Messages in flight, twice a second. */
  readonly inFlight: number[];
  readonly mostMegabytes: Map<string, number>;
  readonly readiness: Map<string, Set<number>>;
  waitingMetric: boolean;
}

/** Watches until it is stopped: memory, messages in flight, and what the doors say. */
export function watch(bridge: Bridge): { readonly seen: Seen; readonly stop: () => Promise<void> } {
  const seen: Seen = {
    ...{ inFlight: [], waitingMetric: false },
    ...{ mostMegabytes: new Map(), readiness: new Map() },
  };
  const stop = new AbortController();
  const counting = setInterval(() => seen.inFlight.push(bridge.queued().inFlight), 500);
  const watching = (async () => {
    while (!stop.signal.aborted) {
      await Promise.all(bridge.actors.map((actor) => look(actor, seen)));
      await later(500);
    }
  })();
  return {
    seen,
    async stop() {
      clearInterval(counting);
      stop.abort();
      await watching;
    },
  };
}

async function look(actor: Actor, seen: Seen): Promise<void> {
  const megabytes = Math.round((await residentKilobytes(actor.pid)) / 1024);
  const most = Math.max(seen.mostMegabytes.get(actor.name) ?? 0, megabytes);
  seen.mostMegabytes.set(actor.name, most);
  if (actor.url === null) return;
  const statuses = seen.readiness.get(actor.name) ?? new Set();
  seen.readiness.set(actor.name, statuses);
  const ask = async (path: string) => {
    const response = await fetch(`${actor.url}${path}`, { signal: AbortSignal.timeout(10_000) });
    return { status: response.status, text: await response.text() };
  };
  try {
    statuses.add((await ask('/readyz')).status);
    const metrics = await ask('/metrics');
    if (/^spanledger_worker_waiting 1$/m.test(metrics.text)) seen.waitingMetric = true;
  } catch {
    // One that ended, or is only starting, answers nothing; a door that hangs does not answer either.
    statuses.add(0);
  }
}

/** Events of messages that nobody has any more though the ledger has not all of them. */
export async function deletedButNotPosted(bridge: Bridge): Promise<readonly string[]> {
  const queued = bridge.stillQueued();
  const gone = [...bridge.load.messages].flatMap(([id, events]) => (queued.has(id) ? [] : events));
  const posted = await postedTimes(bridge);
  return gone.filter((id) => !posted.has(id));
}

async function postedTimes(bridge: Bridge): Promise<ReadonlyMap<string, number>> {
  const { rows } = await bridge.database.pool.query<{ event_id: string; times: number }>(
    `select event_id, count(*)::int as times from entries
     where kind = 'usage' and source not like '%batch%' group by event_id`,
  );
  return new Map(rows.map(({ event_id, times }) => [event_id, times]));
}

/** Ends the load, lets everything be worked off, and says what is wrong at the end. */
export async function judgeEnd(bridge: Bridge): Promise<readonly string[]> {
  await bridge.load.stopped();
  const isDone = await within(180_000, async () => {
    const { ready, inFlight } = bridge.queued();
    const left = ready + inFlight;
    return left === 0 && (await missing(bridge)).length === 0;
  });
  const posted = await postedTimes(bridge);
  const twice = [...posted].filter(([, times]) => times !== 1);
  const foreign = [...posted.keys()].filter((id) => !bridge.load.offered.has(id));
  const lost = await missing(bridge);
  const { dead, ready, inFlight } = bridge.queued();
  const { rows } = await bridge.database.pool.query<{ reason: string; detail: string }>(
    'select reason, detail from quarantine limit 3',
  );
  const laws = await brokenLaws(bridge.database);
  const verified = bridge.start('verify', ['verify', '--json'], { isKept: false });
  const code = await verified.exit();
  return [
    ...(isDone ? [] : [`${ready} messages wait and ${inFlight} are in flight after 180 s`]),
    ...(lost.length === 0 ? [] : [`${lost.length} accepted events are lost, such as ${lost[0]}`]),
    ...(twice.length === 0 ? [] : [`${twice.length} events are there twice`]),
    ...(foreign.length === 0 ? [] : [`${foreign.length} events were sent by nobody`]),
    ...(dead === 0 ? [] : [`${dead} messages are dead letters`]),
    ...rows.map(({ reason, detail }) => `in quarantine: ${reason} ${detail}`),
    ...laws.map(({ law, violations }) => `law ${law}: ${JSON.stringify(violations.slice(0, 2))}`),
    ...(code === 0 ? [] : [`verify ended with ${code}: ${verified.stdout.slice(0, 300)}`]),
    ...[...bridge.load.answers].flatMap(([name, { faults }]) =>
      [...new Set(faults)].slice(0, 3).map((fault) => `${name} answered ${fault}`),
    ),
  ];
}

async function missing(bridge: Bridge): Promise<readonly string[]> {
  const posted = await postedTimes(bridge);
  return [...bridge.load.accepted].filter((id) => !posted.has(id));
}

/** Looks each half second whether it has become so; false where it has not in time. */
export async function within(
  milliseconds: number,
  isSo: () => Promise<boolean> | boolean,
): Promise<boolean> {
  for (const until = performance.now() + milliseconds; performance.now() < until; ) {
    if (await Promise.resolve(isSo()).catch(() => false)) return true;
    await later(500);
  }
  return false;
}
