import { describe, expect, test } from 'vitest';
import { answerFields } from '../../src/client/calls/answer-fields.ts';
import { readProviderUsage } from '../../src/events/provider-usage.ts';
import { only } from '../support/said-event.ts';

const USAGE = { input_tokens: 20, output_tokens: 3, total_tokens: 23 };
const DRAWN = {
  ...{ input_tokens: 47, output_tokens: 515, total_tokens: 562 },
  input_tokens_details: { image_tokens: 40, text_tokens: 7 },
  output_tokens_details: { image_tokens: 515, text_tokens: 0 },
};
const COUNTED = {
  ...{ input_tokens: 67, input_image_tokens: 40 },
  ...{ output_tokens: 518, output_image_tokens: 515 },
};

describe('what tools of OpenAI used for a response stands beside its usage', () => {
  const item = (type: string) => ({ type: 'web_search_call', action: { type } });
  const output = [item('search'), item('search'), item('open_page')];

  test('a picture that was drawn is counted', () => {
    const answer = { output, usage: USAGE, tool_usage: { image_gen: DRAWN } };
    expect(readProviderUsage({ usage: answer, provider: 'openai' })).toMatchObject({
      ...{ usage: { ...COUNTED, searches: 2 }, assumed: false },
    });
  });

  test('what is given out is images where nobody divides it', () => {
    const image_gen = { input_tokens: 3, output_tokens: 7024, total_tokens: 7027 };
    const { usage } = readProviderUsage({ usage: { usage: USAGE, tool_usage: { image_gen } } });
    expect(usage).toEqual({ input_tokens: 23, output_tokens: 7027, output_image_tokens: 7024 });
  });

  test('pictures that the usage itself counts are not counted again', () => {
    const usage = { ...USAGE, output_tokens: 518, total_tokens: 538 };
    const divided = { ...usage, output_tokens_details: { image_tokens: 515 } };
    const answer = { usage: divided, tool_usage: { image_gen: DRAWN } };
    expect(readProviderUsage({ usage: answer }).usage).toEqual({
      ...{ input_tokens: 20, output_tokens: 518, output_image_tokens: 515 },
    });
  });

  test('zeros, as every response has them, add nothing', () => {
    const image_gen = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };
    const answer = { usage: USAGE, tool_usage: { image_gen, web_search: { num_requests: 0 } } };
    expect(readProviderUsage({ usage: answer }).usage).toEqual({
      ...{ input_tokens: 20, output_tokens: 3 },
    });
  });

  test('OpenAI counts the requests that it takes money for, of which one may search several times', () => {
    const answer = { output, usage: USAGE, tool_usage: { web_search: { num_requests: 1 } } };
    expect(readProviderUsage({ usage: answer }).usage).toMatchObject({ searches: 1 });
  });

  test('ByteDance counts searches within the usage', () => {
    const usage = { ...USAGE, tool_usage: { web_search: 3 } };
    expect(readProviderUsage({ usage }).usage).toMatchObject({ searches: 3 });
  });

  test('the client hands both on', () => {
    const tool_usage = { image_gen: DRAWN, web_search: { num_requests: 1 } };
    const answer = { id: 'resp_1', model: 'gpt-5.4', output, usage: USAGE, tool_usage };
    const { provider_usage: usage } = answerFields(answer, { provider: 'openai' });
    expect(readProviderUsage({ usage, provider: 'openai' }).usage).toEqual({
      ...{ ...COUNTED, searches: 1 },
    });
  });

  test('so do LiteLLM and a batch', () => {
    const body = { id: 'resp_1', model: 'gpt-5.4', usage: USAGE, tool_usage: { image_gen: DRAWN } };
    const payload = {
      ...{ call_type: 'aresponses', status: 'success', model_group: 'gpt-5.4', model: 'gpt-5.4' },
      ...{ id: 'resp_1', litellm_call_id: 'c', custom_llm_provider: 'openai' },
      ...{ prompt_tokens: 20, completion_tokens: 3, total_tokens: 23 },
      ...{ startTime: 1_792_065_598, endTime: 1_792_065_600, response: body },
    };
    const line = { id: 'b', custom_id: 'c', response: { status_code: 200, body }, error: null };
    const counts = { uncachedInput: 27, output: 3, input_image_tokens: 40 };
    expect(only(payload)['counts']).toEqual({ ...counts, output_image_tokens: 515 });
    expect(only(line)['counts']).toEqual({ ...counts, output_image_tokens: 515 });
  });
});

test("what grounded an answer is counted by its kind in Gemini's interactions", () => {
  const grounding_tool_count = [
    { type: 'google_search', count: 2 },
    { type: 'google_maps', count: 1 },
  ];
  const usage = { total_input_tokens: 120, total_output_tokens: 35, total_tokens: 155 };
  expect(readProviderUsage({ usage: { ...usage, grounding_tool_count } }).usage).toMatchObject({
    ...{ input_tokens: 120, output_tokens: 35, searches: 2 },
  });
});

test('Gemini divides what it embeds under a name of its own', () => {
  const usage = {
    promptTokenCount: 1300,
    promptTokenDetails: [
      { modality: 'TEXT', tokenCount: 132 },
      { modality: 'IMAGE', tokenCount: 258 },
      { modality: 'AUDIO', tokenCount: 250 },
      { modality: 'VIDEO', tokenCount: 660 },
    ],
  };
  expect(readProviderUsage({ usage, provider: 'gcp.gemini' }).usage).toMatchObject({
    ...{ input_tokens: 1300, input_audio_tokens: 250, input_image_tokens: 258 },
    input_video_tokens: 660,
  });
});

describe('Qwen names what it writes to its cache as Anthropic does, within the details', () => {
  test.each([
    ['for five minutes', 'ephemeral_5m_input_tokens', {}],
    ['for an hour', 'ephemeral_1h_input_tokens', { cache_write_1h_tokens: 2048 }],
  ])('%s', (_, lifetime, written) => {
    const usage = {
      ...{ prompt_tokens: 3019, completion_tokens: 104, total_tokens: 3123 },
      prompt_tokens_details: {
        ...{ cached_tokens: 0, cache_creation_input_tokens: 2048, cache_type: 'ephemeral' },
        cache_creation: { [lifetime]: 2048 },
      },
    };
    expect(readProviderUsage({ usage, provider: 'alibaba' }).usage).toMatchObject({
      ...{ input_tokens: 3019, cache_write_tokens: 2048, output_tokens: 104, ...written },
    });
  });

  test('under the totals of its own interface', () => {
    const usage = {
      ...{ input_tokens: 3019, output_tokens: 104, total_tokens: 3123 },
      prompt_tokens_details: { cached_tokens: 1000, cache_creation_input_tokens: 500 },
    };
    expect(readProviderUsage({ usage, provider: 'alibaba' })).toMatchObject({
      usage: { input_tokens: 3019, cache_read_tokens: 1000, cache_write_tokens: 500 },
      assumed: false,
    });
  });
});
