import { type PlausibleBody, spanOf, tracesOf } from './plausible-bodies.ts';

const LANGFUSE = (model: string, usage: object) => ({
  'langfuse.observation.type': 'generation',
  'langfuse.observation.model.name': model,
  'langfuse.observation.usage_details': JSON.stringify(usage),
});

const acme = { tenant: 'acme' } as const;

/** Spans of Langfuse, of AI SDKs and of OpenInference, which have names of their own. */
export const DIALECTS: readonly PlausibleBody[] = [
  {
    name: 'buckets of Langfuse with cached and thought tokens',
    because: 'buckets are disjoint: 100 + 400 in, 20 + 30 out = 550',
    body: tracesOf(
      'langfuse-sdk',
      spanOf(
        LANGFUSE('o4-mini', {
          ...{ input: 100, input_cached_tokens: 400, output: 20, output_reasoning_tokens: 30 },
          total: 550,
        }),
      ),
    ),
    calls: [
      {
        ...acme,
        model: 'o4-mini',
        units: { input_tokens: 100, cache_read_tokens: 400, output_tokens: 50 },
        reasoning: 30,
      },
    ],
  },
  {
    name: 'buckets of Langfuse with both lives of a cache write',
    because: '3 + 1000 read + 200 for five minutes + 500 for an hour + 10 out = 1713',
    body: tracesOf(
      'langfuse-sdk',
      spanOf(
        LANGFUSE('claude-sonnet-4-5', {
          ...{ input: 3, input_cache_read: 1000, input_ephemeral_5m_input_tokens: 200 },
          ...{ input_ephemeral_1h_input_tokens: 500, output: 10, total: 1713 },
        }),
      ),
    ),
    calls: [
      {
        ...acme,
        model: 'claude-sonnet-4-5',
        units: {
          ...{ input_tokens: 3, cache_read_tokens: 1000, cache_write_tokens: 200 },
          ...{ cache_write_1h_tokens: 500, output_tokens: 10 },
        },
      },
    ],
  },
  {
    name: 'buckets of Langfuse with an image',
    because: '20 + 300 + 5 = 325',
    body: tracesOf(
      'langfuse-sdk',
      spanOf(LANGFUSE('gpt-4o', { input: 20, input_image_tokens: 300, output: 5, total: 325 })),
    ),
    calls: [
      {
        ...acme,
        model: 'gpt-4o',
        units: { input_tokens: 20, input_image_tokens: 300, output_tokens: 5 },
      },
    ],
  },
  {
    name: "OpenAI's own names within Langfuse's usage",
    because: '1000 of which 600 cached and 100 of audio: 300 of text; 1000 + 200 = 1200',
    body: tracesOf(
      'langfuse-sdk',
      spanOf(
        LANGFUSE('gpt-4o-audio-preview', {
          ...{ prompt_tokens: 1000, completion_tokens: 200, total_tokens: 1200 },
          prompt_tokens_details: { cached_tokens: 600, audio_tokens: 100 },
          completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 150 },
        }),
      ),
    ),
    calls: [
      {
        ...acme,
        model: 'gpt-4o-audio-preview',
        units: {
          ...{ input_tokens: 300, cache_read_tokens: 600, input_audio_tokens: 100 },
          ...{ output_tokens: 50, output_audio_tokens: 150 },
        },
      },
    ],
  },
  {
    name: 'an AI SDK of version 6 whose input includes both sides of the cache',
    because: '100 + 800 + 100 = 1000',
    body: tracesOf(
      'ai',
      spanOf(
        {
          'operation.name': 'ai.generateText.doGenerate',
          'ai.operationId': 'ai.generateText.doGenerate',
          'ai.model.id': 'claude-sonnet-4-5',
          'ai.model.provider': 'anthropic.messages',
          'ai.usage.inputTokens': 1000,
          'ai.usage.inputTokenDetails.noCacheTokens': 100,
          'ai.usage.inputTokenDetails.cacheReadTokens': 800,
          'ai.usage.inputTokenDetails.cacheWriteTokens': 100,
          'ai.usage.outputTokens': 20,
          'ai.usage.totalTokens': 1020,
        },
        { name: 'ai.generateText.doGenerate' },
      ),
    ),
    calls: [
      {
        ...acme,
        model: 'claude-sonnet-4-5',
        units: {
          ...{ input_tokens: 100, cache_read_tokens: 800, cache_write_tokens: 100 },
          output_tokens: 20,
        },
      },
    ],
  },
  {
    name: 'an AI SDK of version 5 on Bedrock, which writes the cache into its metadata alone',
    because: 'the 7 are without cache: 7 + 900 read + 60 written',
    body: tracesOf(
      'ai',
      spanOf(
        {
          'operation.name': 'ai.streamText.doStream',
          'ai.operationId': 'ai.streamText.doStream',
          'ai.model.id': 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
          'ai.model.provider': 'amazon-bedrock',
          'ai.usage.inputTokens': 7,
          'ai.usage.cachedInputTokens': 900,
          'ai.usage.outputTokens': 20,
          'ai.response.providerMetadata': JSON.stringify({
            bedrock: { usage: { cacheReadInputTokens: 900, cacheWriteInputTokens: 60 } },
          }),
        },
        { name: 'ai.streamText.doStream' },
      ),
    ),
    calls: [
      {
        ...acme,
        model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
        units: {
          ...{ input_tokens: 7, cache_read_tokens: 900, cache_write_tokens: 60 },
          output_tokens: 20,
        },
      },
    ],
  },
  {
    name: 'OpenInference with every part of a prompt',
    because: '1000 - 600 - 100 - 50 = 250; 1000 + 80 = 1080',
    body: tracesOf(
      'openinference.instrumentation.openai',
      spanOf({
        'openinference.span.kind': 'LLM',
        'llm.model_name': 'gpt-4o-audio-preview',
        'llm.provider': 'openai',
        'llm.token_count.prompt': 1000,
        'llm.token_count.prompt_details.cache_read': 600,
        'llm.token_count.prompt_details.cache_write': 100,
        'llm.token_count.prompt_details.audio': 50,
        'llm.token_count.completion': 80,
        'llm.token_count.completion_details.reasoning': 30,
        'llm.token_count.total': 1080,
      }),
    ),
    calls: [
      {
        ...acme,
        model: 'gpt-4o-audio-preview',
        units: {
          ...{ input_tokens: 250, cache_read_tokens: 600, cache_write_tokens: 100 },
          ...{ input_audio_tokens: 50, output_tokens: 80 },
        },
        reasoning: 30,
      },
    ],
  },
  {
    name: 'OpenInference whose ids are numbers and whose tenant stands in its metadata',
    because: 'an id that is a number is its text',
    body: {
      resourceSpans: [
        {
          scopeSpans: [
            {
              scope: { name: 'openinference.instrumentation.langchain' },
              spans: [
                spanOf({
                  'openinference.span.kind': 'LLM',
                  'llm.model_name': 'gpt-4o-2024-08-06',
                  'llm.provider': 'azure',
                  'llm.token_count.prompt': 10,
                  'llm.token_count.completion': 2,
                  'user.id': 42,
                  metadata: JSON.stringify({ tenant_id: 7 }),
                }),
              ],
            },
          ],
        },
      ],
    },
    calls: [
      {
        ...{ model: 'gpt-4o-2024-08-06', tenant: '7', user: '42' },
        units: { input_tokens: 10, output_tokens: 2 },
      },
    ],
  },
  {
    name: 'buckets of Langfuse that its total shows not to be disjoint',
    because: '1000 + 100 = 1100: the 600 and the 20 are within them',
    body: tracesOf(
      'langfuse-sdk',
      spanOf(
        LANGFUSE('gpt-4o', {
          ...{ input: 1000, input_cached_tokens: 600, output: 100, output_reasoning: 20 },
          total: 1100,
        }),
      ),
    ),
    calls: [
      {
        ...acme,
        model: 'gpt-4o',
        units: { input_tokens: 400, cache_read_tokens: 600, output_tokens: 100 },
        reasoning: 20,
      },
    ],
  },
];
