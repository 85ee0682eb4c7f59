import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { UsageCounts } from '../../src/events/event.ts';
import {
  findUsageContradiction,
  readUsage,
  usageSchema,
  writeUsage,
} from '../../src/events/usage-fields.ts';
import { FURTHER_UNITS } from '../../src/units.ts';
import { cases } from '../support/cases.ts';

const count = fc.integer({ min: 0, max: 1_000_000 });
const units = fc
  .subarray(FURTHER_UNITS.map(({ name }) => name))
  .chain((names) => fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), count))))
  .map((pairs) => pairs.filter(([, counted]) => counted > 0))
  .map((pairs) => (pairs.length === 0 ? null : Object.fromEntries(pairs)));
const counts: fc.Arbitrary<UsageCounts> = fc
  .record({
    ...{ uncachedInput: count, cacheRead: count, cacheWrite: count, output: count, units },
    reasoning: count,
  })
  .map((given) => ({ ...given, reasoning: Math.min(given.reasoning, given.output) }));

test('counts that are written as totals with their parts are read as the same counts', () => {
  fc.assert(
    fc.property(counts, (given) => {
      const written = usageSchema.parse(writeUsage(given));
      expect(readUsage(written)).toEqual(given);
      expect(findUsageContradiction(written, given)).toBeNull();
    }),
    cases(300),
  );
});
