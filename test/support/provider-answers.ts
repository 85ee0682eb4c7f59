import { sse } from './provider-double.ts';

/** Answers in the shapes of providers' interfaces, as their documentation and recordings show them. */

export const CHAT_USAGE = {
  ...{ prompt_tokens: 1200, completion_tokens: 300, total_tokens: 1500 },
  prompt_tokens_details: { cached_tokens: 400, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 100, audio_tokens: 0 },
};

export const chatAnswer = (change = {}) => ({
  ...{ id: 'chatcmpl-BnTr8zZ2kQf0aLw5sXyV', object: 'chat.completion', created: 1_760_000_000 },
  ...{ model: 'gpt-4o-2024-08-06', service_tier: 'default', system_fingerprint: 'fp_1' },
  choices: [{ index: 0, message: { role: 'assistant', content: 'sunny' }, finish_reason: 'stop' }],
  usage: CHAT_USAGE,
  ...change,
});

const chunk = (change: object) => ({
  ...{
    id: 'chatcmpl-BnTr8zZ2kQf0aLw5sXyV',
    object: 'chat.completion.chunk',
    created: 1_760_000_000,
  },
  ...{ model: 'gpt-4o-2024-08-06', service_tier: 'default' },
  ...change,
});

const delta = (content: string, nth: number, more: object) => {
  const said = nth === 0 ? { role: 'assistant', content } : { content };
  return chunk({ choices: [{ index: 0, delta: said, finish_reason: null }], ...more });
};

/** Returns what a chat streams to whoever asks for its usage, or does not. */
export function chatStream(
  asked: boolean,
  words: readonly string[] = ['sun', 'ny ', '☀️ and so on'],
) {
  const more = asked ? { usage: null } : {};
  const end = chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], ...more });
  const usage = chunk({ choices: [], usage: CHAT_USAGE });
  return sse([
    ...words.map((word, nth) => delta(word, nth, more)),
    end,
    ...(asked ? [usage] : []),
    '[DONE]',
  ]);
}

export const MESSAGE_USAGE = {
  ...{ input_tokens: 10, cache_creation_input_tokens: 200, cache_read_input_tokens: 1000 },
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 200 },
  ...{ output_tokens: 1, service_tier: 'standard' },
};

export const messageAnswer = (change = {}) => ({
  ...{ id: 'msg_01XFDUDYJgAACzvnptvVoYEL', type: 'message', role: 'assistant' },
  ...{ model: 'claude-sonnet-4-5-20250929', stop_reason: 'end_turn', stop_sequence: null },
  content: [{ type: 'text', text: 'sunny' }],
  usage: { ...MESSAGE_USAGE, output_tokens: 50, server_tool_use: { web_search_requests: 2 } },
  ...change,
});

export function messageStream() {
  return sse(
    [
      { type: 'message_start', message: messageAnswer({ content: [], usage: MESSAGE_USAGE }) },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'ping' },
      ...['sun', 'ny', ' ☀️'].map((text) => ({
        ...{ type: 'content_block_delta', index: 0 },
        delta: { type: 'text_delta', text },
      })),
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 50 } },
      { type: 'message_stop' },
    ],
    true,
  );
}

export const RESPONSE_USAGE = {
  ...{ input_tokens: 900, output_tokens: 80, total_tokens: 980 },
  input_tokens_details: { cached_tokens: 100 },
  output_tokens_details: { reasoning_tokens: 30 },
};

export const responseAnswer = (change = {}) => ({
  ...{ id: 'resp_68af4030592c81938ec0a5fbab4a3e9f', object: 'response', status: 'completed' },
  ...{ created_at: 1_760_000_000, completed_at: 1_760_000_042, background: false, error: null },
  ...{ model: 'gpt-5-2025-08-07', service_tier: 'flex' },
  output: [
    { id: 'ws_1', type: 'web_search_call', status: 'completed' },
    {
      ...{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed' },
      content: [{ type: 'output_text', text: 'sunny', annotations: [] }],
    },
  ],
  usage: RESPONSE_USAGE,
  ...change,
});

export function responseStream() {
  const begun = responseAnswer({
    status: 'in_progress',
    usage: null,
    output: [],
    completed_at: null,
  });
  return sse(
    [
      { type: 'response.created', sequence_number: 0, response: begun },
      {
        ...{ type: 'response.output_text.delta', sequence_number: 1, item_id: 'msg_1' },
        ...{ output_index: 0, content_index: 0, delta: 'sunny ☀️', logprobs: [] },
      },
      { type: 'response.completed', sequence_number: 2, response: responseAnswer() },
    ],
    true,
  );
}
