import type { Job } from './contender.ts';
import { CONTENDERS } from './contenders.ts';
import { measureStages } from './stages.ts';

/** A child of the benchmark: runs what it is told, once, in a process of its own. */
process.once('message', (order: { readonly name: string; readonly job: Job }) => {
  run(order.name, order.job).then(
    (result) => {
      process.send?.(result);
      // What was sent is delivered before the channel closes.
      process.disconnect?.();
    },
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
});
// A benchmark that was ended must not leave children behind.
process.once('disconnect', () => process.exit());

async function run(name: string, job: Job): Promise<unknown> {
  if (name === 'stages') return measureStages(job);
  const contender = CONTENDERS.find((one) => one.name === name);
  if (contender === undefined) throw new Error(`no contender is called ${name}`);
  return contender.run(job);
}
