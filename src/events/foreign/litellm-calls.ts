/**
 * What LiteLLM's call types are (R1). Every type is written with and without a leading `a` or `_a`, for
 * its asynchronous form.
 */
export type LitellmCall =
  | { readonly kind: 'call'; readonly operation: string }
  | { readonly kind: 'structure'; readonly operation: string }
  /** Nothing was used; the reason stands in the receipts. */
  | { readonly kind: 'nothing'; readonly reason: string }
  /** A batch that may be done: it counts once its usage is there. */
  | { readonly kind: 'batch' };

const OPERATIONS: ReadonlyMap<string, string> = new Map([
  ['completion', 'chat'],
  ['completion_with_fallbacks', 'chat'],
  ['responses', 'chat'],
  ['responses_websocket', 'chat'],
  ['compact_responses', 'chat'],
  ['anthropic_messages', 'chat'],
  ['messages', 'chat'],
  ['interactions', 'chat'],
  ['pass_through_endpoint', 'chat'],
  ['pass_through', 'chat'],
  ['llm_passthrough_route', 'chat'],
  ['text_completion', 'text_completion'],
  ['embedding', 'embeddings'],
  ['multimodal_embedding', 'embeddings'],
  ['generate_content', 'generate_content'],
  ['generate_content_stream', 'generate_content'],
  ['image_generation', 'image'],
  ['image_edit', 'image'],
  ['image_variation', 'image'],
  ['transcription', 'transcription'],
  ['translation', 'translation'],
  ['speech', 'speech'],
  ['rerank', 'rerank'],
  ['moderation', 'moderation'],
  ['realtime', 'realtime'],
  ['video_generation', 'video'],
  ['create_video', 'video'],
  ['video_remix', 'video'],
  ['video_edit', 'video'],
  ['video_extension', 'video'],
  ['search', 'search'],
  ['ocr', 'ocr'],
]);

const STRUCTURE: ReadonlyMap<string, string> = new Map([
  ['call_mcp_tool', 'execute_tool'],
  ['list_mcp_tools', 'list_tools'],
  ['send_message', 'invoke_agent'],
  ['vector_store_search', 'retrieval'],
  // What is read again was reported when it was made.
  ['get_responses', 'get_response'],
  ['retrieve_response', 'get_response'],
  ['list_input_items', 'get_response'],
]);

/** Calls that look after files, jobs and stored answers, or count tokens; providers take no money for them. */
const UPKEEP =
  /^(?:video_(?:status|content|list|delete)|count_token|token_counter|create|retrieve|list|delete|cancel|update|get|add|modify|upload|file|container|vector_store)s?(?:_|$)/;

export const BATCH_NOT_DONE =
  'a batch without usage yet; it is charged once it is retrieved with its usage';
const UPKEEP_REASON =
  'upkeep of files, jobs or stored answers, which no provider charges as a call';

/** Returns the call type without the mark of its asynchronous form. */
export function plainCallType(callType: string): string {
  if (isListed(callType)) return callType;
  const plain = callType.replace(/^_?a(?=[a-z])/, '').replace(/^_/, '');
  return isListed(plain) || UPKEEP.test(plain) ? plain : callType;
}

function isListed(callType: string): boolean {
  return OPERATIONS.has(callType) || STRUCTURE.has(callType) || callType === 'retrieve_batch';
}

export function litellmCall(callType: string): LitellmCall {
  const plain = plainCallType(callType);
  const operation = OPERATIONS.get(plain);
  if (operation !== undefined) return { kind: 'call', operation };
  const structure = STRUCTURE.get(plain);
  if (structure !== undefined) return { kind: 'structure', operation: structure };
  if (plain === 'retrieve_batch') return { kind: 'batch' };
  if (plain === 'create_batch') return { kind: 'nothing', reason: BATCH_NOT_DONE };
  if (UPKEEP.test(plain)) return { kind: 'nothing', reason: UPKEEP_REASON };
  return { kind: 'call', operation: callType };
}
