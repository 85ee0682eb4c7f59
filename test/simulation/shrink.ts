import type { Act } from './plan.ts';

/**
 * Leaves out acts, by halves and then one by one, for as long as what is left still fails: what remains is a history
 * of which every act is needed.
 */
export async function shrink(
  acts: readonly Act[],
  stillFails: (acts: readonly Act[]) => Promise<boolean>,
): Promise<readonly Act[]> {
  let left = acts;
  for (
    let size = Math.ceil(left.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let from = 0; from < left.length; ) {
      const fewer = [...left.slice(0, from), ...left.slice(from + size)];
      if (await stillFails(fewer)) left = fewer;
      else from += size;
    }
  }
  return left;
}
