import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventMember, UsageCounts } from '../../src/events/event.ts';
import { readNativeEvent } from '../../src/events/native-event.ts';
import { splitUsage } from '../../src/rating/split.ts';
import type { FurtherUnits } from '../../src/units.ts';
import { FURTHER_UNITS } from '../../src/units.ts';
import { cases } from '../support/cases.ts';
import { nativeEvent } from '../support/ledger.ts';

/** The parts of a call with this usage over members that say this of themselves. */
function split(usage: Readonly<Record<string, number>>, members: readonly object[]) {
  const value = nativeEvent({ usage, members: members.map(numbered) });
  const reading = readNativeEvent(value, Date.parse('2026-10-20T00:00:00Z'));
  if (reading.kind !== 'event') throw new Error(reading.detail);
  const { event } = reading;
  return splitUsage(event, event.members ?? []);
}

const numbered = (member: object, index: number) => ({ member_id: `m${index}`, ...member });
const inputs = (parts: ReturnType<typeof split>) => parts.map((part) => part.usage.uncachedInput);
const outputs = (parts: ReturnType<typeof split>) => parts.map((part) => part.usage.output);

describe('splitUsage (R7)', () => {
  it('gives 7 tokens over 1:1:1 as 3, 2, 2: ties go to the earlier member', () => {
    expect(inputs(split({ input_tokens: 7, output_tokens: 0 }, [{}, {}, {}]))).toEqual([3, 2, 2]);
  });

  it('gives 1000 output tokens over 300:200:100 as 500, 333, 167', () => {
    const members = [{ output_tokens: 300 }, { output_tokens: 200 }, { output_tokens: 100 }];
    const parts = split({ input_tokens: 0, output_tokens: 1000 }, members);
    expect(outputs(parts)).toEqual([500, 333, 167]);
  });

  it.each<[string, number, number, readonly number[]]>([
    ['with other powers of ten', 2.5e-7, 1e-7, [5, 2]],
    ['of one power of ten', 2e-7, 5e-7, [2, 5]],
    ['with decimals of other lengths', 0.25, 0.1, [5, 2]],
    ['whole and broken', 3, 0.5, [6, 1]],
    ['as far apart as they may be', 1_000_000_000, 1e-9, [7, 0]],
  ])('keeps the ratio of weights %s', (_how, one, other, expected) => {
    const parts = split({ input_tokens: 0, output_tokens: 7 }, [
      { weight: one },
      { weight: other },
    ]);
    expect(outputs(parts)).toEqual(expected);
  });

  it('gives a member without a token no part of the call, though its weight is equal', () => {
    const members = [{ input_tokens: 0 }, { input_tokens: 8 }];
    const parts = split({ input_tokens: 8, output_tokens: 0 }, members);
    expect(parts.map(({ callShare }) => callShare)).toEqual([0, 1_000_000]);
  });

  it('weighs each side by its own tokens, and a side without any by the weights', () => {
    const members = [
      { input_tokens: 1, weight: 1 },
      { input_tokens: 3, weight: 1 },
    ];
    const parts = split({ input_tokens: 8, output_tokens: 8 }, members);
    expect(inputs(parts)).toEqual([2, 6]);
    expect(outputs(parts)).toEqual([4, 4]);
  });

  it('gives a member that is silent where others speak nothing', () => {
    const parts = split({ input_tokens: 9, output_tokens: 0 }, [{ input_tokens: 3 }, {}]);
    expect(inputs(parts)).toEqual([9, 0]);
  });

  it('keeps fractional weights exact to a millionth', () => {
    // 0.25 : 0.75 of 1000 = 250 and 750.
    const members = [{ weight: 0.25 }, { weight: 0.75 }];
    expect(inputs(split({ input_tokens: 1000, output_tokens: 0 }, members))).toEqual([250, 750]);
  });

  it('divides the call itself as the tokens fall, in millionths that sum to the call', () => {
    // Tokens 3 and 1 of 4: 750,000 and 250,000 millionths.
    const parts = split({ input_tokens: 4, output_tokens: 0 }, [
      { input_tokens: 3 },
      { input_tokens: 1 },
    ]);
    expect(parts.map((part) => part.callShare)).toEqual([750_000, 250_000]);
    // No tokens at all: equal, the one left to the earlier.
    const empty = split({ input_tokens: 0, output_tokens: 0 }, [{}, {}, {}]);
    expect(empty.map((part) => part.callShare)).toEqual([333_334, 333_333, 333_333]);
  });

  it('keeps the ratio of weights however small or large they are', () => {
    // 1e-9 : 3e-9 of 8 = 2 and 6; 1e9 : 1e-3 of 10 leaves the small one nothing.
    const small = split({ input_tokens: 8, output_tokens: 0 }, [
      { weight: 1e-9 },
      { weight: 3e-9 },
    ]);
    expect(inputs(small)).toEqual([2, 6]);
    const far = split({ input_tokens: 10, output_tokens: 0 }, [{ weight: 1e9 }, { weight: 1e-3 }]);
    expect(inputs(far)).toEqual([10, 0]);
  });

  it('splits audio by the side that it is on, and pictures by the tokens', () => {
    const usage = {
      ...{ input_tokens: 60, input_audio_tokens: 40, output_tokens: 30, output_audio_tokens: 30 },
      images: 4,
    };
    const members = [
      { input_tokens: 3, output_tokens: 1 },
      { input_tokens: 1, output_tokens: 2 },
    ];
    // Input 3:1, output 1:2; of 90 tokens the parts are 45 + 10 and 15 + 20, so of 4 images 2 and 2.
    expect(split(usage, members).map(({ usage: part }) => part)).toMatchObject([
      {
        uncachedInput: 15,
        output: 0,
        units: { input_audio_tokens: 30, output_audio_tokens: 10, images: 2 },
      },
      {
        uncachedInput: 5,
        output: 0,
        units: { input_audio_tokens: 10, output_audio_tokens: 20, images: 2 },
      },
    ]);
  });

  it('splits a call without tokens by the weights, its fee as well', () => {
    const parts = split({ images: 4 }, [{ weight: 3 }, { weight: 1 }, { weight: 0 }]);
    expect(parts.map(({ usage }) => usage.units)).toEqual([{ images: 3 }, { images: 1 }, null]);
    expect(parts.map(({ callShare }) => callShare)).toEqual([750_000, 250_000, 0]);
  });

  it('never gives a member more reasoning than output', () => {
    const count = fc.integer({ min: 0, max: 40 });
    const usage = fc.tuple(count, count).map(([a, b]) => ({ output: a + b, reasoning: b }));
    const weights = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(usage, weights, ({ output, reasoning }, all) => {
        const members = all.map((output_tokens) => ({ output_tokens }));
        const of = { input_tokens: 0, output_tokens: output, reasoning_tokens: reasoning };
        for (const part of split(of, members)) {
          expect(part.usage.reasoning).toBeLessThanOrEqual(part.usage.output);
        }
      }),
      cases(300),
    );
  });

  it('sums to the span in every bucket, whatever the members say', () => {
    const tokens = fc.integer({ min: 0, max: 1_000_000_000 });
    const own = fc.option(fc.integer({ min: 0, max: 1_000_000 }), { nil: null });
    const member: fc.Arbitrary<EventMember> = fc.record({
      memberId: fc.uuid(),
      status: fc.constant('ok' as const),
      tags: fc.constant(NO_TAGS),
      inputTokens: own,
      outputTokens: own,
      weight: fc.option(fc.double({ min: 0, max: 1_000_000_000, noNaN: true }), { nil: null }),
    });
    const usage: fc.Arbitrary<UsageCounts> = fc.record({
      uncachedInput: tokens,
      cacheRead: tokens,
      cacheWrite: tokens,
      output: tokens,
      reasoning: tokens,
      units: fc.option(furtherUnits(tokens), { nil: null }),
    });
    fc.assert(
      fc.property(usage, fc.array(member, { minLength: 1, maxLength: 30 }), (whole, members) => {
        const reading = readNativeEvent(nativeEvent(), Date.parse('2026-10-20T00:00:00Z'));
        if (reading.kind !== 'event') throw new Error(reading.detail);
        const parts = splitUsage({ ...reading.event, usage: whole }, members);
        for (const bucket of TEXT) {
          const sum = parts.reduce((total, part) => total + part.usage[bucket], 0);
          expect(sum, bucket).toBe(whole[bucket]);
        }
        for (const { name } of FURTHER_UNITS) {
          const sum = parts.reduce((total, part) => total + (part.usage.units?.[name] ?? 0), 0);
          expect(sum, name).toBe(whole.units?.[name] ?? 0);
        }
        expect(parts.reduce((total, part) => total + part.callShare, 0)).toBe(1_000_000);
      }),
      cases(200),
    );
  });
});

const TEXT = ['uncachedInput', 'cacheRead', 'cacheWrite', 'output', 'reasoning'] as const;

function furtherUnits(counts: fc.Arbitrary<number>): fc.Arbitrary<FurtherUnits> {
  const fields = Object.fromEntries(FURTHER_UNITS.map(({ name }) => [name, counts]));
  return fc.record(fields, { requiredKeys: [] });
}

const NO_TAGS = {
  tenantId: null,
  userId: null,
  feature: null,
  agentRunId: null,
  promptVersion: null,
};
