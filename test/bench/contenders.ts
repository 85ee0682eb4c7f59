import type { Contender } from './contender.ts';
import { copyPlain } from './copy-plain.ts';
import { insertEach } from './insert-each.ts';
import { receiveDelete } from './receive-delete.ts';
import { usualWay } from './usual-way.ts';
import { GROWING } from './worker-growing.ts';
import { MANY_WORKERS, twoWorkers } from './worker-many.ts';
import { MIXED } from './worker-mixed.ts';
import { workerPacked } from './worker-packed.ts';
import { workerSingle } from './worker-single.ts';

/** In the order of the table. */
export const CONTENDERS: readonly Contender[] = [
  workerPacked,
  workerSingle,
  ...MIXED,
  twoWorkers,
  ...copyPlain,
  ...insertEach,
  usualWay,
  ...receiveDelete,
];

/** How the worker's cost grows with processes, tenants and members: `--scale` asks. */
export const SCALE_CONTENDERS: readonly Contender[] = [...MANY_WORKERS, ...GROWING];
