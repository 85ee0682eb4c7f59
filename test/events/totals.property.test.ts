import fc from 'fast-check';
import { expect, it } from 'vitest';
import { totalInput, totalOutput } from '../../src/events/event.ts';
import { readBody } from '../../src/events/read-body.ts';
import { cases } from '../support/cases.ts';
import {
  litellmOf,
  logsOf,
  nativeOf,
  spanOf,
  tracesOf,
} from '../support/plausible/plausible-bodies.ts';

/** What a call used, in counts of which none holds another. */
interface Used {
  readonly text: number;
  readonly cached: number;
  readonly answer: number;
  readonly thought: number;
}

const count = fc.integer({ min: 1, max: 100_000 });
const used: fc.Arbitrary<Used> = fc.record({
  ...{ text: count, answer: count },
  cached: fc.oneof(fc.constant(0), count),
  thought: fc.oneof(fc.constant(0), count),
});

const totalOf = ({ text, cached, answer, thought }: Used) => text + cached + answer + thought;

/** The body of each producer that gives a total, written as that producer counts. */
const PRODUCERS: Readonly<Record<string, (call: Used) => object>> = {
  'the conventions of OpenTelemetry': (call) =>
    tracesOf(
      'otel',
      spanOf({
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'o4-mini',
        'gen_ai.usage.input_tokens': call.text + call.cached,
        'gen_ai.usage.cache_read.input_tokens': call.cached,
        'gen_ai.usage.output_tokens': call.answer + call.thought,
        'gen_ai.usage.reasoning_tokens': call.thought,
        'gen_ai.usage.total_tokens': totalOf(call),
      }),
    ),
  'a span of Gemini': (call) =>
    tracesOf(
      'otel',
      spanOf({
        'gen_ai.operation.name': 'generate_content',
        'gen_ai.provider.name': 'gcp.gemini',
        'gen_ai.request.model': 'gemini-2.5-pro',
        'gen_ai.usage.input_tokens': call.text + call.cached,
        'gen_ai.usage.cache_read.input_tokens': call.cached,
        'gen_ai.usage.output_tokens': call.answer,
        'gen_ai.usage.total_tokens': totalOf(call),
      }),
    ),
  OpenInference: (call) =>
    tracesOf(
      'openinference.instrumentation.openai',
      spanOf({
        'openinference.span.kind': 'LLM',
        'llm.model_name': 'o4-mini',
        'llm.provider': 'openai',
        'llm.token_count.prompt': call.text + call.cached,
        'llm.token_count.prompt_details.cache_read': call.cached,
        'llm.token_count.completion': call.answer + call.thought,
        'llm.token_count.completion_details.reasoning': call.thought,
        'llm.token_count.total': totalOf(call),
      }),
    ),
  Langfuse: (call) =>
    tracesOf(
      'langfuse-sdk',
      spanOf({
        'langfuse.observation.type': 'generation',
        'langfuse.observation.model.name': 'o4-mini',
        'langfuse.observation.usage_details': JSON.stringify({
          ...{ input: call.text, input_cached_tokens: call.cached, output: call.answer },
          ...{ output_reasoning_tokens: call.thought, total: totalOf(call) },
        }),
      }),
    ),
  MLflow: (call) =>
    tracesOf(
      'mlflow',
      spanOf({
        'mlflow.spanType': '"CHAT_MODEL"',
        'mlflow.llm.model': '"gpt-4o-mini"',
        'mlflow.chat.tokenUsage': JSON.stringify({
          input_tokens: call.text + call.cached,
          output_tokens: call.answer + call.thought,
          total_tokens: totalOf(call),
        }),
      }),
    ),
  'the logs of Gemini CLI': (call) =>
    logsOf('gemini-cli', {
      'event.name': 'gemini_cli.api_response',
      model: 'gemini-2.5-pro',
      input_token_count: call.text + call.cached,
      cached_content_token_count: call.cached,
      output_token_count: call.answer,
      thoughts_token_count: call.thought,
      total_token_count: totalOf(call),
    }),
  LiteLLM: (call) => {
    const usage = {
      prompt_tokens: call.text + call.cached,
      completion_tokens: call.answer + call.thought,
      total_tokens: totalOf(call),
    };
    const details = {
      prompt_tokens_details: { cached_tokens: call.cached },
      completion_tokens_details: { reasoning_tokens: call.thought },
    };
    const metadata = { user_api_key_team_id: 'acme', usage_object: { ...usage, ...details } };
    return litellmOf({ ...usage, metadata });
  },
  "OpenAI's own usage": (call) =>
    nativeOf({
      ...{ provider: 'openai', requested_model: 'o4-mini' },
      provider_usage: {
        prompt_tokens: call.text + call.cached,
        completion_tokens: call.answer + call.thought,
        total_tokens: totalOf(call),
        prompt_tokens_details: { cached_tokens: call.cached },
        completion_tokens_details: { reasoning_tokens: call.thought },
      },
    }),
  "xAI's own usage": (call) =>
    nativeOf({
      ...{ provider: 'xai', requested_model: 'grok-4' },
      provider_usage: {
        prompt_tokens: call.text + call.cached,
        completion_tokens: call.answer,
        total_tokens: totalOf(call),
        prompt_tokens_details: { cached_tokens: call.cached },
        completion_tokens_details: { reasoning_tokens: call.thought },
      },
    }),
  "Gemini's own usage": (call) =>
    nativeOf({
      ...{ provider: 'gemini', requested_model: 'gemini-2.5-pro' },
      provider_usage: {
        promptTokenCount: call.text + call.cached,
        cachedContentTokenCount: call.cached,
        candidatesTokenCount: call.answer,
        thoughtsTokenCount: call.thought,
        totalTokenCount: totalOf(call),
      },
    }),
  "Bedrock's own usage": (call) =>
    nativeOf({
      ...{ provider: 'aws.bedrock', requested_model: 'us.amazon.nova-pro-v1:0' },
      provider_usage: {
        ...{ inputTokens: call.text, cacheReadInputTokens: call.cached },
        ...{ outputTokens: call.answer + call.thought, totalTokens: totalOf(call) },
      },
    }),
  'a result line of a batch': (call) => ({
    ...{ id: 'batch_req_1', custom_id: 'r1', error: null },
    response: {
      ...{ status_code: 200, request_id: 'q1' },
      body: {
        ...{ id: 'resp_1', object: 'response', model: 'o4-mini' },
        usage: {
          input_tokens: call.text + call.cached,
          input_tokens_details: { cached_tokens: call.cached },
          output_tokens: call.answer + call.thought,
          output_tokens_details: { reasoning_tokens: call.thought },
          total_tokens: totalOf(call),
        },
      },
    },
  }),
};

const CONTEXT = { receivedAt: Date.UTC(2026, 9, 15, 13), litellmKey: null, attributes: {} };

it.each(Object.entries(PRODUCERS))('the units of %s sum to its total', (_name, bodyOf) => {
  fc.assert(
    fc.property(used, (call) => {
      const usages = readBody(JSON.stringify(bodyOf(call)), CONTEXT).map((item) =>
        item.kind === 'event' ? totalInput(item.event.usage) + totalOutput(item.event.usage) : item,
      );
      expect(usages).toEqual([totalOf(call)]);
    }),
    cases(60),
  );
});
