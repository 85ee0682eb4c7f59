import { litellmOf, nativeOf, type PlausibleBody, spanOf, tracesOf } from './plausible-bodies.ts';

const acme = { tenant: 'acme' } as const;

/** A provider's own usage under names that only it has. */
function ownUsage(provider: string, model: string, provider_usage: object): object {
  return nativeOf({ provider, requested_model: model, provider_usage });
}

/** Counts in a form of their provider's own, wherever they were found. */
export const OWN_FORMS: readonly PlausibleBody[] = [
  {
    name: 'LiteLLM that hands on an answer of Anthropic without counting it',
    because: 'Anthropic counts the cache beside its input: 100 + 90',
    body: litellmOf({
      ...{ call_type: 'pass_through_endpoint', model: 'claude-sonnet-4-5', model_group: '' },
      ...{ custom_llm_provider: 'anthropic', prompt_tokens: 0, completion_tokens: 0 },
      total_tokens: 0,
      response: {
        id: 'msg_1',
        usage: { input_tokens: 100, cache_read_input_tokens: 90, output_tokens: 5 },
      },
    }),
    calls: [
      {
        ...acme,
        model: 'claude-sonnet-4-5',
        units: { input_tokens: 100, cache_read_tokens: 90, output_tokens: 5 },
      },
    ],
  },
  {
    name: 'the metrics at the end of a stream of Bedrock',
    because: 'the cache stands beside the input',
    body: {
      ...{ schemaType: 'ModelInvocationLog', timestamp: '2026-10-15T12:00:00Z', requestId: 'r1' },
      ...{ operation: 'InvokeModelWithResponseStream', modelId: 'anthropic.claude-haiku-4-5' },
      input: {},
      output: {
        outputBodyJson: [
          {
            type: 'message_stop',
            'amazon-bedrock-invocationMetrics': {
              ...{ inputTokenCount: 10, outputTokenCount: 7, cacheReadInputTokenCount: 90 },
              ...{ invocationLatency: 900, firstByteLatency: 200 },
            },
          },
        ],
      },
      requestMetadata: { tenant_id: 'acme' },
    },
    calls: [
      {
        ...acme,
        model: 'anthropic.claude-haiku-4-5',
        units: { input_tokens: 10, cache_read_tokens: 90, output_tokens: 7 },
      },
    ],
  },
  ...(
    [
      ['aws.bedrock', 'meta.llama3', { prompt_token_count: 10, generation_token_count: 5 }],
      ['aws.bedrock', 'titan', { inputTextTokenCount: 10, results: [{ tokenCount: 5 }] }],
      ['ollama', 'llama3.2', { prompt_eval_count: 10, eval_count: 5, total_duration: 99 }],
      ['ibm.watsonx.ai', 'granite', { input_token_count: 10, generated_token_count: 5 }],
    ] as const
  ).map(([provider, model, usage]) => ({
    name: `the bare counts of ${provider} ${model}`,
    because: 'input and output have names of their own',
    body: ownUsage(provider, model, usage),
    calls: [{ ...acme, model, units: { input_tokens: 10, output_tokens: 5 } }],
  })),
  {
    name: 'Mistral that heard a recording',
    because: 'it takes money by the second, and its total has tokens of sound: 4 + 635 of 3264',
    body: ownUsage('mistral', 'voxtral-mini', {
      ...{ prompt_audio_seconds: 203, prompt_tokens: 4, completion_tokens: 635 },
      total_tokens: 3264,
    }),
    calls: [
      {
        ...acme,
        model: 'voxtral-mini',
        units: { input_tokens: 4, output_tokens: 635, audio_ms: 203_000 },
        source: 'reported',
      },
    ],
  },
  {
    name: 'xAI that searched',
    because: 'each source of its older search has a price',
    body: ownUsage('xai', 'grok-4', {
      ...{ prompt_tokens: 100, completion_tokens: 10, total_tokens: 110, num_sources_used: 3 },
    }),
    calls: [
      {
        ...acme,
        model: 'grok-4',
        units: { input_tokens: 100, output_tokens: 10, searches: 3 },
      },
    ],
  },
  {
    name: 'a span of Logfire, whose usage stands in the answer alone',
    because: 'no attribute names an operation; 100 of which 64 cached',
    body: tracesOf(
      'logfire.openai',
      spanOf({
        ...{ 'gen_ai.system': 'openai', 'gen_ai.request.model': 'gpt-4o' },
        response_data: JSON.stringify({
          usage: {
            ...{ prompt_tokens: 100, completion_tokens: 5, total_tokens: 105 },
            prompt_tokens_details: { cached_tokens: 64 },
          },
        }),
      }),
    ),
    calls: [
      {
        ...acme,
        model: 'gpt-4o',
        units: { input_tokens: 36, cache_read_tokens: 64, output_tokens: 5 },
      },
    ],
  },
  {
    name: 'a span that names a model and nothing else',
    because: 'no measure is not a measure of zero',
    body: tracesOf(
      'x',
      spanOf({
        ...{ 'gen_ai.system': 'openai', 'gen_ai.request.model': 'gpt-4o' },
      }),
    ),
    calls: [{ ...acme, model: 'gpt-4o', units: {}, outcome: 'unmeasured' }],
  },
  {
    name: 'a span of an older Semantic Kernel',
    because: 'its counts are of the response',
    body: tracesOf(
      'Microsoft.SemanticKernel',
      spanOf({
        'gen_ai.operation.name': 'chat.completions',
        ...{ 'gen_ai.request.model': 'gpt-4o', 'gen_ai.response.prompt_tokens': 10 },
        'gen_ai.response.completion_tokens': 5,
      }),
    ),
    calls: [{ ...acme, model: 'gpt-4o', units: { input_tokens: 10, output_tokens: 5 } }],
  },
  {
    name: 'a wrapped call of a stream, whose own span counted nothing',
    because: 'the span right around it has the counts, and both are one call',
    body: tracesOf(
      'langchain',
      spanOf(
        {
          ...{ 'openinference.span.kind': 'LLM', 'llm.model_name': 'gpt-4o' },
          ...{ 'llm.token_count.prompt': 100, 'llm.token_count.completion': 5 },
        },
        { spanId: '00000000000000f1' },
      ),
      spanOf(
        { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o' },
        { spanId: '00000000000000f2', parentSpanId: '00000000000000f1' },
      ),
    ),
    calls: [{ ...acme, model: 'gpt-4o', units: { input_tokens: 100, output_tokens: 5 } }],
  },
];
