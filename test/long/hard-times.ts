import { parseArgs } from 'node:util';
import { clockThatJumps } from './hard-times/clock.ts';
import { diskFull } from './hard-times/disk.ts';
import { memoryShort } from './hard-times/memory.ts';
import { networkThatDropsHalf } from './hard-times/network.ts';
import { slowDisk } from './hard-times/slow.ts';

/**
 * Troubles of machines, made for real processes under load and taken away again: a worker, a server with a queue
 * and one without, Postgres, SQS and Stripe, with lines between them. Meanwhile the worker stops receiving, says
 * why and at its door too, and its memory stays bounded; afterwards everything goes on by itself, each accepted
 * event is in the ledger once, every law holds, and there are no dead letters.
 *
 *   node test/long/hard-times.ts [NAME…] [--seed 1]
 */
const TROUBLES = {
  disk: diskFull,
  memory: memoryShort,
  slow: slowDisk,
  clock: clockThatJumps,
  network: networkThatDropsHalf,
};

const { values, positionals } = parseArgs({
  options: { seed: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const wanted = Object.entries(TROUBLES).filter(
  ([name]) => positionals.length === 0 || positionals.includes(name),
);
if (wanted.length === 0) throw new Error(`the troubles are ${Object.keys(TROUBLES).join(', ')}`);
let faults = 0;
for (const [name, run] of wanted) {
  const began = performance.now();
  const found = await run(randomOf(Number(values.seed)));
  const seconds = Math.round((performance.now() - began) / 1000);
  for (const fault of found) console.log(`${name}: ${fault}`);
  console.log(`${name}: ${found.length} faults in ${seconds} s`);
  faults += found.length;
}
process.exitCode = faults === 0 ? 0 : 1;

function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
