import type { ActorOptions } from './actor.ts';
import type { Bridge } from './bridge.ts';
import { later } from './own-postgres.ts';
import { within } from './watch.ts';

/** Starts a worker, a server with a queue and one without, and lets them work for a moment under the load. */
export async function startUnderLoad(
  bridge: Bridge,
  options: {
    /** What all three are started with. */
    readonly all?: ActorOptions;
    /** What the server with a queue is started with instead. */
    readonly queued?: ActorOptions;
  } = {},
): Promise<void> {
  const { all = {}, queued: own = all } = options;
  bridge.start('worker', ['worker', '--json', '--health-port', '0'], all);
  const queued = bridge.start('serve', ['serve', '--port', '0', '--json'], own);
  const direct = bridge.start('direct', ['serve', '--direct', '--port', '0', '--json'], all);
  await within(30_000, () => queued.url !== null && direct.url !== null);
  bridge.load.start([queued, direct]);
  await later(5_000);
}
