import { type PlausibleBody, spanOf, tracesOf } from './plausible-bodies.ts';

const acme = { tenant: 'acme' } as const;

/** A span of LiteLLM's exporter, which names its call types as operations. */
function exported(callType: string, more: Readonly<Record<string, string | number>> = {}): object {
  return tracesOf(
    'litellm',
    spanOf(
      {
        ...{ 'gen_ai.operation.name': callType, 'gen_ai.system': 'openai' },
        'gen_ai.request.model': 'gpt-4o',
        ...more,
      },
      { name: 'litellm_request' },
    ),
  );
}

const COUNTED = { 'gen_ai.usage.input_tokens': 10, 'gen_ai.usage.output_tokens': 2 };
const units = { input_tokens: 10, output_tokens: 2 } as const;

function countOf(type: string): object {
  return {
    ...{ specversion: '1.0', id: `om-${type}`, source: 'openmeter', type: 'prompt' },
    ...{ subject: 'acme', time: '2026-10-15T12:00:00Z' },
    data: { tokens: 600, model: 'gpt-4o', type },
  };
}

/** What exporters and meters send under names that are not those of a call. */
export const EXPORTED: readonly PlausibleBody[] = [
  ...(
    [
      ['acompletion', 'chat'],
      ['aimage_generation', 'image'],
      ['atranscription', 'transcription'],
      ['aspeech', 'speech'],
      ['arerank', 'rerank'],
      ['_arealtime', 'realtime'],
      ['allm_passthrough_route', 'chat'],
    ] as const
  ).map(([callType, operation]) => ({
    name: `a span of LiteLLM's exporter of the type ${callType}`,
    because: 'the call type is a call under another name',
    body: exported(callType, COUNTED),
    calls: [{ ...acme, model: 'gpt-4o', operation, units }],
  })),
  ...['acreate_batch', 'aretrieve_batch', 'afile_content', 'avector_store_create'].map(
    (callType) => ({
      name: `a span of LiteLLM's exporter of the type ${callType}`,
      because: 'upkeep, for which no provider takes money, though it names a model',
      body: exported(callType),
      calls: [],
    }),
  ),
  {
    name: 'a batch that was retrieved with its usage, by the exporter of LiteLLM',
    because: 'its usage is that of calls, at the price of a batch',
    body: exported('aretrieve_batch', COUNTED),
    calls: [{ ...acme, model: 'gpt-4o', operation: 'chat', tier: 'batch', units }],
  },
  {
    name: "OpenAI's details within Langfuse's usage, flattened into names with a dot",
    because: '100 of which 64 cached; 20 of which 5 thought',
    body: tracesOf(
      'langfuse-sdk',
      spanOf({
        'langfuse.observation.type': 'generation',
        'langfuse.observation.model.name': 'o4-mini',
        'langfuse.observation.usage_details': JSON.stringify({
          ...{ prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
          'prompt_tokens_details.cached_tokens': 64,
          'completion_tokens_details.reasoning_tokens': 5,
        }),
      }),
    ),
    calls: [
      {
        ...{ ...acme, model: 'o4-mini', reasoning: 5 },
        units: { input_tokens: 36, cache_read_tokens: 64, output_tokens: 20 },
      },
    ],
  },
  ...['cached', 'cached_input', 'cache_read'].map((type) => ({
    name: `a count of OpenMeter of the type ${type}`,
    because: 'what was read from the cache is input that is not charged as the rest',
    body: countOf(type),
    calls: [
      { ...acme, model: 'gpt-4o', units: { cache_read_tokens: 600 }, source: 'reported' as const },
    ],
  })),
  {
    name: 'a call around one that counted zeros',
    because: 'zeros count nothing: the span around has the counts, and both are one call',
    body: tracesOf(
      'gateway',
      spanOf(
        {
          ...{ 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o' },
          ...{ 'gen_ai.usage.input_tokens': 500, 'gen_ai.usage.output_tokens': 80 },
        },
        { spanId: '00000000000000a1' },
      ),
      spanOf(
        {
          ...{ 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o' },
          ...{ 'gen_ai.usage.input_tokens': 0, 'gen_ai.usage.output_tokens': 0 },
        },
        { spanId: '00000000000000a2', parentSpanId: '00000000000000a1' },
      ),
    ),
    calls: [{ ...acme, model: 'gpt-4o', units: { input_tokens: 500, output_tokens: 80 } }],
  },
];
