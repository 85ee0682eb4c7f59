/**
 * The one table of providers: the name that entries carry, the spellings under which producers write it,
 * and how the provider counts. Identity (R8) and the look-up of costs go by the canonical name, which is
 * that of the OpenTelemetry conventions where they have one.
 */
interface ProviderRow {
  readonly name: string;
  /** Providers of one family answer with the ids of one interface, so that a response is found in both. */
  readonly family: string;
  /** The spellings are in lower case, with `_` for a space or a dash. */
  readonly spellings: readonly string[];
  /**
   * The place where thoughts stand: Gemini and xAI count them beside the output, the others within
   * it.
   */
  readonly thinking: 'inside' | 'beside';
  /** The place where cached tokens stand in the provider's own usage object. */
  readonly cache: 'inside' | 'beside';
}

const TABLE: readonly ProviderRow[] = [
  row('openai', 'openai', 'open_ai openai_chat text_completion_openai'),
  row(
    'azure.ai.openai',
    'openai',
    'azure azure_openai az.ai.openai azureopenai azurechatopenai azure_text microsoft',
  ),
  row(
    'azure.ai.inference',
    'openai',
    'azure_ai azureai az.ai.inference azure_ai_inference azure_foundry azure_ai_foundry az.ai.agents azure.ai.agents microsoft.foundry microsoft.agents',
  ),
  { ...row('anthropic', 'anthropic', 'claude anthropic_ai anthropic_text'), cache: 'beside' },
  {
    ...row(
      'aws.bedrock',
      'aws.bedrock',
      'bedrock amazon_bedrock amazon.bedrock amazonbedrock anthropicbedrock aws_bedrock aws amazon',
    ),
    cache: 'beside',
  },
  ...google(
    'gcp.gemini',
    'gemini google_gla google.generative_ai googlegenerativeai google_genai googlegenai google googleai google_ai',
  ),
  ...google('gcp.gen_ai', 'gcp.genai google_generativeai google_ai_studio palm'),
  ...google(
    'gcp.vertex_ai',
    'vertex vertex_ai vertexai google_vertex google_vertexai google_vertex_ai googlevertex googlevertexai anthropicvertex google_anthropic_vertex google.vertex gcp.vertex.agent',
  ),
  { ...row('x_ai', 'x_ai', 'xai x.ai grok'), thinking: 'beside' },
  row('mistral_ai', 'mistral_ai', 'mistral mistralai codestral'),
  row('cohere', 'cohere', 'cohere_chat cohere_ai cohereai'),
  row('groq', 'groq', 'groqcloud'),
  row('deepseek', 'deepseek', 'deep_seek deepseek_ai'),
  row('perplexity', 'perplexity', 'perplexity_ai pplx'),
  row('ibm.watsonx.ai', 'ibm.watsonx.ai', 'watsonx watsonx_ai watsonx_text ibm'),
  row('moonshot_ai', 'moonshot_ai', 'moonshot moonshotai kimi'),
  row('together', 'together', 'together_ai togetherai'),
  row('fireworks', 'fireworks', 'fireworks_ai fireworksai'),
  row('openrouter', 'openrouter', 'open_router'),
  row('voyageai', 'voyageai', 'voyage voyage_ai'),
  row('huggingface', 'huggingface', 'hugging_face hf'),
  row('ollama', 'ollama', 'ollama_chat'),
  row('vllm', 'vllm', 'hosted_vllm'),
  row('cloudflare', 'cloudflare', 'workers_ai cloudflare_workers_ai cloudflareworkersai workersai'),
  row('zai', 'zai', 'z_ai z.ai'),
  row('cerebras', 'cerebras', 'cerebras_ai'),
  row('zhipuai', 'zhipuai', 'zhipu zhipu_ai'),
  row('minimax', 'minimax', 'mini_max minimax_ai minimaxai'),
  row('nvidia', 'nvidia', 'nvidia_nim nvidia_ai nvidia_ai_endpoints nvidiaai nim'),
  row('sambanova', 'sambanova', 'samba_nova sambanova_cloud sambanovacloud sambanova_ai'),
];

function row(name: string, family: string, spellings: string): ProviderRow {
  return { name, family, spellings: spellings.split(' '), thinking: 'inside', cache: 'inside' };
}

function google(name: string, spellings: string): readonly ProviderRow[] {
  return [{ ...row(name, 'google', spellings), thinking: 'beside' }];
}

const BY_SPELLING: ReadonlyMap<string, ProviderRow> = new Map(
  TABLE.flatMap((provider) => [
    [spellingOf(provider.name), provider],
    ...provider.spellings.map((spelling) => [spelling, provider] as const),
  ]),
);

/**
 * Interfaces that the AI SDK and LiteLLM write behind a provider: `openai.responses`, `vertex_ai-anthropic_models`,
 * `bedrock/converse`.
 */
const INTERFACE =
  /[._/](?:realtime|responses|chat|completions?|embeddings?|text_embedding|messages?|image|speech|transcription|converse|runtime|beta|anthropic|anthropic_models|language_models|nova)$/;

/** The path of a module of a framework, whose last name may be a provider's or that of a class for it. */
const MODULE = /^(?:langchain|llama_index|haystack|semantic_kernel)\w*\.(?:.*\.)?(?=\w+$)/;

/**
 * What frameworks write around a provider in the names of their packages and classes: `langchain_openai`,
 * `ChatOpenAI`, `GoogleAIGeminiChatGenerator`, `OpenAIChatCompletion`. It is taken away one word at a time, and counts
 * for nothing where no provider is left: `OpenAILike` speaks to anybody's server.
 */
const BEFORE = /^(?:langchain_|llama_index_|haystack_|llms_|embeddings_|chat_?|async_?)/;
const BEHIND =
  /_?(?:chat|completions?|generator|embedder|embeddings?|text|document|language|llms?|models?|client|responses?|converse|inference|api|endpoint|multi_?modal|gemini|service)$/;

/**
 * Returns the canonical name of a provider, however a producer spells it; an unknown one in lower
 * case.
 */
export function canonicalProvider(name: string): string {
  const known = CANONICAL.get(name);
  if (known !== undefined) return known;
  const canonical = rowOf(name)?.name ?? spellingOf(name);
  if (CANONICAL.size < MOST_REMEMBERED) CANONICAL.set(name, canonical);
  return canonical;
}

/** Every event and every price asks for a few names, so that those are remembered. */
const CANONICAL = new Map<string, string>();
const MOST_REMEMBERED = 1_000;

/** Returns the canonical name of a provider that the table has; null for any other word. */
export function knownProvider(name: string): string | null {
  return rowOf(name)?.name ?? null;
}

/** Names under which one and the same response may be reported share a family. */
export function providerFamily(name: string): string {
  return rowOf(name)?.family ?? spellingOf(name);
}

/** Models whose thoughts are counted beside the output, also behind the interface of somebody else. */
const THINKS_BESIDE = /(?:^|[/.])(?:gemini|grok)[-\d]/i;

/**
 * Tells whether thoughts are counted beside the output (R5); undecided where neither name is known.
 */
export function thinksBesideOutput(provider: unknown, model: unknown): boolean {
  if (typeof model === 'string' && THINKS_BESIDE.test(model)) return true;
  const known = typeof provider === 'string' ? rowOf(provider) : undefined;
  if (known?.name === 'gcp.vertex_ai' && typeof model === 'string') return false;
  return known?.thinking === 'beside';
}

/** Models of OpenAI's images API that have a price of their own for the text which they write. */
const DRAWS_AND_WRITES = /(?:^|[/.])(?:gpt-image-1\.5|chatgpt-image)(?:$|[-@:])/i;

/**
 * Tells whether what a model gives out is images where nobody divides it (R5): OpenAI's images API counts the tokens
 * of images, and names apart the text that some of its models write beside them. Those that write none have one price
 * of output, under which books have it, so that their output stays as it is counted.
 */
export function givesOutImages(model: unknown): boolean {
  return typeof model === 'string' && DRAWS_AND_WRITES.test(model);
}

const CLAUDE = /(?:^|[/.])(?:claude|anthropic)[-.]/i;

/** Tells whether the provider's own usage object counts cached tokens beside the input. */
export function countsCacheBeside(provider: unknown, model: unknown): boolean {
  if (typeof model === 'string' && CLAUDE.test(model)) return true;
  return typeof provider === 'string' && rowOf(provider)?.cache === 'beside';
}

function rowOf(name: string): ProviderRow | undefined {
  const spelling = spellingOf(name);
  return peeled(spelling, [INTERFACE]) ?? peeled(spelling.replace(MODULE, ''), [BEFORE, BEHIND]);
}

/**
 * Returns the row of what is left of a spelling once words are taken away, as few of them as that
 * takes.
 */
function peeled(spelling: string, words: readonly RegExp[]): ProviderRow | undefined {
  let rest = spelling;
  for (;;) {
    const found = BY_SPELLING.get(rest);
    if (found !== undefined) return found;
    const shorter = words.map((word) => rest.replace(word, '')).find((each) => each !== rest);
    if (shorter === undefined) return undefined;
    rest = shorter;
  }
}

function spellingOf(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
}

/**
 * Ids that servers and libraries give to every response, so that they tell no two apart: the word for
 * nothing, a count that starts anew, and the id of a run with many calls.
 */
const REPEATING_ID =
  /^(?:none|null|undefined|nan|unknown|n\/a|-|(?:[a-z]+[-_])?(?:0+|none|null|unknown|test|mock)|run_.*|thread_.*)$/i;

/** Tells whether a response id names no single response (R8). */
export function isRepeatingId(responseId: string): boolean {
  return REPEATING_ID.test(responseId.trim());
}
