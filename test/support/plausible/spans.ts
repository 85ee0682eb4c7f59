import { type PlausibleBody, spanOf, tracesOf } from './plausible-bodies.ts';

const OPENAI = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': 'gpt-4o',
};

const CLAUDE = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'anthropic',
  'gen_ai.request.model': 'claude-sonnet-4-5',
};

const GEMINI = {
  'gen_ai.operation.name': 'generate_content',
  'gen_ai.provider.name': 'gcp.gemini',
  'gen_ai.request.model': 'gemini-2.5-pro',
};

const acme = { tenant: 'acme' } as const;

/** Spans of instrumentations by the names of conventions, old and new. */
export const SPANS: readonly PlausibleBody[] = [
  {
    name: 'a span whose input includes what was read from the cache, and says so by its total',
    because: '1000 in + 100 out = 1100; of 1000, 600 were cached: 400 + 600',
    body: tracesOf(
      'otel',
      spanOf({
        ...OPENAI,
        'gen_ai.usage.input_tokens': 1000,
        'gen_ai.usage.cache_read.input_tokens': 600,
        'gen_ai.usage.output_tokens': 100,
        'gen_ai.usage.total_tokens': 1100,
      }),
    ),
    calls: [
      {
        ...acme,
        model: 'gpt-4o',
        units: { input_tokens: 400, cache_read_tokens: 600, output_tokens: 100 },
      },
    ],
  },
  {
    name: 'a span of Bedrock whose total shows that the cache stands beside the input',
    because: '10 + 1000 + 100 = 1110: the cache is not in the 10',
    body: tracesOf(
      'opentelemetry.instrumentation.botocore',
      spanOf({
        ...CLAUDE,
        'gen_ai.provider.name': 'aws.bedrock',
        'gen_ai.request.model': 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
        'gen_ai.usage.input_tokens': 10,
        'gen_ai.usage.cache_read_input_tokens': 1000,
        'gen_ai.usage.output_tokens': 100,
        'gen_ai.usage.total_tokens': 1110,
      }),
    ),
    calls: [
      {
        ...acme,
        model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
        units: { input_tokens: 10, cache_read_tokens: 1000, output_tokens: 100 },
      },
    ],
  },
  {
    name: 'a span of Gemini whose total holds more than input and output',
    because: '340 - 100 - 40 = 200 of thoughts, which Gemini counts outside its output',
    body: tracesOf(
      'otel',
      spanOf({
        ...GEMINI,
        'gen_ai.usage.input_tokens': 100,
        'gen_ai.usage.output_tokens': 40,
        'gen_ai.usage.total_tokens': 340,
      }),
    ),
    calls: [
      {
        ...acme,
        model: 'gemini-2.5-pro',
        units: { input_tokens: 100, output_tokens: 240 },
        reasoning: 200,
      },
    ],
  },
  {
    name: 'a span of Anthropic whose total holds what nothing explains',
    because:
      'Anthropic counts thoughts in its output and the cache beside its input: 200 cached, assumed',
    body: tracesOf(
      'otel',
      spanOf({
        ...CLAUDE,
        'gen_ai.usage.input_tokens': 100,
        'gen_ai.usage.output_tokens': 40,
        'gen_ai.usage.total_tokens': 340,
      }),
    ),
    calls: [
      {
        ...acme,
        model: 'claude-sonnet-4-5',
        units: { input_tokens: 100, cache_read_tokens: 200, output_tokens: 40 },
        reasoning: 0,
        source: 'assumed',
      },
    ],
  },
  {
    name: 'a span of xAI that gives its thoughts beside the output',
    because: '100 + 40 + 200 = 340',
    body: tracesOf(
      'otel',
      spanOf({
        ...OPENAI,
        'gen_ai.provider.name': 'xai',
        'gen_ai.request.model': 'grok-4',
        'gen_ai.usage.input_tokens': 100,
        'gen_ai.usage.output_tokens': 40,
        'gen_ai.usage.reasoning_tokens': 200,
        'gen_ai.usage.total_tokens': 340,
      }),
    ),
    calls: [
      {
        ...acme,
        model: 'grok-4',
        units: { input_tokens: 100, output_tokens: 240 },
        reasoning: 200,
      },
    ],
  },
  {
    name: 'a span of OpenAI that gives its thoughts within the output',
    because: '100 + 240 = 340',
    body: tracesOf(
      'otel',
      spanOf({
        ...OPENAI,
        'gen_ai.request.model': 'o4-mini',
        'gen_ai.usage.input_tokens': 100,
        'gen_ai.usage.output_tokens': 240,
        'gen_ai.usage.reasoning_tokens': 200,
        'gen_ai.usage.total_tokens': 340,
      }),
    ),
    calls: [
      {
        ...acme,
        model: 'o4-mini',
        units: { input_tokens: 100, output_tokens: 240 },
        reasoning: 200,
      },
    ],
  },
  {
    name: 'Traceloop with the older names and a total that includes the cache',
    because: '1000 + 100 = 1100: the 600 are in the 1000',
    body: tracesOf(
      'opentelemetry.instrumentation.anthropic',
      spanOf({
        'llm.request.type': 'chat',
        'gen_ai.system': 'Anthropic',
        'gen_ai.request.model': 'claude-sonnet-4-5',
        'gen_ai.usage.prompt_tokens': 1000,
        'gen_ai.usage.completion_tokens': 100,
        'gen_ai.usage.cache_read_input_tokens': 600,
        'llm.usage.total_tokens': 1100,
      }),
    ),
    calls: [
      {
        ...acme,
        model: 'claude-sonnet-4-5',
        units: { input_tokens: 400, cache_read_tokens: 600, output_tokens: 100 },
      },
    ],
  },
  {
    name: 'LangSmith, which writes a Python dict as text',
    because: '1000 of which 600 were read from the cache',
    body: tracesOf(
      'langsmith',
      spanOf({
        ...OPENAI,
        'gen_ai.usage.input_tokens': 1000,
        'gen_ai.usage.output_tokens': 100,
        'gen_ai.usage.total_tokens': 1100,
        'gen_ai.usage.input_token_details': "{'cache_read': 600, 'audio': 0}",
      }),
    ),
    calls: [
      {
        ...acme,
        model: 'gpt-4o',
        units: { input_tokens: 400, cache_read_tokens: 600, output_tokens: 100 },
      },
    ],
  },
  {
    name: 'OTLP in snake case',
    because: 'the same as in camel case',
    body: {
      resource_spans: [
        {
          resource: { attributes: [{ key: 'tenant_id', value: { string_value: 'acme' } }] },
          scope_spans: [
            {
              scope: { name: 'otel' },
              spans: [
                {
                  ...{ trace_id: '0af7651916cd43dd8448eb211c80319c', span_id: '00000000000000b1' },
                  ...{ name: 'chat', kind: 3, start_time_unix_nano: '1792065598000000000' },
                  end_time_unix_nano: '1792065600000000000',
                  attributes: [
                    { key: 'gen_ai.operation.name', value: { string_value: 'chat' } },
                    { key: 'gen_ai.request.model', value: { string_value: 'gpt-4o' } },
                    { key: 'gen_ai.usage.input_tokens', value: { int_value: 12 } },
                    { key: 'gen_ai.usage.output_tokens', value: { int_value: '3' } },
                  ],
                },
              ],
            },
          ],
        },
      ],
    },
    calls: [{ ...acme, model: 'gpt-4o', units: { input_tokens: 12, output_tokens: 3 } }],
  },
  {
    name: 'an operation that nobody listed',
    because: 'it has a model and counts: it is a call',
    body: tracesOf(
      'house',
      spanOf({
        ...OPENAI,
        'gen_ai.operation.name': 'summarize_pages',
        'gen_ai.usage.input_tokens': 9,
        'gen_ai.usage.output_tokens': 1,
      }),
    ),
    calls: [{ ...acme, model: 'gpt-4o', units: { input_tokens: 9, output_tokens: 1 } }],
  },
  {
    name: 'an agent, a step and a call that all carry the same usage',
    because: 'only the call is paid for',
    body: tracesOf(
      'agents',
      spanOf(
        {
          'gen_ai.operation.name': 'invoke_agent',
          'gen_ai.request.model': 'gpt-4o',
          'gen_ai.usage.input_tokens': 50,
          'gen_ai.usage.output_tokens': 5,
        },
        { spanId: '00000000000000c1' },
      ),
      spanOf(
        {
          'gen_ai.operation.name': 'invoke_workflow',
          'gen_ai.usage.input_tokens': 50,
          'gen_ai.usage.output_tokens': 5,
        },
        { spanId: '00000000000000c2', parentSpanId: '00000000000000c1' },
      ),
      spanOf(
        { ...OPENAI, 'gen_ai.usage.input_tokens': 50, 'gen_ai.usage.output_tokens': 5 },
        { spanId: '00000000000000c3', parentSpanId: '00000000000000c2' },
      ),
    ),
    calls: [{ ...acme, model: 'gpt-4o', units: { input_tokens: 50, output_tokens: 5 } }],
  },
  {
    name: 'two instrumentations of one call with a step between them',
    because: 'the outer span encloses the inner one in time and has its counts: one call',
    body: tracesOf(
      'two',
      spanOf(
        { ...OPENAI, 'gen_ai.usage.input_tokens': 70, 'gen_ai.usage.output_tokens': 7 },
        { spanId: '00000000000000d1' },
      ),
      spanOf(
        { 'gen_ai.operation.name': 'execute_tool' },
        {
          ...{ spanId: '00000000000000d2', parentSpanId: '00000000000000d1', name: 'step' },
          startTimeUnixNano: '1792065598100000000',
          endTimeUnixNano: '1792065599900000000',
        },
      ),
      spanOf(
        {
          ...OPENAI,
          'gen_ai.response.id': 'chatcmpl-d',
          'gen_ai.usage.input_tokens': 70,
          'gen_ai.usage.output_tokens': 7,
        },
        {
          ...{ spanId: '00000000000000d3', parentSpanId: '00000000000000d2' },
          startTimeUnixNano: '1792065598200000000',
          endTimeUnixNano: '1792065599800000000',
        },
      ),
    ),
    calls: [{ ...acme, model: 'gpt-4o', units: { input_tokens: 70, output_tokens: 7 } }],
  },
  {
    name: 'two calls of one step with equal counts at the same time',
    because: 'they stand beside one another, and so are two',
    body: tracesOf(
      'two',
      ...['e1', 'e2'].map((id) =>
        spanOf(
          { ...OPENAI, 'gen_ai.usage.input_tokens': 70, 'gen_ai.usage.output_tokens': 7 },
          { spanId: `00000000000000${id}`, parentSpanId: '00000000000000e0' },
        ),
      ),
    ),
    calls: [
      { ...acme, model: 'gpt-4o', units: { input_tokens: 70, output_tokens: 7 } },
      { ...acme, model: 'gpt-4o', units: { input_tokens: 70, output_tokens: 7 } },
    ],
  },
  {
    name: 'a span with the old and the new names of the same counts, one as a float',
    because: 'a count that stands twice is one count',
    body: tracesOf(
      'otel',
      spanOf({
        ...OPENAI,
        'gen_ai.usage.prompt_tokens': 1000,
        'gen_ai.usage.completion_tokens': 100,
        'gen_ai.usage.input_tokens': '1000.0',
        'gen_ai.usage.output_tokens': 100,
      }),
    ),
    calls: [{ ...acme, model: 'gpt-4o', units: { input_tokens: 1000, output_tokens: 100 } }],
  },
  {
    name: 'a span with the flat names of Sentry',
    because: '1000 of which 600 cached and 100 written',
    body: tracesOf(
      'sentry',
      spanOf({
        ...CLAUDE,
        'gen_ai.usage.input_tokens': 1000,
        'gen_ai.usage.input_tokens.cached': 600,
        'gen_ai.usage.input_tokens.cache_write': 100,
        'gen_ai.usage.output_tokens': 50,
        'gen_ai.usage.output_tokens.reasoning': 20,
        'gen_ai.usage.total_tokens': 1050,
      }),
    ),
    calls: [
      {
        ...acme,
        model: 'claude-sonnet-4-5',
        units: {
          ...{ input_tokens: 300, cache_read_tokens: 600, cache_write_tokens: 100 },
          output_tokens: 50,
        },
        reasoning: 20,
      },
    ],
  },
  {
    name: 'the span of a server of vLLM',
    because: 'its model and its counts have names of their own',
    body: tracesOf(
      'vllm.llm_engine',
      spanOf(
        {
          'gen_ai.response.model': 'meta-llama/Llama-3.1-8B-Instruct',
          'gen_ai.request.id': 'cmpl-1',
          'gen_ai.usage.prompt_tokens': 30,
          'gen_ai.usage.completion_tokens': 12,
          'gen_ai.latency.e2e': 0.5,
        },
        { name: 'llm_request' },
      ),
    ),
    calls: [
      {
        ...acme,
        model: 'meta-llama/Llama-3.1-8B-Instruct',
        units: { input_tokens: 30, output_tokens: 12 },
      },
    ],
  },
  {
    name: 'MLflow, which keeps its usage as JSON',
    because: '100 + 20 = 120',
    body: tracesOf(
      'mlflow',
      spanOf({
        'mlflow.spanType': '"CHAT_MODEL"',
        'mlflow.chat.tokenUsage': '{"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}',
        'mlflow.llm.model': '"gpt-4o-mini"',
      }),
    ),
    calls: [{ ...acme, model: 'gpt-4o-mini', units: { input_tokens: 100, output_tokens: 20 } }],
  },
];
