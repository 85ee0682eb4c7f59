import { expect, it } from 'vitest';
import { parseInstant, pause } from '../../src/clock.ts';
import { KeptAnswers } from '../../src/reports/kept-answers.ts';

const START = parseInstant('2026-11-18T10:00:00Z');

/** Answers with their number, each of which takes so long by the clock that the test moves on. */
function counting(tookMs: number) {
  let now = START;
  let made = 0;
  const kept = new KeptAnswers(() => now);
  return {
    kept,
    ask: () =>
      kept.ask(['figures'], async () => {
        now += tookMs;
        made += 1;
        return made;
      }),
    wait: (ms: number) => {
      now += ms;
    },
  };
}

it('an answer that takes no time is made anew for every page', async () => {
  const { ask } = counting(50);
  expect(await ask()).toEqual({ answer: 1, asOf: null });
  expect(await ask()).toEqual({ answer: 2, asOf: null });
});

it('a slow answer is shown again for ten times of what it took, with the instant that it is of', async () => {
  const { ask, wait } = counting(2_000);
  expect(await ask()).toEqual({ answer: 1, asOf: null });
  wait(17_999);
  expect(await ask()).toEqual({ answer: 1, asOf: '2026-11-18T10:00:00.000Z' });
  wait(1);
  expect(await ask()).toEqual({ answer: 2, asOf: null });
});

it('whoever acted sees what came of it', async () => {
  const { kept, ask } = counting(2_000);
  await ask();
  kept.outdate();
  expect((await ask()).answer).toBe(2);
});

it('while an answer is made again, pages show the last one, and ask for no second', async () => {
  const kept = new KeptAnswers(() => START);
  let made = 0;
  const slow = () =>
    kept.ask(['figures'], async () => {
      made += 1;
      if (made > 1) await pause(400);
      return made;
    });
  await slow();
  expect(await Promise.all([slow(), slow()])).toEqual([
    { answer: 1, asOf: '2026-11-18T10:00:00.000Z' },
    { answer: 1, asOf: '2026-11-18T10:00:00.000Z' },
  ]);
  expect(made).toBe(2);
});

it('what could not be answered is thrown, and asked for again', async () => {
  const kept = new KeptAnswers(() => START);
  await expect(kept.ask(['figures'], () => Promise.reject(new Error('gone')))).rejects.toThrow(
    'gone',
  );
  expect(await kept.ask(['figures'], async () => 'there')).toEqual({ answer: 'there', asOf: null });
});
