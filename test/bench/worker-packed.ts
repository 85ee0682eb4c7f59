import { measureWorker } from './bench-worker.ts';
import type { Contender } from './contender.ts';

export const workerPacked: Contender = {
  name: 'worker, packed messages',
  includes:
    'SQS message to committed entry and deleted message: receive, decode, validate, digest, rate, probe for repeats, COPY, commit, delete; rollups folded beside it. Messages of 64 KiB.',
  input: 'packed',
  writesEntries: true,
  size: 'packed',
  run: measureWorker,
};
