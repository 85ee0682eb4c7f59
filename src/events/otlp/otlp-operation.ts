import { litellmCall } from '../foreign/litellm-calls.ts';
import type { Attributes } from './otlp-attributes.ts';
import { genkitModel } from './otlp-call.ts';

/**
 * What a span is. `call` is one model call. `structure` repeats its children's usage or has none (R1).
 * `usage` is a span that names its usage or its model but no operation: it is a call unless a call lies below it.
 * `other` has to do with neither models nor agents.
 */
export type SpanRole =
  | { readonly kind: 'call'; readonly operation: string }
  | { readonly kind: 'structure'; readonly operation: string }
  | { readonly kind: 'usage' }
  | { readonly kind: 'other' };

/** What a span has beside its operation, on which an operation that nobody listed depends. */
export interface Bears {
  readonly model: boolean;
  readonly usage: boolean;
}

/** The first convention that speaks decides, the standard one before those of single vendors. */
export function roleOf(attributes: Attributes, name: unknown, bears: Bears): SpanRole {
  for (const [attribute, roleFrom] of CONVENTIONS) {
    const value = attributes.get(attribute);
    const role = typeof value === 'string' && value !== '' ? roleFrom(value, bears) : null;
    if (role !== null) return role;
  }
  if (genkitModel(attributes) !== undefined) return call(genkitOperation(attributes));
  if (attributes.has('gen_ai.tool.name')) return structure('execute_tool');
  if (name === 'claude_code.llm_request') return call('chat');
  if (name === 'agent run' || AGENT_RUN.some((each) => attributes.has(each))) {
    return structure('invoke_agent');
  }
  const isModels = bears.model && MODEL_OF.some((each) => attributes.has(each));
  return bears.usage || isModels ? { kind: 'usage' } : { kind: 'other' };
}

/** What names whose model a span asked, though it may not say what for. */
const MODEL_OF = ['gen_ai.system', 'gen_ai.provider.name'];

/** What older versions of Pydantic AI write on the span of a whole run, beside the sum of its usage. */
const AGENT_RUN = ['all_messages_events', 'pydantic_ai.all_messages'];

function genkitOperation(attributes: Attributes): string {
  return attributes.get('genkit:metadata:subtype') === 'embedder' ? 'embeddings' : 'chat';
}

type Convention = readonly [
  attribute: string,
  roleFrom: (value: string, bears: Bears) => SpanRole | null,
];

/** Operations that are model calls, under the names that instrumentations give them. */
const CALLS: ReadonlyMap<string, string> = new Map([
  ['chat', 'chat'],
  ['completion', 'chat'],
  ['completions', 'chat'],
  ['chat_completion', 'chat'],
  ['chat.completions', 'chat'],
  ['responses', 'chat'],
  ['response', 'chat'],
  ['process_thread_run', 'chat'],
  ['tool_selection', 'chat'],
  ['messages', 'chat'],
  ['text_completion', 'text_completion'],
  ['text_completions', 'text_completion'],
  ['generate_content', 'generate_content'],
  ['generate', 'generate_content'],
  ['embeddings', 'embeddings'],
  ['embedding', 'embeddings'],
  ['image', 'image'],
  ['image_generation', 'image'],
  ['generate_image', 'image'],
  ['rerank', 'rerank'],
  ['speech', 'speech'],
  ['transcription', 'transcription'],
  ['moderation', 'moderation'],
  ['realtime', 'realtime'],
  ['video', 'video'],
  ['generate_video', 'video'],
  ['generate_speech', 'speech'],
  ['speech_generation', 'speech'],
  ['text_to_speech', 'speech'],
  ['tts', 'speech'],
  ['stt', 'transcription'],
  ['speech_to_text', 'transcription'],
  // AI SDK 7 has no other name for these than its functions.
  ['ai.generatespeech', 'speech'],
  ['ai.transcribe', 'transcription'],
  ['ai.streamtranscribe', 'transcription'],
]);

/** Operations around calls, and beside them, that are no call though they may carry usage or a model. */
const WRAPPERS: ReadonlySet<string> = new Set([
  'invoke_agent',
  'create_agent',
  'agent_step',
  // Mastra's steps and chunks of one generation, which repeats their usage.
  'model_step',
  'model_chunk',
  'agent',
  'step',
  'invoke_workflow',
  'workflow',
  'plan',
  'chain',
  'execute_tool',
  'tool',
  'call_mcp_tool',
  'retrieval',
  'search_memory',
  'update_memory',
  'create_memory',
  'delete_memory',
  'upsert_memory',
  'create_thread',
  'create_message',
  'list_messages',
  'list_run_steps',
  'start_thread_run',
  'get_thread_run',
  'submit_tool_outputs',
  'handoff',
  'guardrail',
  'evaluation',
  // No provider takes money for counting tokens.
  'count_tokens',
]);

/** OpenLIT's steps of frameworks, which name the model that the calls within them ask. */
const STEPS_OF_FRAMEWORKS: ReadonlySet<string> = new Set([
  'execute_task',
  'user_prompt_processing',
  'tool_coordination',
]);

const SPAN_KINDS: ReadonlyMap<string, SpanRole> = new Map([
  ['llm', call('chat')],
  ['chat_model', call('chat')],
  ['generation', call('chat')],
  ['model_generation', call('chat')],
  ['embedding', call('embeddings')],
  ['reranker', call('rerank')],
  ['agent', structure('invoke_agent')],
  ['tool', structure('execute_tool')],
  ['workflow', structure('invoke_workflow')],
  ['chain', structure('invoke_workflow')],
  ['retriever', structure('retrieval')],
  ['guardrail', structure('guardrail')],
  ['evaluator', structure('evaluation')],
]);

const CONVENTIONS: readonly Convention[] = [
  ['gen_ai.operation.name', fromOperationName],
  ['ai.operationId', fromAiSdkOperation],
  ['openinference.span.kind', fromAgentSpanKind],
  ['langfuse.observation.type', fromSpanKind],
  ['traceloop.span.kind', fromAgentSpanKind],
  ['langsmith.span.kind', fromSpanKind],
  ['langwatch.span.type', fromSpanKind],
  ['mlflow.spanType', fromSpanKind],
  ['span.type', fromClaudeCode],
  ['llm.request.type', fromOperationName],
];

/** LiteLLM's exporter names its call types, among them those of batches, files and stores, which cost nothing. */
const UPKEEP = /batch|file|vector_store|container|fine_tuning|responses|input_items/;

/** No known kind is no kind of zero: an operation that nobody listed is a call where it has usage or a model (R1). */
function fromOperationName(name: string, bears: Bears): SpanRole {
  const lower = name.toLowerCase();
  const operation = CALLS.get(lower);
  if (operation !== undefined) return call(operation);
  if (WRAPPERS.has(lower)) return structure(name);
  if (STEPS_OF_FRAMEWORKS.has(lower)) return bears.usage ? { kind: 'usage' } : structure(name);
  const named = litellmCall(lower);
  if (named.kind === 'call' && named.operation !== lower) return call(named.operation);
  if (named.kind === 'batch' && bears.usage) return call('chat');
  if (named.kind !== 'call' && !bears.usage && UPKEEP.test(lower)) return structure(name);
  if (bears.usage || bears.model) return call(name);
  // A search of one's own has neither usage nor a model; one of a provider has.
  return structure(lower === 'search' ? 'retrieval' : name);
}

/** These producers mark only spans of models and agents, so an unknown kind is structure without usage. */
function fromAgentSpanKind(kind: string, bears: Bears): SpanRole {
  const known = fromSpanKind(kind, bears);
  if (known !== null) return known;
  const operation = kind.toLowerCase();
  return bears.usage && !WRAPPERS.has(operation) ? { kind: 'usage' } : structure(operation);
}

/** These producers mark ordinary spans of the program, too, so an unknown kind decides nothing. */
function fromSpanKind(kind: string, bears: Bears): SpanRole | null {
  const role = SPAN_KINDS.get(kind.toLowerCase()) ?? null;
  // A reranker of one's own has no model and no usage; one of a provider has.
  const isOwn =
    role?.kind === 'call' && role.operation === 'rerank' && !bears.usage && !bears.model;
  return isOwn ? structure('reranker') : role;
}

/** Functions of the AI SDK that have a span for every provider call inside their own, which repeats the usage of these. */
const AI_SDK_WRAPPERS: ReadonlySet<string> = new Set([
  'ai.generateText',
  'ai.streamText',
  'ai.generateObject',
  'ai.streamObject',
  'ai.workflowAgent.stream',
  'ai.embed',
  'ai.embedMany',
  'ai.rerank',
]);

/**
 * Returns the older AI SDK: an outer span a function, and inside it one span for every provider
 * call; what is spoken or heard has one span alone. A function that nobody listed is a call where it has usage or a
 * model, unless one lies below it (R1).
 */
function fromAiSdkOperation(id: string, bears: Bears): SpanRole | null {
  if (!id.startsWith('ai.')) return null;
  if (id.endsWith('.doEmbed')) return call('embeddings');
  if (id.endsWith('.doGenerate') || id.endsWith('.doStream')) return call(aiSdkOperation(id));
  if (id.endsWith('.doRerank')) return call('rerank');
  if (id === 'ai.toolCall') return structure('execute_tool');
  const operation = CALLS.get(id.toLowerCase());
  if (operation !== undefined) return call(operation);
  const isWrapper = AI_SDK_WRAPPERS.has(id) || !(bears.usage || bears.model);
  return isWrapper ? structure('invoke_agent') : { kind: 'usage' };
}

function aiSdkOperation(id: string): string {
  if (id.startsWith('ai.generateImage')) return 'image';
  if (id.startsWith('ai.generateSpeech')) return 'speech';
  return id.startsWith('ai.transcribe') ? 'transcription' : 'chat';
}

const CLAUDE_CODE_SPANS: ReadonlyMap<string, SpanRole> = new Map([
  ['llm_request', call('chat')],
  ['interaction', structure('invoke_agent')],
  ['tool', structure('execute_tool')],
]);

function fromClaudeCode(type: string): SpanRole | null {
  return CLAUDE_CODE_SPANS.get(type) ?? null;
}

function call(operation: string): SpanRole {
  return { kind: 'call', operation };
}

function structure(operation: string): SpanRole {
  return { kind: 'structure', operation };
}
