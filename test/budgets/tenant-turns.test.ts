import pg from 'pg';
import { expect, it } from 'vitest';
import { inTurnOfTenant } from '../../src/budgets/tenant-turns.ts';

/** Works that end when they are told to. */
function scene() {
  const database = { bare: new pg.Pool() };
  const begun: string[] = [];
  const ends = new Map<string, (failed?: boolean) => void>();
  const work = (tenant: string, name: string) =>
    inTurnOfTenant(database, tenant, () => {
      begun.push(name);
      return new Promise<string>((resolve, reject) =>
        ends.set(name, (failed) => (failed === true ? reject(new Error(name)) : resolve(name))),
      );
    });
  return { begun, ends, work };
}

it('two works of a tenant are under way at once, the others wait in their order, and no other tenant waits', async () => {
  const { begun, ends, work } = scene();
  const works = ['a1', 'a2', 'a3', 'a4'].map((name) => work('a', name));
  const other = work('b', 'b1');
  await Promise.resolve();
  expect(begun).toEqual(['a1', 'a2', 'b1']);
  ends.get('a2')?.();
  expect(await works[1]).toBe('a2');
  expect(begun).toEqual(['a1', 'a2', 'b1', 'a3']);
  for (const name of ['a1', 'b1', 'a3']) ends.get(name)?.();
  await other;
  await works[2];
  ends.get('a4')?.();
  expect(await Promise.all(works)).toEqual(['a1', 'a2', 'a3', 'a4']);
});

it('a work that fails gives its turn to the next one', async () => {
  const { begun, ends, work } = scene();
  const works = ['a1', 'a2', 'a3'].map((name) => work('a', name));
  await Promise.resolve();
  ends.get('a1')?.(true);
  await expect(works[0]).rejects.toThrow('a1');
  expect(begun).toEqual(['a1', 'a2', 'a3']);
  for (const name of ['a2', 'a3']) ends.get(name)?.();
  await Promise.all(works.slice(1));
});
