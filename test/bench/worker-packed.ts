import { CLEAN } from './bench-events.ts';
import { measureWorker } from './bench-worker.ts';
import type { Contender } from './contender.ts';

export const workerPacked: Contender = {
  name: 'worker, packed messages',
  includes:
    'SQS message to committed entry and deleted message: receive, decode, validate, digest, rate, probe for repeats, COPY, commit, delete; rollups folded and batches sealed beside it. Messages of 64 KiB.',
  input: CLEAN,
  writesEntries: true,
  size: 'packed',
  processes: 1,
  run: measureWorker,
};
