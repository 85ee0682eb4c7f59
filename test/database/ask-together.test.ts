import pg from 'pg';
import { expect, it } from 'vitest';
import { askTogether } from '../../src/database/ask-together.ts';
import { openDatabase } from '../../src/database/database.ts';

interface Call {
  readonly queue: string;
  readonly name: string;
}

/** Statements that end when they are told to, with a name for each call that is decided. */
function scene() {
  const database = openDatabase({
    url: 'postgres://nobody@127.0.0.1:1/nothing',
    ...{ connections: 1, onConnectionLost() {} },
  });
  const asked: (readonly string[])[] = [];
  const ends: ((answers: readonly (string | null)[] | Error) => void)[] = [];
  const ask = askTogether<Call, string>({
    queueOf: ({ queue }) => queue,
    askAll(_, calls) {
      asked.push(calls.map(({ name }) => name));
      return new Promise((resolve, reject) =>
        ends.push((found) => (found instanceof Error ? reject(found) : resolve(found))),
      );
    },
  });
  const call = (name: string) => ask(database, { queue: name.slice(0, 1), name });
  const end = async (nth: number, found: readonly (string | null)[] | Error) => {
    ends[nth]?.(found);
    await new Promise(setImmediate);
  };
  return { asked, call, end };
}

it('whoever comes while a statement of their queue is under way is asked with all others by the next one', async () => {
  const { asked, call, end } = scene();
  const calls = ['a1', 'a2', 'a3', 'b1'].map(call);
  expect(asked).toEqual([['a1'], ['b1']]);
  await end(0, ['one']);
  expect(asked).toEqual([['a1'], ['b1'], ['a2', 'a3']]);
  await end(2, ['two', 'three']);
  await end(1, ['other']);
  expect(await Promise.all(calls)).toEqual(['one', 'two', 'three', 'other']);
  const later = call('a4');
  expect(asked).toHaveLength(4);
  await end(3, ['four']);
  expect(await later).toBe('four');
});

it('a call that is not decided is asked again, before those that came later', async () => {
  const { asked, call, end } = scene();
  const calls = ['a1', 'a2', 'a3'].map(call);
  await end(0, ['one']);
  calls.push(call('a4'));
  await end(1, ['two', null]);
  expect(asked.at(-1)).toEqual(['a3', 'a4']);
  await end(2, ['three', 'four']);
  expect(await Promise.all(calls)).toEqual(['one', 'two', 'three', 'four']);
});

it('a call that the database refuses fails no other call that was asked with it', async () => {
  const { asked, call, end } = scene();
  const [first, bad, good] = ['a1', 'a2', 'a3'].map(call);
  await end(0, ['one']);
  await end(1, new Error('refused'));
  const refused = expect(bad).rejects.toThrow('refused by itself');
  await end(2, new Error('refused by itself'));
  await end(3, ['three']);
  await refused;
  expect(await Promise.all([first, good])).toEqual(['one', 'three']);
  expect(asked).toEqual([['a1'], ['a2', 'a3'], ['a2'], ['a3']]);
});

it('where the database is away nobody asks it once more by themselves', async () => {
  const { asked, call, end } = scene();
  const calls = ['a1', 'a2', 'a3'].map(call);
  const failed = Promise.allSettled(calls);
  await end(0, ['one']);
  const away = new pg.DatabaseError('the server stops', 0, 'error');
  away.code = '57P01';
  await end(1, away);
  expect((await failed).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect(asked).toHaveLength(2);
});

it('more than sixty-four are asked by several statements, each after the one before', async () => {
  const { asked, call, end } = scene();
  const calls = Array.from({ length: 70 }, (_, nth) => call(`a${nth}`));
  await end(0, ['one']);
  expect(asked[1]).toHaveLength(64);
  await end(
    1,
    Array.from({ length: 64 }, () => 'more'),
  );
  expect(asked[2]).toHaveLength(5);
  await end(
    2,
    Array.from({ length: 5 }, () => 'last'),
  );
  expect(await Promise.all(calls)).toHaveLength(70);
});

it('whoever comes as a queue ends is asked, however few steps after its last answer', async () => {
  const answers = Array.from({ length: 12 }, async (_, steps) => {
    const { call, end } = scene();
    const first = call('a1');
    const ended = end(0, ['one']);
    await first;
    for (let step = 0; step < steps; step += 1) await null;
    const second = call('a2');
    await ended;
    await end(1, ['two']);
    return Promise.race([second, new Promise((resolve) => setImmediate(resolve, 'nobody asked'))]);
  });
  expect(await Promise.all(answers)).toEqual(answers.map(() => 'two'));
});
