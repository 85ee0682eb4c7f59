import { CLEAN } from './bench-events.ts';
import { measureWorker } from './bench-worker.ts';
import type { Contender } from './contender.ts';

export const workerSingle: Contender = {
  name: 'worker, one event a message',
  includes: 'The same worker and the same work; one event in each message.',
  input: { ...CLEAN, shape: 'single' },
  writesEntries: true,
  size: 'single',
  processes: 1,
  run: measureWorker,
};
