import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { TurnLater } from '../../src/client/turn-later.ts';

it('work is done in its order, after whoever put it off has gone on, and much of it in several turns', async () => {
  const done: number[] = [];
  const later = new TurnLater(() => expect.fail('nothing throws'));
  for (const nth of [1, 2, 3, 4]) later.add(() => void done.push(nth));
  expect(done).toEqual([]);
  await turn();
  expect(done).toEqual([1, 2, 3]);
  await turn();
  expect(done).toEqual([1, 2, 3, 4]);
});

it('whoever must know that it is done catches up, and what throws stops nothing after it', () => {
  const [done, faults]: [number[], unknown[]] = [[], []];
  const later = new TurnLater((error) => faults.push(error));
  later.add(() => {
    throw new Error('broken');
  });
  later.add(() => void done.push(2));
  later.catchUp();
  expect([done, faults.map(String)]).toEqual([[2], ['Error: broken']]);
});

it('of very much, the oldest is done at once', () => {
  const done: number[] = [];
  const later = new TurnLater(() => {});
  for (let nth = 0; nth < 1_002; nth += 1) later.add(() => void done.push(nth));
  expect(done).toEqual([0, 1]);
  later.catchUp();
});
