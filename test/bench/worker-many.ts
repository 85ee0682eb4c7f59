import { CLEAN } from './bench-events.ts';
import { measureWorker } from './bench-worker.ts';
import type { Contender } from './contender.ts';

export const twoWorkers = manyWorkers(2);

/** For the question how throughput grows with processes; beyond the cores it cannot. */
export const MANY_WORKERS: readonly Contender[] = [1, 2, 4, 8].map(manyWorkers);

function manyWorkers(processes: number): Contender {
  return {
    name: processes === 1 ? 'one worker process' : `${processes} worker processes`,
    includes: `The same messages for ${processes} processes at once, from the first receive of any to the last delete of any. All have loaded their code before the first begins.`,
    input: CLEAN,
    writesEntries: true,
    size: 'packed',
    processes,
    run: measureWorker,
  };
}
