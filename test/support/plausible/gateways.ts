import { litellmOf, logsOf, type PlausibleBody } from './plausible-bodies.ts';

const acme = { tenant: 'acme' } as const;

/** What gateways, tools and batches of providers send, beside spans. */
export const GATEWAYS: readonly PlausibleBody[] = [
  {
    name: 'a log of Claude Code with counts as texts and its cost',
    because: 'cache stands beside the input: 4 + 5000 + 300',
    body: logsOf('com.anthropic.claude_code.events', {
      'event.name': 'api_request',
      model: 'claude-sonnet-4-5-20250929',
      input_tokens: '4',
      output_tokens: '90',
      cache_read_tokens: '5000',
      cache_creation_tokens: '300',
      cost_usd: '0.0041',
      'user.account_uuid': 'u-1',
    }),
    calls: [
      {
        ...acme,
        model: 'claude-sonnet-4-5-20250929',
        units: {
          ...{ input_tokens: 4, cache_read_tokens: 5000, cache_write_tokens: 300 },
          output_tokens: 90,
        },
        cost: '0.0041',
      },
    ],
  },
  {
    name: 'a log of Codex',
    because: 'OpenAI counts the cache in the input and the thoughts in the output: 1000 - 600',
    body: logsOf('codex_cli_rs', {
      'event.name': 'codex.sse_event',
      'event.kind': 'response.completed',
      model: 'gpt-5-codex',
      'conversation.id': 'c1',
      input_token_count: 1000,
      cached_token_count: 600,
      output_token_count: 80,
      reasoning_token_count: 30,
      tool_token_count: 1080,
    }),
    calls: [
      {
        ...acme,
        model: 'gpt-5-codex',
        units: { input_tokens: 400, cache_read_tokens: 600, output_tokens: 80 },
        reasoning: 30,
      },
    ],
  },
  {
    name: 'a log of Gemini CLI',
    because: '1000 of which 600 cached, and 30 of tools: 430 + 600; 50 + 20 thoughts; all: 1100',
    body: logsOf('gemini-cli', {
      'event.name': 'gemini_cli.api_response',
      model: 'gemini-2.5-pro',
      input_token_count: 1000,
      cached_content_token_count: 600,
      output_token_count: 50,
      thoughts_token_count: 20,
      tool_token_count: 30,
      total_token_count: 1100,
      prompt_id: 'p1',
    }),
    calls: [
      {
        ...acme,
        model: 'gemini-2.5-pro',
        units: { input_tokens: 430, cache_read_tokens: 600, output_tokens: 70 },
        reasoning: 20,
      },
    ],
  },
  {
    name: 'LiteLLM with a usage object of Anthropic',
    because: 'LiteLLM counts both sides of the cache in the prompt: 1000 - 600 - 100',
    body: litellmOf({
      ...{ custom_llm_provider: 'anthropic', model: 'claude-sonnet-4-5' },
      model_group: 'claude-sonnet-4-5',
      metadata: {
        user_api_key_team_id: 'acme',
        usage_object: {
          ...{ prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
          ...{ cache_creation_input_tokens: 100, cache_read_input_tokens: 600 },
          prompt_tokens_details: { cached_tokens: 600, audio_tokens: null },
        },
      },
    }),
    calls: [
      {
        ...acme,
        model: 'claude-sonnet-4-5',
        units: {
          ...{ input_tokens: 300, cache_read_tokens: 600, cache_write_tokens: 100 },
          output_tokens: 100,
        },
      },
    ],
  },
  {
    name: 'LiteLLM that speaks and gives no count',
    because: 'a call that reports nothing is unmeasured, and not free',
    body: litellmOf({
      ...{ call_type: 'aspeech', model: 'tts-1', model_group: 'tts-1' },
      ...{ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    }),
    calls: [{ ...acme, model: 'tts-1', units: {}, outcome: 'unmeasured' }],
  },
  {
    name: 'LiteLLM with a flexible tier and a hit of its own cache',
    because: 'the tier was asked for; the gateway answered from its cache',
    body: litellmOf({ cache_hit: true, model_parameters: { service_tier: 'flex' } }),
    calls: [
      {
        ...{ ...acme, model: 'gpt-4o', tier: 'flex', cache: 'exact' },
        units: { input_tokens: 1000, output_tokens: 100 },
      },
    ],
  },
  {
    name: 'LiteLLM that failed',
    because: 'a failed call keeps what was reported, and its status',
    body: litellmOf({
      ...{ status: 'failure', completion_tokens: 0, total_tokens: 1000 },
      error_information: { error_class: 'RateLimitError', error_code: '429' },
    }),
    calls: [{ ...acme, model: 'gpt-4o', status: 'error', units: { input_tokens: 1000 } }],
  },
  {
    name: 'a result line of an OpenAI batch',
    because: 'a batch has the tier batch',
    body: {
      ...{ id: 'batch_req_7', custom_id: 'r7', error: null },
      response: {
        ...{ status_code: 200, request_id: 'q7' },
        body: {
          ...{ id: 'chatcmpl-b7', object: 'chat.completion', created: 1792065600 },
          model: 'gpt-4o-mini-2024-07-18',
          usage: {
            ...{ prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 },
            prompt_tokens_details: { cached_tokens: 0 },
          },
        },
      },
    },
    calls: [
      {
        ...{ tenant: null, model: 'gpt-4o-mini-2024-07-18', tier: 'batch' },
        units: { input_tokens: 100, output_tokens: 10 },
      },
    ],
  },
  {
    name: 'a result line of a batch of embeddings',
    because: 'embeddings have no output',
    body: {
      ...{ id: 'batch_req_8', custom_id: 'r8', error: null },
      response: {
        ...{ status_code: 200, request_id: 'q8' },
        body: {
          ...{ object: 'list', data: [], model: 'text-embedding-3-small' },
          usage: { prompt_tokens: 8, total_tokens: 8 },
        },
      },
    },
    calls: [
      {
        ...{ tenant: null, model: 'text-embedding-3-small', tier: 'batch' },
        units: { input_tokens: 8 },
      },
    ],
  },
  {
    name: 'a result line of a batch that failed',
    because: 'nothing was answered, and so nothing is charged; but it is no silence',
    body: {
      ...{ id: 'batch_req_9', custom_id: 'r9' },
      error: null,
      response: {
        ...{ status_code: 400, request_id: 'q9' },
        body: { error: { message: 'x', type: 'invalid_request_error', code: null } },
      },
    },
    calls: [{ tenant: null, model: 'unknown', status: 'error', units: {} }],
  },
  {
    name: "a result line of Anthropic's batches",
    because: 'a batch has the tier batch; the cache stands beside',
    body: {
      custom_id: 'c1',
      result: {
        type: 'succeeded',
        message: {
          ...{
            id: 'msg_1',
            type: 'message',
            role: 'assistant',
            model: 'claude-sonnet-4-5-20250929',
          },
          usage: {
            ...{ input_tokens: 11, output_tokens: 36, cache_read_input_tokens: 500 },
            ...{ cache_creation_input_tokens: 0, service_tier: 'batch' },
          },
        },
      },
    },
    calls: [
      {
        ...{ tenant: null, model: 'claude-sonnet-4-5-20250929', tier: 'batch' },
        units: { input_tokens: 11, cache_read_tokens: 500, output_tokens: 36 },
      },
    ],
  },
  {
    name: 'LiteLLM that moderates',
    because: 'what it counts is read; there is no output',
    body: litellmOf({
      ...{ call_type: 'amoderation', model: 'omni-moderation-latest', model_group: '' },
      ...{ prompt_tokens: 12, completion_tokens: 0, total_tokens: 12 },
    }),
    calls: [{ ...acme, model: 'omni-moderation-latest', units: { input_tokens: 12 } }],
  },
  {
    name: 'LiteLLM in a realtime session with sound',
    because: '100 of text and 32 of sound; 30 and 91 out',
    body: litellmOf({
      ...{ call_type: '_arealtime', model: 'gpt-realtime', model_group: 'gpt-realtime' },
      ...{ prompt_tokens: 132, completion_tokens: 121, total_tokens: 253 },
      metadata: {
        user_api_key_team_id: 'acme',
        usage_object: {
          ...{ prompt_tokens: 132, completion_tokens: 121, total_tokens: 253 },
          prompt_tokens_details: { text_tokens: 100, audio_tokens: 32, cached_tokens: 0 },
          completion_tokens_details: { text_tokens: 30, audio_tokens: 91 },
        },
      },
    }),
    calls: [
      {
        ...acme,
        model: 'gpt-realtime',
        units: {
          ...{ input_tokens: 100, input_audio_tokens: 32 },
          ...{ output_tokens: 30, output_audio_tokens: 91 },
        },
      },
    ],
  },
  {
    name: 'LiteLLM whose prompt counts what Gemini read for its tools',
    because: 'of 165, 25 are no completion: they are prompt of tools',
    body: litellmOf({
      ...{ custom_llm_provider: 'vertex_ai', model: 'gemini-2.5-flash' },
      ...{ model_group: 'gemini-2.5-flash', prompt_tokens: 100, completion_tokens: 40 },
      total_tokens: 165,
      metadata: {
        user_api_key_team_id: 'acme',
        usage_object: {
          ...{ prompt_tokens: 100, completion_tokens: 40, total_tokens: 165 },
          completion_tokens_details: { reasoning_tokens: 0, text_tokens: 40 },
        },
      },
    }),
    calls: [
      { ...acme, model: 'gemini-2.5-flash', units: { input_tokens: 125, output_tokens: 40 } },
    ],
  },
  {
    name: 'Kong with what was cached',
    because: '1000 of which 600 cached',
    body: {
      ...{ request: { id: 'k9', uri: '/chat' }, response: { status: 200 } },
      ...{ started_at: 1792065598100, latencies: { request: 2200 } },
      consumer: { id: 'c', username: 'acme', custom_id: 'acme' },
      ai: {
        'ai-proxy-advanced': {
          meta: {
            ...{ request_model: 'gpt-4o', response_model: 'gpt-4o-2024-08-06' },
            ...{ provider_name: 'azure', request_mode: 'stream', llm_latency: 900 },
          },
          usage: {
            ...{ prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100, cost: 0.003 },
            prompt_tokens_details: { cached_tokens: 600, audio_tokens: 0 },
            time_per_token: 3.1,
          },
          cache: {},
        },
      },
    },
    calls: [
      {
        ...acme,
        model: 'gpt-4o',
        units: { input_tokens: 400, cache_read_tokens: 600, output_tokens: 100 },
      },
    ],
  },
  {
    name: 'LangWatch with a single envelope, a prefix and sound beside the input',
    because: '100 of text, 50 of sound and 512 cached stand apart',
    body: {
      ...{ id: 'r:c', type: 'gateway.request.completed', created: '2026-10-15T12:00:00Z' },
      schema_version: '1',
      data: {
        ...{ event_id: 'r:c', gateway_request_id: 'r', occurred_at: '2026-10-15T12:00:00Z' },
        ...{
          model: 'gemini/gemini-2.5-flash',
          request_type: 'chat_completions',
          status: 'success',
        },
        usage: {
          ...{ input_tokens: 100, input_audio_tokens: 50, cache_read_input_tokens: 512 },
          output_tokens: 20,
        },
        metadata: { tenant_id: 'acme' },
      },
    },
    calls: [
      {
        ...acme,
        model: 'gemini-2.5-flash',
        units: {
          ...{ input_tokens: 100, input_audio_tokens: 50, cache_read_tokens: 512 },
          output_tokens: 20,
        },
      },
    ],
  },
  {
    name: 'a log of Bedrock whose answer was refused',
    because: 'an error of the service is no charge',
    body: {
      ...{ schemaType: 'ModelInvocationLog', schemaVersion: '1.0', accountId: '123456789012' },
      ...{ timestamp: '2026-10-15T12:00:00Z', region: 'us-east-1', requestId: 'b9' },
      ...{ operation: 'Converse', modelId: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0' },
      errorCode: 'ThrottlingException',
      input: { inputContentType: 'application/json', inputTokenCount: 0 },
      requestMetadata: { tenant_id: 'acme' },
    },
    calls: [
      {
        ...acme,
        model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
        ...{ status: 'error', units: {} },
      },
    ],
  },
];
