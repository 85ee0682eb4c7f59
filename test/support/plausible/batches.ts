import type { PlausibleBody } from './plausible-bodies.ts';

/** A result of OpenAI's batches. */
function resultOf(body: object, beside: object = {}): object {
  return {
    ...{ id: 'batch_req_1', custom_id: 'r1', error: null },
    response: { status_code: 200, request_id: 'q1', body },
    ...beside,
  };
}

const IMAGE = {
  ...{ created: 1792065600, size: '1024x1024', data: [{ b64_json: 'aGVsbG8=' }] },
  usage: {
    ...{ input_tokens: 50, output_tokens: 4160, total_tokens: 4210 },
    input_tokens_details: { text_tokens: 10, image_tokens: 40 },
  },
};

const NOVA = { usage: { inputTokens: 20, outputTokens: 6, totalTokens: 26 }, output: {} };

const nobody = { tenant: null, tier: 'batch' } as const;

/** Results of batches whose line says little of what was asked. */
export const BATCHES: readonly PlausibleBody[] = [
  {
    name: 'a result line with an image, whose model stands beside it',
    because:
      'the answer of an image names no model; 10 of text and 40 of a picture in, and what is out has the price of the model',
    body: resultOf(IMAGE, { modelId: 'gpt-image-1' }),
    calls: [
      {
        ...{ ...nobody, model: 'gpt-image-1', operation: 'image' },
        units: { input_tokens: 10, input_image_tokens: 40, output_tokens: 4160 },
      },
    ],
  },
  {
    name: 'a result line of a moderation',
    because: 'it counts nothing, and is no chat',
    body: resultOf({ id: 'modr-1', model: 'omni-moderation-latest', results: [{}] }),
    calls: [
      {
        ...{ ...nobody, model: 'omni-moderation-latest', operation: 'moderation' },
        ...{ units: {}, outcome: 'unmeasured' },
      },
    ],
  },
  {
    name: 'a result line of Bedrock, whose model stands beside it',
    because: 'only the job knows the model of a batch of Nova',
    body: {
      ...{ recordId: 'rec-1', modelInput: {}, modelOutput: NOVA },
      modelId: 'amazon.nova-lite-v1:0',
    },
    calls: [
      {
        ...{ ...nobody, model: 'amazon.nova-lite-v1:0', operation: 'chat' },
        units: { input_tokens: 20, output_tokens: 6 },
      },
    ],
  },
];
