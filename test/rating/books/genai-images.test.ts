import { describe, expect, it } from 'vitest';
import { OUTPUT_IMAGE_NOTE, withOutputImages } from '../../../src/rating/books/genai-images.ts';

describe('the price of images that an images API gives out', () => {
  it('is that of the output of a model that gives out nothing else', () => {
    expect(withOutputImages('gpt-image-2', { input: '5', output: '30' })).toEqual({
      input: '5',
      output: '30',
      output_image: '30',
    });
  });

  it.each([
    ['of another model', 'gpt-4o', { input: '5', output: '30' }],
    ['of a model whose output has no price', 'gpt-image-1', { input: '5' }],
    ['that the package gives', 'gpt-image-1-mini', { output: '8', output_image: '9' }],
  ])('%s stays as it is', (_, modelId, prices) => {
    expect(withOutputImages(modelId, prices)).toEqual(prices);
  });

  it('is named for each such model with the page that says it', () => {
    expect(OUTPUT_IMAGE_NOTE).toBe(
      'Image tokens at the one price of output, as the provider says: ' +
        'gpt-image-1 (https://developers.openai.com/api/docs/models/gpt-image-1); ' +
        'gpt-image-1-mini (https://developers.openai.com/api/docs/models/gpt-image-1-mini); ' +
        'gpt-image-2 (https://developers.openai.com/api/docs/models/gpt-image-2).',
    );
  });
});
