import type pg from 'pg';
import { expect, it } from 'vitest';
import { waitForDisk } from '../../src/budgets/disk-wait-store.ts';

/** A pool whose commits end when they are told to. */
function scene() {
  const commits: ((error?: Error) => void)[] = [];
  const query = () =>
    new Promise<void>((resolve, reject) =>
      commits.push((error) => (error === undefined ? resolve() : reject(error))),
    );
  const pool = { query } as unknown as pg.Pool;
  return { commits, database: { pool, bare: pool } };
}

it('whoever comes while a commit is under way waits for one that begins after it, together with all others', async () => {
  const { commits, database } = scene();
  const first = waitForDisk(database);
  const [second, third] = [waitForDisk(database), waitForDisk(database)];
  let ended = 0;
  for (const wait of [second, third]) void wait.then(() => (ended += 1));
  expect(commits).toHaveLength(1);
  commits[0]?.();
  await first;
  await new Promise(setImmediate);
  expect([commits.length, ended]).toEqual([2, 0]);
  const fourth = waitForDisk(database);
  commits[1]?.();
  await Promise.all([second, third]);
  await new Promise(setImmediate);
  expect([commits.length, ended]).toEqual([3, 2]);
  commits[2]?.();
  await fourth;
});

it('a commit that fails is heard of by those who waited for it, and the next ones try again', async () => {
  const { commits, database } = scene();
  const first = waitForDisk(database);
  const second = waitForDisk(database);
  commits[0]?.(new Error('the connection broke'));
  await expect(first).rejects.toThrow('the connection broke');
  await new Promise(setImmediate);
  commits[1]?.();
  await second;
  const third = waitForDisk(database);
  expect(commits).toHaveLength(3);
  commits[2]?.();
  await third;
});
