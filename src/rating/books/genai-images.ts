import type { PriceBookModel } from './price-book-document.ts';

/**
 * Models of OpenAI's images API whose price list has one price of output, that of image tokens. The package gives it as
 * the price of text, which these models do not write; an answer that divides its output counts image tokens, and one
 * that does not counts output alone, so that both have the price. The pages were read in November 2026.
 */
const GIVES_IMAGES_ALONE: ReadonlySet<string> = new Set([
  'gpt-image-1',
  'gpt-image-1-mini',
  'gpt-image-2',
]);

type Prices = NonNullable<PriceBookModel['per_million']>;

/** Returns the prices of a model with that of the images that it gives out, where its output is nothing else. */
export function withOutputImages(modelId: string, prices: Prices): Prices {
  const { output, output_image } = prices;
  if (!GIVES_IMAGES_ALONE.has(modelId) || output === undefined || output_image !== undefined) {
    return prices;
  }
  return { ...prices, output_image: output };
}

/** What the notes of a book say of the prices of images that are not the package's. */
export const OUTPUT_IMAGE_NOTE = `Image tokens at the one price of output, as the provider says: ${[
  ...GIVES_IMAGES_ALONE,
]
  .map((model) => `${model} (https://developers.openai.com/api/docs/models/${model})`)
  .join('; ')}.`;
