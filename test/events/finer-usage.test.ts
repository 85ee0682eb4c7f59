import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { finerUsage } from '../../src/events/finer-usage.ts';
import type { JsonObject } from '../../src/events/foreign/foreign-value.ts';
import { read, said, span, type Values } from '../support/said-event.ts';

const used = (usage: JsonObject | undefined, assumed = false) => ({
  usage,
  assumed,
  unexplained: 0,
});

const PLAIN = { input_tokens: 1000, output_tokens: 80 };
const FINE = {
  input_tokens: 1000,
  cache_read_tokens: 600,
  output_tokens: 120,
  reasoning_tokens: 40,
};

describe('the finer of two reports of one call', () => {
  test.each<[string, JsonObject, JsonObject, JsonObject]>([
    ['cache and thoughts beside', PLAIN, FINE, FINE],
    [
      'cache on one report, thoughts on the other',
      { ...PLAIN, cache_read_tokens: 600 },
      { input_tokens: 1000, output_tokens: 120, reasoning_tokens: 40 },
      FINE,
    ],
    [
      'thoughts that the kept one knows to be beside',
      { ...PLAIN, reasoning_tokens: 40 },
      FINE,
      FINE,
    ],
    [
      'thoughts within an equal output',
      { input_tokens: 1000, output_tokens: 120 },
      { input_tokens: 1000, output_tokens: 120, reasoning_tokens: 40 },
      { input_tokens: 1000, output_tokens: 120, reasoning_tokens: 40 },
    ],
    ['cache that the kept input leaves out', { input_tokens: 400, output_tokens: 80 }, FINE, FINE],
    [
      'an hour of what was written',
      { ...PLAIN, cache_write_tokens: 900 },
      { ...PLAIN, cache_write_tokens: 900, cache_write_1h_tokens: 800 },
      { ...PLAIN, cache_write_tokens: 900, cache_write_1h_tokens: 800 },
    ],
    ['searches', PLAIN, { ...PLAIN, searches: 2 }, { ...PLAIN, searches: 2 }],
    ['a whole output', { input_tokens: 1000 }, PLAIN, PLAIN],
    ['everything', {}, FINE, FINE],
  ])('takes %s', (_, kept, other, expected) => {
    expect(finerUsage(used(kept), used(other))?.usage).toEqual(expected);
  });

  test.each<[string, JsonObject, JsonObject]>([
    ['less exact', FINE, PLAIN],
    ['the same', FINE, { ...FINE }],
    ['of another input', PLAIN, { ...FINE, input_tokens: 1001 }],
    ['of an output that differs by more than its thoughts', PLAIN, { ...FINE, output_tokens: 121 }],
    ['of other cache', { ...FINE, cache_read_tokens: 500 }, FINE],
    [
      'of cache of another kind',
      { ...PLAIN, cache_read_tokens: 300 },
      { ...PLAIN, cache_write_tokens: 300 },
    ],
    ['without any count in common', { input_tokens: 1000 }, { output_tokens: 80 }],
    ['no count', PLAIN, { ...FINE, cache_read_tokens: -1 }],
    ['of another measure of the same', PLAIN, { ...PLAIN, characters: 4000 }],
  ])('takes nothing of a report that is %s', (_, kept, other) => {
    expect(finerUsage(used(kept), used(other))).toBeNull();
  });

  test('a layout that was assumed is proven by an equal total of another report', () => {
    expect(finerUsage(used(PLAIN), used(FINE, true))?.assumed).toBe(false);
    expect(finerUsage(used(PLAIN, true), used(FINE, true))?.assumed).toBe(true);
    expect(finerUsage(used({ input_tokens: 1000 }), used(PLAIN, true))?.assumed).toBe(true);
  });

  test('no report makes a total smaller, nor one whose parts are more than it', () => {
    const count = fc.integer({ min: 0, max: 4 });
    const report = fc
      .record({ uncached: count, read: count, written: count, text: count, thoughts: count })
      .map(({ uncached, read: cached, written, text, thoughts }) => ({
        input_tokens: uncached + cached + written,
        cache_read_tokens: cached,
        cache_write_tokens: written,
        output_tokens: text + thoughts,
        reasoning_tokens: thoughts,
      }));
    fc.assert(
      fc.property(report, report, (kept, other) => {
        const finer = finerUsage(used(kept), used(other))?.usage as typeof kept | undefined;
        if (finer === undefined) return;
        expect(finer.input_tokens).toBeGreaterThanOrEqual(kept.input_tokens);
        expect(finer.output_tokens).toBeGreaterThanOrEqual(kept.output_tokens);
        const { cache_read_tokens: cached, cache_write_tokens: written } = finer;
        expect(finer.input_tokens).toBeGreaterThanOrEqual(cached + written);
        expect(finer.output_tokens).toBeGreaterThanOrEqual(finer.reasoning_tokens);
        expect(finerUsage(used(finer), used(other))).toBeNull();
      }),
    );
  });
});

const ANSWER =
  '{"usage_metadata":{"prompt_token_count":1000,"candidates_token_count":80,"thoughts_token_count":40,"cached_content_token_count":600}}';
const CALL_LLM = {
  'gen_ai.system': 'gcp.vertex.agent',
  'gen_ai.request.model': 'gemini-2.5-flash',
  'gen_ai.usage.input_tokens': 1000,
  'gen_ai.usage.output_tokens': 80,
  'gcp.vertex.agent.llm_response': ANSWER,
};
const GENERATE = {
  'gen_ai.operation.name': 'generate_content',
  'gen_ai.system': 'gemini',
  'gen_ai.request.model': 'gemini-2.5-flash',
  'gen_ai.usage.input_tokens': 1000,
  'gen_ai.usage.output_tokens': 80,
};

/** One message of an outer span and of those within it. */
function nested(outer: Values, ...inner: readonly Values[]) {
  const spans = [outer, ...inner].map((values, index) => {
    const [ofResource] = span('a-scope', values).resourceSpans;
    const [one] = ofResource?.scopeSpans[0]?.spans ?? [];
    const parent = index === 0 ? {} : { parentSpanId: '000000000000000a' };
    return { ...one, ...parent, spanId: `000000000000000${'abcdef'[index]}` };
  });
  const scope = { name: 'gcp.vertex.agent' };
  return { resourceSpans: [{ scopeSpans: [{ scope, spans }] }] };
}

function events(body: object) {
  return read(body).map((item) => {
    if (item.kind !== 'event') throw new Error(JSON.stringify(item));
    const { counts, operation } = said(item.event);
    return { operation, counts, repeats: item.repeats?.eventId?.slice(-1) };
  });
}

describe('spans of one message', () => {
  const FINER = { uncachedInput: 400, cacheRead: 600, output: 120, reasoning: 40 };

  test('the call within a span that counts it more exactly takes its counts, and the span names it', () => {
    expect(events(nested(CALL_LLM, GENERATE))).toEqual([
      { operation: 'invoke_workflow', counts: {}, repeats: 'b' },
      { operation: 'generate_content', counts: FINER, repeats: undefined },
    ]);
  });

  test('two calls that differ by the thoughts that one leaves out are one', () => {
    const outer = { ...CALL_LLM, 'openinference.span.kind': 'LLM' };
    expect(events(nested(outer, GENERATE))).toEqual([
      { operation: 'duplicate_report', counts: {}, repeats: 'b' },
      { operation: 'generate_content', counts: FINER, repeats: undefined },
    ]);
  });

  test('of two calls within a span neither takes what it counts', () => {
    const counts = { uncachedInput: 1000, output: 80 };
    expect(events(nested(CALL_LLM, GENERATE, GENERATE))).toEqual([
      { operation: 'invoke_workflow', counts: {}, repeats: undefined },
      { operation: 'generate_content', counts, repeats: undefined },
      { operation: 'generate_content', counts, repeats: undefined },
    ]);
  });

  test('a failed call that lacks thoughts lies beside the one that answered', () => {
    const outer = { ...CALL_LLM, 'openinference.span.kind': 'LLM' };
    const failed = { ...GENERATE, 'error.type': 'Timeout' };
    expect(events(nested(outer, failed)).map(({ operation }) => operation)).toEqual([
      'chat',
      'generate_content',
    ]);
  });
});
