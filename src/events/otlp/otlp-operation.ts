import type { Attributes } from './otlp-attributes.ts';
import { firstAttribute } from './otlp-attributes.ts';
import { INPUT_TOKENS, OUTPUT_TOKENS } from './otlp-usage.ts';

/**
 * What a span is. `call` is one model call. `structure` repeats its children's usage or has none (R1).
 * `usage` is an old span that names a model and its usage but no operation: it is a call unless a call
 * lies below it. `other` has to do with neither models nor agents.
 */
export type SpanRole =
  | { readonly kind: 'call'; readonly operation: string }
  | { readonly kind: 'structure'; readonly operation: string }
  | { readonly kind: 'usage' }
  | { readonly kind: 'other' };

/** The first convention that speaks decides, the standard one before those of single vendors. */
export function roleOf(attributes: Attributes): SpanRole {
  for (const [name, roleFrom] of CONVENTIONS) {
    const value = attributes.get(name);
    const role = typeof value === 'string' && value !== '' ? roleFrom(value) : null;
    if (role !== null) return role;
  }
  if (attributes.has('gen_ai.tool.name')) return structure('execute_tool');
  return hasModelAndUsage(attributes) ? { kind: 'usage' } : { kind: 'other' };
}

type Convention = readonly [attribute: string, roleFrom: (value: string) => SpanRole | null];

/** Operations that are model calls, under the names that instrumentations give them. */
const CALLS: ReadonlyMap<string, string> = new Map([
  ['chat', 'chat'],
  ['completion', 'chat'],
  ['acompletion', 'chat'],
  ['text_completion', 'text_completion'],
  ['generate_content', 'generate_content'],
  ['embeddings', 'embeddings'],
  ['embedding', 'embeddings'],
]);

const SPAN_KINDS: ReadonlyMap<string, SpanRole> = new Map([
  ['llm', call('chat')],
  ['generation', call('chat')],
  ['embedding', call('embeddings')],
  ['agent', structure('invoke_agent')],
  ['tool', structure('execute_tool')],
  ['workflow', structure('invoke_workflow')],
  ['chain', structure('invoke_workflow')],
  ['retriever', structure('retrieval')],
]);

const CONVENTIONS: readonly Convention[] = [
  ['gen_ai.operation.name', fromOperationName],
  ['ai.operationId', fromAiSdkOperation],
  ['openinference.span.kind', fromAgentSpanKind],
  ['langfuse.observation.type', fromSpanKind],
  ['traceloop.span.kind', fromAgentSpanKind],
  ['langsmith.span.kind', fromSpanKind],
  ['llm.request.type', fromOperationName],
];

function fromOperationName(name: string): SpanRole {
  const operation = CALLS.get(name.toLowerCase());
  return operation === undefined ? structure(name) : call(operation);
}

/** These producers mark only spans of models and agents, so an unknown kind is structure. */
function fromAgentSpanKind(kind: string): SpanRole {
  return fromSpanKind(kind) ?? structure(kind.toLowerCase());
}

/** These producers mark ordinary spans of the program, too, so an unknown kind decides nothing. */
function fromSpanKind(kind: string): SpanRole | null {
  return SPAN_KINDS.get(kind.toLowerCase()) ?? null;
}

/** The older AI SDK: an outer span a function, and inside it one span for every provider call. */
function fromAiSdkOperation(id: string): SpanRole | null {
  if (!id.startsWith('ai.')) return null;
  if (id.endsWith('.doEmbed')) return call('embeddings');
  if (id.endsWith('.doGenerate') || id.endsWith('.doStream')) return call('chat');
  return structure(id === 'ai.toolCall' ? 'execute_tool' : 'invoke_agent');
}

function hasModelAndUsage(attributes: Attributes): boolean {
  if (firstAttribute(attributes, ['gen_ai.request.model', 'llm.model_name']) === undefined) {
    return false;
  }
  return firstAttribute(attributes, [...INPUT_TOKENS, ...OUTPUT_TOKENS]) !== undefined;
}

function call(operation: string): SpanRole {
  return { kind: 'call', operation };
}

function structure(operation: string): SpanRole {
  return { kind: 'structure', operation };
}
