import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventMember, TokenBuckets } from '../../src/events/event.ts';
import { readNativeEvent } from '../../src/events/native-event.ts';
import { splitUsage } from '../../src/rating/split.ts';
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
    const usage: fc.Arbitrary<TokenBuckets> = fc.record({
      uncachedInput: tokens,
      cacheRead: tokens,
      cacheWrite: tokens,
      output: tokens,
      reasoning: tokens,
    });
    fc.assert(
      fc.property(usage, fc.array(member, { minLength: 1, maxLength: 30 }), (whole, members) => {
        const reading = readNativeEvent(nativeEvent(), Date.parse('2026-10-20T00:00:00Z'));
        if (reading.kind !== 'event') throw new Error(reading.detail);
        const parts = splitUsage({ ...reading.event, usage: whole }, members);
        for (const bucket of Object.keys(whole) as (keyof TokenBuckets)[]) {
          const sum = parts.reduce((total, part) => total + part.usage[bucket], 0);
          expect(sum, bucket).toBe(whole[bucket]);
        }
        expect(parts.reduce((total, part) => total + part.callShare, 0)).toBe(1_000_000);
      }),
      cases(200),
    );
  });
});

const NO_TAGS = {
  tenantId: null,
  userId: null,
  feature: null,
  agentRunId: null,
  promptVersion: null,
};
