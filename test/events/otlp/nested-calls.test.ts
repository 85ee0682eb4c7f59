import { expect, test } from 'vitest';
import { type Attributes, CHAT, span, translate } from '../../support/otlp-spans.ts';

const input = (tokens: number, more: Attributes = {}): Attributes => ({
  ...CHAT,
  'gen_ai.usage.input_tokens': tokens,
  ...more,
});
const operations = (...spans: object[]) =>
  translate(...spans).map(({ event }) => event['operation']);
const ONE = ['duplicate_report', 'chat'];
const TWO = ['chat', 'chat'];
const output = (tokens: number, more: Attributes = {}): Attributes => {
  const { 'gen_ai.usage.input_tokens': _, ...others } = CHAT;
  return { ...others, 'gen_ai.usage.output_tokens': tokens, ...more };
};
const id = (letter: string) => ({ 'gen_ai.response.id': `chatcmpl-${letter.repeat(20)}1` });
const mini = { 'gen_ai.request.model': 'gpt-4o-mini' };

test.each<[string, Attributes, Attributes, readonly string[]]>([
  ['tool prompts that only the inner one counts', input(100), input(1300), ONE],
  ['an input that one of them estimates', input(98), input(100), ONE],
  ['such an input, and one answer', input(98, id('A')), input(100, id('A')), ONE],
  [
    'such an input, and another spelling',
    input(98),
    input(100, { 'gen_ai.request.model': 'openai/gpt-4o' }),
    ONE,
  ],
  ['such an input, and other models', input(98), input(100, mini), TWO],
  ['such an input, and other answers', input(98, id('A')), input(100, id('B')), TWO],
  ['an input that the inner one lacks', input(100), output(20), ONE],
  ['an input that the outer one lacks', output(20), input(100), ONE],
  [
    'an input that one of them lacks, and a date behind the model',
    input(100),
    output(20, { 'gen_ai.request.model': 'gpt-4o-2024-08-06' }),
    ONE,
  ],
  ['an input that the inner one lacks, and other models', input(100), output(20, mini), TWO],
  ['an input that the outer one lacks, and other models', output(20), input(100, mini), TWO],
  [
    'an output that the outer one lacks, and other models',
    input(100, { 'gen_ai.usage.output_tokens': 0 }),
    input(100, mini),
    TWO,
  ],
  ['equal counts, and the name of a deployment', input(100), input(100, mini), ONE],
  ['equal counts, and an id of a proxy', input(100, id('A')), input(100, id('B')), ONE],
])('two calls, one right within the other, with %s', (_what, outer, inner, expected) => {
  expect(
    operations(span(outer, { spanId: 'a' }), span(inner, { spanId: 'c', parentSpanId: 'a' })),
  ).toEqual(expected);
});

test('reports of one call lie right within one another, however many', () => {
  expect(
    operations(
      span(input(98), { spanId: 'a' }),
      span(input(99), { spanId: 'b', parentSpanId: 'a' }),
      span(input(100), { spanId: 'c', parentSpanId: 'b' }),
    ),
  ).toEqual(['duplicate_report', 'duplicate_report', 'chat']);
});
