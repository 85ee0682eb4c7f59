import { nativeOf, type PlausibleBody } from './plausible-bodies.ts';

const acme = { tenant: 'acme' } as const;

/** Providers' own usage objects, in native events. */
export const PROVIDER_USAGES: readonly PlausibleBody[] = [
  {
    name: "Anthropic's own usage in a native event",
    because: 'cache beside the input; of 800 written 500 for an hour; two searches',
    body: nativeOf({
      ...{ provider: 'anthropic', requested_model: 'claude-sonnet-4-5' },
      provider_usage: {
        ...{ input_tokens: 10, cache_read_input_tokens: 1000, cache_creation_input_tokens: 800 },
        cache_creation: { ephemeral_5m_input_tokens: 300, ephemeral_1h_input_tokens: 500 },
        output_tokens: 20,
        server_tool_use: { web_search_requests: 2, web_fetch_requests: 0 },
        service_tier: 'standard',
      },
    }),
    calls: [
      {
        ...acme,
        model: 'claude-sonnet-4-5',
        units: {
          ...{ input_tokens: 10, cache_read_tokens: 1000, cache_write_tokens: 300 },
          ...{ cache_write_1h_tokens: 500, output_tokens: 20, searches: 2 },
        },
      },
    ],
  },
  {
    name: "Gemini's own usage with an image in and an image out",
    because: '100 + 10 of tools, 258 of image; 1290 of image and 50 of thoughts; all: 1708',
    body: nativeOf({
      ...{ provider: 'gemini', requested_model: 'gemini-2.5-flash-image' },
      provider_usage: {
        ...{ promptTokenCount: 358, candidatesTokenCount: 1290, thoughtsTokenCount: 50 },
        ...{ toolUsePromptTokenCount: 10, totalTokenCount: 1708 },
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: 100 },
          { modality: 'IMAGE', tokenCount: 258 },
        ],
        candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1290 }],
      },
    }),
    calls: [
      {
        ...acme,
        model: 'gemini-2.5-flash-image',
        units: {
          ...{ input_tokens: 110, input_image_tokens: 258, output_tokens: 50 },
          output_image_tokens: 1290,
        },
        reasoning: 50,
      },
    ],
  },
  {
    name: "OpenAI's own usage of a realtime session",
    because: '119 of text of which 64 cached, 13 of audio; 30 of text and 91 of audio out',
    body: nativeOf({
      ...{ provider: 'openai', requested_model: 'gpt-realtime', operation: 'realtime' },
      provider_usage: {
        ...{ total_tokens: 253, input_tokens: 132, output_tokens: 121 },
        input_token_details: {
          ...{ text_tokens: 119, audio_tokens: 13, image_tokens: 0, cached_tokens: 64 },
          cached_tokens_details: { text_tokens: 64, audio_tokens: 0 },
        },
        output_token_details: { text_tokens: 30, audio_tokens: 91 },
      },
    }),
    calls: [
      {
        ...acme,
        model: 'gpt-realtime',
        units: {
          ...{ input_tokens: 55, cache_read_tokens: 64, input_audio_tokens: 13 },
          ...{ output_tokens: 30, output_audio_tokens: 91 },
        },
      },
    ],
  },
  {
    name: "OpenAI's own usage of a transcription that is paid by its length",
    because: '12.4 seconds are 12,400 milliseconds',
    body: nativeOf({
      ...{ provider: 'openai', requested_model: 'whisper-1', operation: 'transcription' },
      provider_usage: { type: 'duration', seconds: 12.4 },
    }),
    calls: [{ ...acme, model: 'whisper-1', units: { audio_ms: 12_400 } }],
  },
  {
    name: "Cohere's own usage, which bills less than it reads",
    because: 'Cohere bills 5 of the 71 that it read',
    body: nativeOf({
      ...{ provider: 'cohere', requested_model: 'command-r' },
      provider_usage: {
        billed_units: { input_tokens: 5, output_tokens: 4 },
        tokens: { input_tokens: 71, output_tokens: 4 },
      },
    }),
    calls: [{ ...acme, model: 'command-r', units: { input_tokens: 5, output_tokens: 4 } }],
  },
  {
    name: "DeepSeek's own usage",
    because: '64 hits and 36 misses are the 100',
    body: nativeOf({
      ...{ provider: 'deepseek', requested_model: 'deepseek-chat' },
      provider_usage: {
        ...{ prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 },
        ...{ prompt_cache_hit_tokens: 64, prompt_cache_miss_tokens: 36 },
      },
    }),
    calls: [
      {
        ...acme,
        model: 'deepseek-chat',
        units: { input_tokens: 36, cache_read_tokens: 64, output_tokens: 10 },
      },
    ],
  },
  {
    name: "OpenRouter's usage of a call by a key of the customer's own",
    because: 'the cost of OpenRouter is its fee then, and the upstream cost is what was paid',
    body: nativeOf({
      ...{ provider: 'openrouter', requested_model: 'openai/gpt-4o' },
      provider_usage: {
        ...{ prompt_tokens: 194, completion_tokens: 2, total_tokens: 196, cost: 0.00095 },
        ...{ is_byok: true, cost_details: { upstream_inference_cost: 0.019 } },
        prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
    }),
    calls: [{ ...acme, model: 'openai/gpt-4o', units: { input_tokens: 194, output_tokens: 2 } }],
  },
  {
    name: "xAI's own usage, whose thoughts stand beside the completion",
    because: '32 of which 6 cached; 9 + 94 = 103; all: 135',
    body: nativeOf({
      ...{ provider: 'xai', requested_model: 'grok-4' },
      provider_usage: {
        ...{ prompt_tokens: 32, completion_tokens: 9, total_tokens: 135, num_sources_used: 0 },
        prompt_tokens_details: {
          text_tokens: 32,
          audio_tokens: 0,
          image_tokens: 0,
          cached_tokens: 6,
        },
        completion_tokens_details: { reasoning_tokens: 94, audio_tokens: 0 },
      },
    }),
    calls: [
      {
        ...acme,
        model: 'grok-4',
        units: { input_tokens: 26, cache_read_tokens: 6, output_tokens: 103 },
        reasoning: 94,
      },
    ],
  },
  {
    name: "Groq's own usage with its times",
    because: 'seconds of waiting are no units',
    body: nativeOf({
      ...{ provider: 'groq', requested_model: 'llama-3.3-70b-versatile' },
      provider_usage: {
        ...{ queue_time: 0.03, prompt_tokens: 18, prompt_time: 0.0005, completion_tokens: 556 },
        ...{ completion_time: 0.46, total_tokens: 574, total_time: 0.47 },
      },
    }),
    calls: [
      {
        ...acme,
        model: 'llama-3.3-70b-versatile',
        units: { input_tokens: 18, output_tokens: 556 },
      },
    ],
  },
  {
    name: "OpenAI's own usage of an image",
    because:
      '10 of text and 40 of image in; 1000 out, which the price of the model takes for image',
    body: nativeOf({
      ...{ provider: 'openai', requested_model: 'gpt-image-1', operation: 'image' },
      provider_usage: {
        ...{ input_tokens: 50, output_tokens: 1000, total_tokens: 1050 },
        input_tokens_details: { text_tokens: 10, image_tokens: 40 },
      },
    }),
    calls: [
      {
        ...acme,
        model: 'gpt-image-1',
        units: { input_tokens: 10, input_image_tokens: 40, output_tokens: 1000 },
      },
    ],
  },
  {
    name: "Bedrock's own usage, whose total holds the cache",
    because: '10 + 20 + 1000 = 1030',
    body: nativeOf({
      ...{ provider: 'aws.bedrock', requested_model: 'us.amazon.nova-pro-v1:0' },
      provider_usage: {
        ...{ inputTokens: 10, outputTokens: 20, totalTokens: 1030 },
        ...{ cacheReadInputTokens: 1000, cacheWriteInputTokens: 0 },
      },
    }),
    calls: [
      {
        ...acme,
        model: 'us.amazon.nova-pro-v1:0',
        units: { input_tokens: 10, cache_read_tokens: 1000, output_tokens: 20 },
      },
    ],
  },
  {
    name: "Gemini's own usage with a cached recording",
    because: 'text 300 - 150, sound 100 - 50; cached 150 and 50',
    body: nativeOf({
      ...{ provider: 'vertex_ai', requested_model: 'gemini-2.5-flash' },
      provider_usage: {
        ...{ promptTokenCount: 400, candidatesTokenCount: 10, totalTokenCount: 410 },
        cachedContentTokenCount: 200,
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: 300 },
          { modality: 'AUDIO', tokenCount: 100 },
        ],
        cacheTokensDetails: [
          { modality: 'TEXT', tokenCount: 150 },
          { modality: 'AUDIO', tokenCount: 50 },
        ],
        candidatesTokensDetails: [{ modality: 'TEXT', tokenCount: 10 }],
        trafficType: 'ON_DEMAND',
      },
    }),
    calls: [
      {
        ...acme,
        model: 'gemini-2.5-flash',
        units: {
          ...{ input_tokens: 150, cache_read_tokens: 150, input_audio_tokens: 50 },
          ...{ cache_read_audio_tokens: 50, output_tokens: 10 },
        },
      },
    ],
  },
  {
    name: "Cohere's own usage of a rerank",
    because: 'one search unit',
    body: nativeOf({
      ...{ provider: 'cohere', requested_model: 'rerank-v3.5', operation: 'rerank' },
      provider_usage: { billed_units: { search_units: 1 } },
    }),
    calls: [{ ...acme, model: 'rerank-v3.5', units: { search_units: 1 } }],
  },
  {
    name: "Voyage's own usage of a rerank, which gives a total alone",
    because: 'a rerank has no output: the total was read',
    body: nativeOf({
      ...{ provider: 'voyageai', requested_model: 'rerank-2.5', operation: 'rerank' },
      provider_usage: { total_tokens: 50 },
    }),
    calls: [{ ...acme, model: 'rerank-2.5', units: { input_tokens: 50 } }],
  },
  {
    name: "Perplexity's own usage with searches",
    because: 'three searches beside the tokens',
    body: nativeOf({
      ...{ provider: 'perplexity', requested_model: 'sonar-pro' },
      provider_usage: {
        ...{ prompt_tokens: 14, completion_tokens: 200, total_tokens: 214 },
        ...{ num_search_queries: 3, search_context_size: 'low' },
      },
    }),
    calls: [
      { ...acme, model: 'sonar-pro', units: { input_tokens: 14, output_tokens: 200, searches: 3 } },
    ],
  },
];
