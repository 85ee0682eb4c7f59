import { describe, expect, test } from 'vitest';
import { SEED_SOURCE, seedCostBook } from '../../../src/rating/books/genai-seed.ts';
import type {
  PriceBookDocument,
  PriceBookModel,
} from '../../../src/rating/books/price-book-document.ts';

const [only, ...others] = seedFrom('2027-06-01T00:00:00+02:00');
if (only === undefined) throw new Error('nothing was seeded');
const latest = only;

describe('a version', () => {
  test('is the only one where no later date is known, with the instant as it was given', () => {
    expect(others).toEqual([]);
    expect(latest).toMatchObject({
      book: 'provider-cost',
      kind: 'cost',
      currency: 'USD',
      effective_from: '2027-06-01T00:00:00+02:00',
      caching: 'pass_through',
      source: SEED_SOURCE,
    });
  });

  test('begins anew with each later date from which a price differs, and with no other', () => {
    const dated = seedFrom('2026-09-22T00:00:00Z');
    expect(dated.map(({ effective_from }) => effective_from)).toEqual([
      '2026-09-22T00:00:00Z',
      '2027-01-01T00:00:00Z',
    ]);
    const inputs = dated.map(
      (each) => rowsOf(each, 'gcp.gemini', 'gemini-3.6-flash')[0]?.per_million,
    );
    expect(inputs[0]).not.toEqual(inputs[1]);
  });

  test('tells what was lost on the way, each kind once', () => {
    const sentences = latest.notes?.split(/(?<=\.) (?=[A-Z\d])/) ?? [];
    expect(sentences[0]).toBe('Seeded from a package whose prices may be wrong: review them.');
    expect(sentences).toContain('16 models without a price were left out.');
    expect(sentences).toContain(
      '48 models have a price of input alone, as embeddings have; output of them has none.',
    );
    expect(sentences).toContain(
      'Prices by other units were not carried over: storage_searches_kcount, input_text_messages_kcount, ' +
        'input_annotated_document_kpages, output_reasoning_mtok, output_citation_mtok.',
    );
    expect(latest.notes).toContain(
      'At the price of the dearest hour: azure.ai.openai deepseek-chat, azure.ai.openai deepseek-reasoner, ' +
        'azure.ai.openai deepseek-v4-flash, azure.ai.openai deepseek-v4-pro, deepseek deepseek-chat, ' +
        'deepseek deepseek-reasoner, deepseek deepseek-v4-flash, deepseek deepseek-v4-pro. Rounded',
    );
    expect(latest.notes).toContain(
      'Rounded half up to the decimals of a price: azure.ai.openai grok-voice-latest audio_hours 4.8 to 0.001333333, ',
    );
    expect(latest.notes).toContain(
      'openrouter google/gemini-2.5-flash-lite cache_write_mtok 0.08333333333333334 to 0.083333',
    );
    expect(latest.notes).toContain('gpt-image-1-mini (https://developers.openai.com/');
    expect(latest.notes).toMatch(/[^ ]\.$/);
    expect(latest.notes).not.toContain('false');
  });
});

describe('the rates of a row', () => {
  test.each<[string, string, object]>([
    ['openai', 'gpt-4o-mini', { input: '0.15', output: '0.6', cache_read: '0.075' }],
    ['openai', 'gpt-4o-mini-2024-07-18', { input: '0.15', output: '0.6', cache_read: '0.075' }],
    ['azure.ai.openai', 'gpt-4o', { input: '2.5', output: '10', cache_read: '1.25' }],
    ['anthropic', 'claude-3-5-haiku-20241022', { input: '0.8', output: '4' }],
    ['aws.bedrock', 'anthropic.claude-3-5-sonnet-20241022-v2:0', { input: '3', output: '15' }],
    ['aws.bedrock', 'us.anthropic.claude-sonnet-4-20250514-v1:0', { input: '3' }],
    ['gcp.vertex_ai', 'claude-sonnet-4@20250514', { input: '3', output: '15' }],
    ['openai', 'text-embedding-3-small', { input: '0.02' }],
    ['openrouter', 'google/gemini-2.5-flash-lite', { cache_write: '0.083333' }],
    ['huggingface_together', 'Qwen/Qwen3-VL-8B-Instruct', { input: '0.18' }],
    ['openrouter', 'openai/gpt-oss-20b:free', { input: '0', output: '0' }],
    // 0.27 by day, 0.135 by night.
    ['deepseek', 'deepseek-chat', { input: '0.27', output: '1.1', cache_read: '0.07' }],
  ])('%s %s', (provider, model, rates) => {
    const [row] = rowsOf(latest, provider, model);
    expect(row).toMatchObject({ service_tier: 'standard', above_input_tokens: 0, per_call: '0' });
    expect(row?.per_million).toMatchObject(rates);
  });

  test('a price of 12 for 1,000 requests is 0.012 for a call', () => {
    expect(rowsOf(latest, 'perplexity', 'sonar')[0]?.per_call).toBe('0.012');
  });

  test('a long-context price is a second row, for all tokens of a call above the threshold', () => {
    for (const provider of ['gcp.gemini', 'gcp.vertex_ai']) {
      expect(rowsOf(latest, provider, 'gemini-2.5-pro')).toMatchObject([
        { above_input_tokens: 0, per_million: { input: '1.25', output: '10' } },
        { above_input_tokens: 200_000, per_million: { input: '2.5', output: '15' } },
      ]);
    }
  });

  test('carries the further units, and the hour of an Anthropic cache at twice the input', () => {
    const { models } = latest;
    expect(models.some(({ per_million }) => per_million?.input_audio !== undefined)).toBe(true);
    expect(models.some(({ per_million }) => per_million?.cache_read_audio !== undefined)).toBe(
      true,
    );
    expect(models.some(({ per_thousand }) => per_thousand?.searches !== undefined)).toBe(true);
    const written = models.filter(
      ({ provider, per_million }) =>
        provider === 'anthropic' && per_million?.cache_write !== undefined,
    );
    expect(written.length).toBeGreaterThan(5);
    const wrong = written.filter(
      ({ per_million }) => Number(per_million?.cache_write_1h) !== 2 * Number(per_million?.input),
    );
    expect(wrong.map(({ model, per_million }) => ({ model, per_million }))).toEqual([]);
  });

  test('what has no price has none: output of an embedding, text of a transcription', () => {
    const [embedding] = rowsOf(latest, 'openai', 'text-embedding-3-small');
    expect(embedding?.per_million).toEqual({ input: '0.02' });
    const [whisper] = rowsOf(latest, 'openai', 'whisper-1');
    // $0.36 an hour is $0.006 a minute.
    expect(whisper).toMatchObject({ per_call: '0', per_second: { audio: '0.0001' } });
    expect(whisper?.per_million).toBeUndefined();
    const [ocr] = rowsOf(latest, 'mistral_ai', 'mistral-ocr-2512');
    expect(ocr?.per_thousand).toEqual({ pages: '2' });
    expect(rowsOf(latest, 'github-copilot', 'gpt-4o')).toEqual([]);
  });

  test.each([
    ['openai', 'gpt-4o', 'batch', { input: '1.25', output: '5', cache_read: '0.625' }],
    ['openai', 'o3', 'flex', { input: '1', output: '4', cache_read: '0.25' }],
    ['azure.ai.openai', 'gpt-4o', 'batch', { input: '1.25', output: '5' }],
    ['aws.bedrock', 'amazon.nova-lite-v1:0', 'batch', { input: '0.03', output: '0.12' }],
    ['anthropic', 'claude-sonnet-4-0', 'batch', { input: '1.5', output: '7.5' }],
    ['gcp.vertex_ai', 'gemini-2.5-flash', 'flex', { input: '0.15', output: '1.25' }],
    // What is read from a cache costs the same in a batch.
    [
      'gcp.gemini',
      'gemini-2.5-flash',
      'batch',
      { input: '0.15', output: '1.25', cache_read: '0.03' },
    ],
  ])('%s %s in tier %s costs half of the standard', (provider, model, tier, rates) => {
    const row = latest.models.find(
      (one) => one.provider === provider && one.model === model && one.service_tier === tier,
    );
    expect(row?.per_million).toMatchObject(rates);
  });

  test('no tier costs half where its provider does not say so', () => {
    const tiers = (provider: string) =>
      new Set(
        latest.models.filter((row) => row.provider === provider).map((row) => row.service_tier),
      );
    expect([...tiers('deepseek')]).toEqual(['standard']);
    expect([...tiers('azure.ai.openai')]).toEqual(['standard', 'batch', 'flex']);
    const bedrock = latest.models.filter(({ provider }) => provider === 'aws.bedrock');
    const halved = bedrock.filter((row) => row.service_tier === 'batch').map(({ model }) => model);
    expect(halved).toContain('us.anthropic.claude-sonnet-4-6-v1:0');
    expect(halved.filter((model) => /deepseek|openai/.test(model))).toEqual([]);
    expect([...tiers('anthropic')]).toEqual(['standard', 'batch']);
  });

  test.each<[string, string, string, Partial<PriceBookModel>[]]>([
    [
      'openai',
      'gpt-4o-mini',
      'standard',
      [
        {
          per_million: {
            input: '0.15',
            cache_read: '0.075',
            output: '0.6',
            cache_read_image: '0.075',
          },
          per_thousand: { searches: '10' },
        },
      ],
    ],
    [
      'perplexity',
      'sonar',
      'standard',
      [{ per_call: '0.012', per_million: { input: '1', output: '1' } }],
    ],
    ['groq', 'whisper-large-v3', 'standard', [{ per_second: { audio: '0.000030833' } }]],
    ['mistral_ai', 'mistral-ocr-2512', 'standard', [{ per_thousand: { pages: '2' } }]],
    [
      'anthropic',
      'claude-sonnet-4-5',
      'standard',
      [
        {
          per_million: {
            ...{ input: '3', cache_read: '0.3', cache_write: '3.75', output: '15' },
            ...{ cache_write_1h: '6', cache_read_image: '0.3' },
          },
          per_thousand: { searches: '10' },
        },
        {
          above_input_tokens: 200_000,
          per_million: {
            ...{ input: '6', cache_read: '0.6', cache_write: '7.5', output: '22.5' },
            ...{ cache_write_1h: '12', cache_read_image: '0.6' },
          },
          per_thousand: { searches: '10' },
        },
      ],
    ],
    [
      'openai',
      'gpt-realtime',
      'standard',
      [
        {
          per_million: {
            ...{ input: '4', cache_read: '0.4', output: '16', input_audio: '32', input_image: '5' },
            ...{ cache_read_audio: '0.4', cache_read_image: '0.5', output_audio: '64' },
          },
        },
      ],
    ],
    [
      'openai',
      'gpt-image-1.5',
      'standard',
      [
        {
          per_million: {
            ...{ input: '5', cache_read: '1.25', output: '10', input_image: '8' },
            ...{ cache_read_image: '2', output_image: '32' },
          },
        },
      ],
    ],
    // OpenAI has one price of output for them, which the package gives as that of text.
    [
      'openai',
      'gpt-image-1',
      'batch',
      [
        {
          per_million: {
            ...{ input: '2.5', cache_read: '0.625', output: '20', input_image: '5' },
            ...{ cache_read_image: '1.25', output_image: '20' },
          },
        },
      ],
    ],
    [
      'azure.ai.inference',
      'gpt-image-2-2026-04-21',
      'standard',
      [
        {
          per_million: {
            ...{ input: '5', cache_read: '1.25', output: '30', input_image: '8' },
            ...{ cache_read_image: '2', output_image: '30' },
          },
        },
      ],
    ],
  ])('of %s %s in tier %s are these and no others', (provider, model, tier, rows) => {
    const found = latest.models.filter(
      (row) => row.provider === provider && row.model === model && row.service_tier === tier,
    );
    const fixed = { provider, model, service_tier: tier, above_input_tokens: 0, per_call: '0' };
    expect(found).toEqual(rows.map((row) => ({ ...fixed, ...row })));
  });

  test.each([
    ['input_video', 'gcp.gemini', 'gemini-embedding-2'],
    ['output_video', 'gcp.gemini', 'gemini-omni-flash-preview'],
    ['output_audio', 'gcp.gemini', 'gemini-3.1-flash-live-preview'],
    ['cache_read_audio', 'gcp.gemini', 'gemini-2.5-flash'],
  ] as const)('carry %s, as %s %s has it', (rate, provider, model) => {
    expect(Number(rowsOf(latest, provider, model)[0]?.per_million?.[rate])).toBeGreaterThan(0);
  });

  test('carry pages, searches and seconds, which are all that the package prices so', () => {
    const carried = new Set(
      latest.models.flatMap((row) => [
        ...Object.keys(row.per_thousand ?? {}),
        ...Object.keys(row.per_second ?? {}),
      ]),
    );
    expect([...carried].toSorted()).toEqual(['audio', 'pages', 'searches']);
  });

  test('are none of a model without a price, and zero of one whose name says that it is free', () => {
    expect(rowsOf(latest, 'github-copilot', 'gpt-4o')).toEqual([]);
    const free = latest.models.filter(({ model }) => model.endsWith(':free'));
    expect(free.length).toBeGreaterThan(50);
    expect(free.filter(({ per_million }) => per_million?.input !== '0')).toEqual([]);
    const zero = latest.models.filter(
      ({ model, per_million }) => per_million?.input === '0' && !model.endsWith(':free'),
    );
    expect(zero.map(({ provider, model }) => `${provider} ${model}`)).toEqual([]);
  });
});

function seedFrom(effectiveFrom: string): readonly PriceBookDocument[] {
  return seedCostBook({ book: 'provider-cost', effectiveFrom, currency: 'USD' });
}

function rowsOf(document: PriceBookDocument, provider: string, model: string): PriceBookModel[] {
  return document.models.filter(
    (row) => row.provider === provider && row.model === model && row.service_tier === 'standard',
  );
}
