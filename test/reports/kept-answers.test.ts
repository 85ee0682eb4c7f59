import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseInstant, pause } from '../../src/clock.ts';
import { openLog } from '../../src/log.ts';
import { KeptAnswers } from '../../src/reports/kept-answers.ts';
import { count, createDatabase, type TestDatabase } from '../support/database.ts';

const START = parseInstant('2026-11-18T10:00:00Z');

let database: TestDatabase;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ database, drop } = await createDatabase());
});
afterAll(() => drop());

const keptBy = (clock = () => START) =>
  new KeptAnswers({ database, clock, log: openLog('silent') });

/** Answers with their number, each of which takes so long by the clock that the test moves on. */
function counting(tookMs: number, question = expect.getState().currentTestName) {
  let now = START;
  let made = 0;
  let kept = keptBy(() => now);
  return {
    kept,
    restart: () => {
      kept = keptBy(() => now);
      return kept;
    },
    ask: () =>
      kept.ask([question], async () => {
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
  const kept = keptBy();
  let made = 0;
  const slow = () =>
    kept.ask(['made again'], async () => {
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
  const kept = keptBy();
  await expect(kept.ask(['figures'], () => Promise.reject(new Error('gone')))).rejects.toThrow(
    'gone',
  );
  expect(await kept.ask(['figures'], async () => 'there')).toEqual({ answer: 'there', asOf: null });
});

it('a server that begins anew shows the answer of the one before, and has the next one made', async () => {
  const { ask, restart, wait } = counting(2_000);
  await ask();
  await expect.poll(() => count(database, "kept_answers where question ~ 'begins anew'")).toBe(1);
  restart();
  wait(17_999);
  expect(await ask()).toEqual({ answer: 1, asOf: '2026-11-18T10:00:00.000Z' });
  wait(1);
  expect(await ask()).toEqual({ answer: 2, asOf: null });
});

it('what another version of the program kept is not shown, since it may have another shape', async () => {
  const { ask } = counting(2_000);
  await ask();
  await expect
    .poll(() => count(database, "kept_answers where question ~ 'another version'"))
    .toBe(1);
  const parts = { database, clock: () => START, log: openLog('silent') };
  const newer = new KeptAnswers(parts, '99.0.0');
  const question = expect.getState().currentTestName;
  const make = async () => ({ shape: 'new' });
  expect(await newer.ask([question], make)).toEqual({ answer: { shape: 'new' }, asOf: null });
});

it('what a server before kept is not shown to whoever acted here since', async () => {
  const { ask, restart } = counting(2_000);
  await ask();
  await expect.poll(() => count(database, "kept_answers where question ~ 'acted here'")).toBe(1);
  restart().outdate();
  expect((await ask()).answer).toBe(2);
});
