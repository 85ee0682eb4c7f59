import { Bridge } from './bridge.ts';
import { later } from './own-postgres.ts';
import { goThrough } from './trouble.ts';
import { startUnderLoad } from './under-load.ts';
import { judgeEnd } from './watch.ts';

/** A disk on which commits take seconds: Postgres stands still again and again, and once for longer than a message is kept from others. */
export async function slowDisk(random: () => number): Promise<readonly string[]> {
  const bridge = await Bridge.build({}, random);
  try {
    await startUnderLoad(bridge);
    return [
      ...(await slowCommits(bridge)),
      ...(await standsStill(bridge, 25_000)),
      ...(await standsStill(bridge, 70_000)),
      ...(await judgeEnd(bridge)),
      ...(await receivedTwice(bridge)),
    ];
  } finally {
    await bridge.close();
  }
}

function slowCommits(bridge: Bridge): Promise<readonly string[]> {
  let isOver = false;
  let slowing: Promise<void> = Promise.resolve();
  return goThrough(bridge, {
    name: 'commits take up to five seconds',
    make() {
      slowing = (async () => {
        for (let round = 1; !isOver; round += 1) {
          await bridge.postgres.freeze();
          await later(1_000 + (round % 5) * 1_000);
          await bridge.postgres.thaw();
          await later(300);
        }
      })();
    },
    async mend() {
      isOver = true;
      await slowing;
    },
    ...{ lastsMs: 60_000, says: {}, stopsReceiving: false },
  });
}

function standsStill(bridge: Bridge, lastsMs: number): Promise<readonly string[]> {
  return goThrough(bridge, {
    name: `Postgres stands still for ${lastsMs / 1000} s`,
    make: () => bridge.postgres.freeze(),
    mend: () => bridge.postgres.thaw(),
    ...{ lastsMs, stopsReceiving: lastsMs > 60_000 },
    says: lastsMs > 60_000 ? { worker: /answers neither an open connection nor a new one/ } : {},
  });
}

/** Messages that are kept invisible while they wait come once. */
async function receivedTwice({ database }: Bridge): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ received: number; duplicates: number }>(
    'select coalesce(sum(received), 0)::int as received, coalesce(sum(duplicates), 0)::int as duplicates from receipts',
  );
  const { received = 0, duplicates = 0 } = rows[0] ?? {};
  console.log(`${duplicates} of ${received} received events came again`);
  return duplicates * 10 <= received ? [] : [`${duplicates} of ${received} events came again`];
}
