import type { Order } from './bench-child.ts';
import type { Contender } from './contender.ts';
import { CONTENDERS, SCALE_CONTENDERS } from './contenders.ts';
import { measureLedger } from './large-ledger.ts';
import { measureStages } from './stages.ts';
import { measureUnderLoad } from './under-load.ts';

/** A child of the benchmark: says that it has loaded its code, and then runs what it is told, once. */
process.once('message', (order: Order) => {
  run(order).then(
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
process.send?.('ready');

function run(order: Order): Promise<unknown> {
  switch (order.kind) {
    case 'stages':
      return measureStages(order.job);
    case 'under load':
      return measureUnderLoad(order.job);
    case 'ledger':
      return measureLedger(order.job);
    case 'contender':
      return contenderOf(order.name).run(order.job);
  }
}

function contenderOf(name: string): Contender {
  const contender = [...CONTENDERS, ...SCALE_CONTENDERS].find((one) => one.name === name);
  if (contender === undefined) throw new Error(`no contender is called ${name}`);
  return contender;
}
