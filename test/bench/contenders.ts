import type { Contender } from './contender.ts';
import { copyPlain } from './copy-plain.ts';
import { insertEach } from './insert-each.ts';
import { receiveDelete } from './receive-delete.ts';
import { usualWay } from './usual-way.ts';
import { workerPacked } from './worker-packed.ts';
import { workerSingle } from './worker-single.ts';

/** In the order of the table. */
export const CONTENDERS: readonly Contender[] = [
  workerPacked,
  workerSingle,
  ...copyPlain,
  ...insertEach,
  usualWay,
  ...receiveDelete,
];
