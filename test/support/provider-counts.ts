import type { UsageCounts } from '../../src/events/event.ts';
import { readProviderUsage } from '../../src/events/provider-usage.ts';
import { readUsage, usageSchema } from '../../src/events/usage-fields.ts';
import { countOnSide } from '../../src/units.ts';

/** The interfaces of providers that the recorded responses name. */
export type Interface =
  | 'openai_chat'
  | 'openai_responses'
  | 'openai_embeddings'
  | 'anthropic'
  | 'gemini'
  | 'bedrock_converse'
  | 'cohere';

const CALLS: Readonly<Record<Interface, { readonly provider: string; readonly api: string }>> = {
  openai_chat: { provider: 'openai', api: 'chat' },
  openai_responses: { provider: 'openai', api: 'responses' },
  openai_embeddings: { provider: 'openai', api: 'embeddings' },
  anthropic: { provider: 'anthropic', api: 'messages' },
  gemini: { provider: 'gcp.gemini', api: 'generate_content' },
  bedrock_converse: { provider: 'aws.bedrock', api: 'converse' },
  cohere: { provider: 'cohere', api: 'chat' },
};

/** The disjoint counts of a provider's response; null where it has none, or counts that cannot be. */
export function countsOfResponse(of: Interface, body: unknown): UsageCounts | null {
  const usage = formOf(of, usageOf(body));
  const { usage: native } = readProviderUsage({ usage, ...CALLS[of] });
  const parsed = usageSchema.safeParse(native ?? null);
  return parsed.success ? readUsage(parsed.data) : null;
}

/** The fields of one interface alone, since the data set reads a body by several. */
const FIELDS: Readonly<Partial<Record<Interface, readonly string[]>>> = {
  openai_embeddings: ['prompt_tokens'],
  openai_responses: [
    'input_tokens',
    'output_tokens',
    'total_tokens',
    'input_tokens_details',
    'output_tokens_details',
  ],
  anthropic: [
    'input_tokens',
    'output_tokens',
    'cache_read_input_tokens',
    'cache_creation_input_tokens',
    'cache_creation',
  ],
};

function formOf(of: Interface, usage: unknown): unknown {
  const fields = FIELDS[of];
  if (fields === undefined || typeof usage !== 'object' || usage === null) return usage;
  const own = Object.fromEntries(Object.entries(usage).filter(([name]) => fields.includes(name)));
  const thinking = Object.entries(usage).find(([name]) => name === 'output_tokens_details')?.[1];
  return of === 'anthropic' && Object.hasOwn(thinking ?? {}, 'thinking_tokens')
    ? { ...own, output_tokens_details: thinking }
    : own;
}

function usageOf(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return null;
  const { usage, usageMetadata, meta } = body as Record<string, unknown>;
  return usage ?? usageMetadata ?? meta ?? null;
}

/** The same with what no text book prices counted as text again, as the recorded prices were made. */
export function textOfResponse(of: Interface, body: unknown): UsageCounts | null {
  const counts = countsOfResponse(of, body);
  if (counts?.units == null) return counts;
  const { units } = counts;
  const cached = (units.cache_read_audio_tokens ?? 0) + (units.cache_read_image_tokens ?? 0);
  const written = units.cache_write_1h_tokens ?? 0;
  return {
    ...counts,
    uncachedInput: counts.uncachedInput + countOnSide(units, 'input') - cached - written,
    cacheRead: counts.cacheRead + cached,
    cacheWrite: counts.cacheWrite + written,
    output: counts.output + countOnSide(units, 'output'),
    units: null,
  };
}
