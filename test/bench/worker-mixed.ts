import { CLEAN, type Traffic } from './bench-events.ts';
import { measureWorker } from './bench-worker.ts';
import type { Contender } from './contender.ts';

/** Packed messages that are not all clean, as they are in life. */
export const duplicatesOne = mixed('1 % duplicates', {
  traffic: { duplicates: 1 },
  includes: 'One event in a hundred repeats an earlier one: it is found and counted, not posted.',
});

export const duplicatesTwenty = mixed('20 % duplicates', {
  traffic: { duplicates: 20 },
  includes: 'The same with one event in five, as after a redrive of a dead-letter queue.',
});

export const badOne = mixed('1 % bad events', {
  traffic: { bad: 1 },
  includes:
    'One event in a hundred claims a negative number of tokens: it is quarantined whole, with its reason.',
});

export const batchedFive = mixed('5 % batched requests', {
  traffic: { batched: 5 },
  includes:
    'One event in twenty is a batched request of four tenants, split over them pro rata: four entries.',
});

export const MIXED: readonly Contender[] = [duplicatesOne, duplicatesTwenty, badOne, batchedFive];

function mixed(
  name: string,
  of: { readonly traffic: Partial<Traffic>; readonly includes: string },
): Contender {
  return {
    name: `worker, packed, ${name}`,
    includes: `The same worker. ${of.includes} All events count, whatever became of them.`,
    input: { ...CLEAN, ...of.traffic },
    writesEntries: true,
    size: 'packed',
    processes: 1,
    run: measureWorker,
  };
}
