import { randomFrom } from '../support/faulty-queue.ts';
import { isActor } from './virtual-time.ts';

/** What is drawn by our own code is drawn from the seed; the test runner, in the same process, draws from its own. */
let random: () => number = Math.random;
const realRandom = Math.random;

/** Draws everything from a seed until what it returns is called. */
export function drawFrom(seed: number): () => void {
  random = randomFrom(seed);
  const ofActors = randomFrom(seed + 1);
  Math.random = () => (isActor() ? ofActors() : realRandom());
  return () => {
    Math.random = realRandom;
    random = realRandom;
  };
}

/** Stands in the place of `randomBytes` of node:crypto. */
export function seededBytes(length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
}

/** Stands in the place of `randomUUID` of node:crypto. */
export function seededUuid(): string {
  const hex = seededBytes(16).toString('hex');
  const groups = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`];
  return [...groups, `8${hex.slice(17, 20)}`, hex.slice(20)].join('-');
}
