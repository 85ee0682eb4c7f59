import fc from 'fast-check';
import { expect, it } from 'vitest';
import { totalInput, totalOutput } from '../../../src/events/event.ts';
import { countOf, isCount } from '../../../src/events/foreign/foreign-count.ts';
import { type Inclusion, nativeUsage } from '../../../src/events/foreign/foreign-usage.ts';
import {
  findUsageContradiction,
  readUsage,
  usageSchema,
} from '../../../src/events/usage-fields.ts';
import { cases } from '../../support/cases.ts';

/** What a call used, in disjoint counts; a producer adds some of them into others. */
const used = fc.record({
  text: fc.nat({ max: 1000 }),
  cacheRead: fc.nat({ max: 1000 }),
  cacheWrite: fc.nat({ max: 1000 }),
  inputAudio: fc.nat({ max: 1000 }),
  answer: fc.nat({ max: 1000 }),
  reasoning: fc.nat({ max: 1000 }),
  outputAudio: fc.nat({ max: 1000 }),
});

const inclusion = fc.record({
  cache: fc.constantFrom('inside', 'beside'),
  media: fc.constantFrom('inside', 'beside'),
  reasoning: fc.constantFrom('inside', 'beside'),
}) as fc.Arbitrary<Required<Inclusion>>;

type Used = typeof used extends fc.Arbitrary<infer Shape> ? Shape : never;

/** The counts as a producer of this convention writes them. */
function written(call: Used, { cache, media, reasoning }: Required<Inclusion>) {
  const inside = (place: string, count: number) => (place === 'inside' ? count : 0);
  return {
    input:
      call.text + inside(cache, call.cacheRead + call.cacheWrite) + inside(media, call.inputAudio),
    output: call.answer + inside(reasoning, call.reasoning) + inside(media, call.outputAudio),
    cacheRead: call.cacheRead,
    cacheWrite: call.cacheWrite,
    reasoning: call.reasoning,
    inputAudio: call.inputAudio,
    outputAudio: call.outputAudio,
  };
}

const wholeOf = (call: Used) => Object.values(call).reduce((sum, count) => sum + count, 0);

function countsOf(native: object | undefined) {
  const usage = usageSchema.parse(native);
  const counts = readUsage(usage);
  expect(findUsageContradiction(usage, counts)).toBeNull();
  return counts;
}

it('a producer in the table gives every token once, whatever its counts include', () => {
  fc.assert(
    fc.property(used, inclusion, (call, places) => {
      const { usage, assumed } = nativeUsage(written(call, places), places);
      const counts = countsOf(usage);
      expect(assumed).toBe(false);
      expect(totalInput(counts) + totalOutput(counts)).toBe(wholeOf(call));
      expect(counts).toMatchObject({
        uncachedInput: call.text,
        cacheRead: call.cacheRead,
        cacheWrite: call.cacheWrite,
        reasoning: call.reasoning,
      });
    }),
    cases(1_000),
  );
});

it('the units of a producer nobody knows sum to the total that it gives', () => {
  fc.assert(
    fc.property(used, inclusion, (call, places) => {
      const total = wholeOf(call);
      const { usage } = nativeUsage({ ...written(call, places), total }, { cache: 'unknown' });
      const counts = countsOf(usage);
      expect(totalInput(counts) + totalOutput(counts)).toBe(total);
    }),
    cases(1_000),
  );
});

it('any counts give usage that is whole, or that the schema refuses by name', () => {
  const count = fc.oneof(fc.nat(), fc.jsonValue(), fc.nat().map(String));
  const names = ['input', 'output', 'cacheRead', 'reasoning', 'inputAudio', 'total', 'images'];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), count), inclusion, (counts, places) => {
      const { usage, unexplained } = nativeUsage(counts, places, { model: 'gpt-4o' });
      expect(unexplained).toBeGreaterThanOrEqual(0);
      const parsed = usageSchema.safeParse(usage ?? {});
      const isWhole = parsed.success && Object.values(counts).every((one) => isCount(countOf(one)));
      if (isWhole) countsOf(parsed.data);
    }),
    cases(1_000),
  );
});
