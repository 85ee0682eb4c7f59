import { expect, test } from 'vitest';
import { type Attributes, CHAT, span, translate } from '../../support/otlp-spans.ts';

const OPENINFERENCE = {
  'openinference.span.kind': 'LLM',
  'llm.token_count.prompt': CHAT['gen_ai.usage.input_tokens'],
  'llm.token_count.completion': CHAT['gen_ai.usage.output_tokens'],
};
const { 'gen_ai.request.model': _, ...NAMELESS } = CHAT;

test.each<[string, Attributes, string]>([
  ['another requested model', { ...CHAT, 'gen_ai.request.model': 'smart' }, 'smart'],
  [
    'a requested model in its parameters',
    { ...OPENINFERENCE, 'llm.invocation_parameters': '{"model":"smart"}' },
    'smart',
  ],
  ['no more than an executed model', { ...OPENINFERENCE, 'llm.model_name': 'azure-eu' }, 'gpt-4o'],
  ['only the model of its response', { ...NAMELESS, 'gen_ai.response.model': 'eu' }, 'gpt-4o'],
  [
    'only a model that may be either',
    { ...NAMELESS, 'langfuse.observation.model.name': 'eu' },
    'gpt-4o',
  ],
])('a report with %s around a call has it be charged accordingly', (_what, outer, requested) => {
  const [, call] = translate(
    span(outer, { spanId: 'a' }),
    span({ ...CHAT, 'gen_ai.request.model': 'gpt-4o' }, { spanId: 'b', parentSpanId: 'a' }),
  );
  expect(call?.event).toMatchObject({ operation: 'chat', requested_model: requested });
});
