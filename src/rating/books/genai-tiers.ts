import { divideHalfUp, formatDecimal, parseDecimal } from '../../money.ts';
import type { PriceBookModel } from './price-book-document.ts';

/**
 * Service tiers that the package does not know, as pages of the providers say what they cost: half of the
 * standard prices of tokens. Calls and searches cost what they always do. A tier without a row has the standard
 * price: more than Groq, Mistral and Together take for a batch, as much as Groq takes for flex
 * (https://console.groq.com/docs/flex-processing), and less than anybody takes for priority. Of a batch, Groq's pages
 * gave two figures when they were read, Mistral's none, and Together's "up to" one without the models that it holds for
 * (https://docs.together.ai/docs/inference/batch/overview). The pages were read again in November 2026.
 */

interface HalfPrice {
  readonly tier: 'batch' | 'flex';
  /** How the names of the models begin or read of which the provider says it; null for all that it offers. */
  readonly models: RegExp | null;
  /** Cached reads get no second discount. */
  readonly cacheAtFullPrice: boolean;
  readonly source: string;
}

/** They stand by the package's ids of providers. */
const HALF_PRICES: Readonly<Record<string, readonly HalfPrice[]>> = {
  // Of a chosen few models, which are those of these makers; a job of any other is refused.
  aws: [
    {
      ...half('batch', 'https://aws.amazon.com/bedrock/pricing/'),
      models: /(?:^|\.)(?:amazon|anthropic|meta|mistral)\./,
    },
  ],
  // A model that cannot be flexible refuses the request, so that whatever ran so cost half.
  azure: [
    half('batch', 'https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/batch'),
    half('flex', 'https://learn.microsoft.com/en-us/azure/foundry/openai/how-to/flex-processing'),
  ],
  anthropic: [half('batch', 'https://docs.claude.com/en/docs/build-with-claude/batch-processing')],
  // The makers of other models that Google offers are asked for themselves.
  google: (['batch', 'flex'] as const).map((tier) => ({
    ...half(tier, 'https://ai.google.dev/gemini-api/docs/optimization'),
    models: /^gemini/,
    cacheAtFullPrice: true,
  })),
  openai: [
    half('batch', 'https://platform.openai.com/docs/guides/batch'),
    {
      ...half('flex', 'https://platform.openai.com/docs/guides/flex-processing'),
      models: /^(?:gpt-5|o3$|o4-mini)/,
    },
  ],
};

function half(tier: HalfPrice['tier'], source: string): HalfPrice {
  return { tier, models: null, cacheAtFullPrice: false, source };
}

type Tariff = Omit<PriceBookModel, 'provider' | 'model'>;

/** Returns a model's standard tariffs, and after them those of the tiers that cost half of them. */
export function withHalfPrices(
  provider: string,
  modelId: string,
  tariffs: readonly Tariff[],
): readonly Tariff[] {
  const halved = (HALF_PRICES[provider] ?? [])
    .filter(({ models }) => models === null || models.test(modelId))
    .flatMap((price) => tariffs.flatMap((tariff) => halve(tariff, price) ?? []));
  return [...tariffs, ...halved];
}

/** The note of a book about tiers that the package does not have. */
export const HALF_PRICE_NOTE = `Half of the standard prices of tokens, as the provider says: ${Object.entries(
  HALF_PRICES,
)
  .flatMap(([provider, prices]) =>
    prices.map(({ tier, models, source }) => {
      const some = models === null ? '' : ', for some models';
      return `${tier} of ${provider}${some} (${source})`;
    }),
  )
  .join('; ')}. Any other tier has the standard prices, which are too low for priority.`;

/** Answers null where a tariff has no price of tokens, nor one that is more than nothing. */
function halve(tariff: Tariff, { tier, cacheAtFullPrice }: HalfPrice): Tariff | null {
  const prices = Object.entries(tariff.per_million ?? {}).filter(isGiven);
  if (prices.every(([, price]) => Number(price) === 0)) return null;
  const per_million = Object.fromEntries(
    prices.map(([rate, price]) => {
      const isWhole = cacheAtFullPrice && rate.startsWith('cache_read');
      return [rate, isWhole ? price : halfOf(price)];
    }),
  );
  return { ...tariff, service_tier: tier, per_million };
}

function isGiven(price: [string, string | undefined]): price is [string, string] {
  return price[1] !== undefined;
}

function halfOf(price: string): string {
  const millionths = parseDecimal(price, 6);
  if (millionths === null) throw new Error(`"${price}" is no price of a book`);
  return formatDecimal(divideHalfUp(millionths, 2n), 6).replace(/\.?0+$/, '');
}
