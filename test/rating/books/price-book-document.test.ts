import { describe, expect, test } from 'vitest';
import { parsePriceBook, readStoredBook } from '../../../src/rating/books/price-book-document.ts';
import { Refusal } from '../../../src/refusal.ts';

const row = { model: 'gpt-4o-mini', per_million: { input: '0.15', output: '0.60' } };
const minimal = {
  book: 'standard',
  kind: 'charge',
  currency: 'USD',
  effective_from: '2026-10-01T00:00:00Z',
  models: [row],
};

describe('a price book that is accepted', () => {
  test('a document in full is read as it is written', () => {
    const document = {
      ...minimal,
      caching: 'work_done',
      models: [
        {
          model: 'gpt-4o-mini',
          service_tier: 'standard',
          per_call: '0',
          per_million: { input: '0.15', output: '0.60', cache_read: '0.075', cache_write: '0.15' },
        },
      ],
    };
    expect(parsePriceBook(document)).toEqual({
      ...document,
      models: [{ ...document.models[0], above_input_tokens: 0 }],
    });
  });

  test('what is left out has its default', () => {
    expect(parsePriceBook(minimal)).toEqual({
      ...minimal,
      models: [{ ...row, service_tier: 'standard', above_input_tokens: 0, per_call: '0' }],
    });
  });

  test.each<[string, object]>([
    [
      'a cost book that names providers',
      { kind: 'cost', models: [{ ...row, provider: 'openai' }] },
    ],
    ['a source and notes', { source: 'our list of October', notes: 'Rounded.' }],
    ['an effective_from with an offset', { effective_from: '2026-10-01T00:00:00+05:45' }],
    ['an effective_from with milliseconds', { effective_from: '2026-10-01T00:00:00.250Z' }],
    ['an override book of a tenant', { base: 'list' }],
    ['an override book that ends its exceptions', { base: 'list', models: [] }],
    ['a cost-plus book without models', { cost_factor: '1.25', models: undefined }],
    ['a cost-plus book with an exception', { cost_factor: '1.25' }],
    ['a currency without minor unit', { currency: 'JPY' }],
    ['twelve digits before the point', withRate('999999999999.999999')],
    ['a price of zero', withRate('0')],
    ['a second with nine decimals', withSecond('0.000000001')],
    ['a second with twelve digits before the point', withSecond('999999999999.999999999')],
    ['a second at a whole amount', withSecond('12')],
    ['a second for nothing', withSecond('0')],
    ['a price of the call alone', { models: [{ model: 'm', per_call: '0.01' }] }],
    ['a price of the call alone that ends in zeros', { models: [{ model: 'm', per_call: '100' }] }],
    ['a price that begins with zeros', { models: [{ model: 'm', per_call: '0.001' }] }],
    ['a price of an image alone', { models: [{ model: 'm', per_image: '0' }] }],
    ['a price of searches alone', { models: [{ model: 'm', per_thousand: { searches: '10' } }] }],
    ['a discount of nothing', { base: 'list', discount: '0' }],
    ['a discount of a fifth', { base: 'list', discount: '0.2' }],
    ['a discount with six decimals', { base: 'list', discount: '0.123456' }],
    ['a discount of everything', { base: 'list', discount: '1' }],
    ['a discount of everything, with decimals', { base: 'list', discount: '1.000000' }],
    ['rows of its own with a caching, over a base', { base: 'list', caching: 'pass_through' }],
    [
      'a discount without rows, with a caching',
      { base: 'list', discount: '0.2', models: [], caching: 'pass_through' },
    ],
    [
      'a cost-plus book without rows, with a caching',
      { cost_factor: '2', models: [], caching: 'pass_through' },
    ],
    [
      'rows that differ in provider, service tier or threshold only',
      {
        models: [
          row,
          { ...row, provider: 'openai' },
          { ...row, provider: 'azure.ai.openai' },
          { ...row, service_tier: 'batch' },
          { ...row, above_input_tokens: 200_000 },
        ],
      },
    ],
  ])('%s', (_, change) => {
    expect(parsePriceBook({ ...minimal, ...change })).toMatchObject({ book: 'standard' });
  });
});

describe('a price book that is refused names the path, the value and what is allowed', () => {
  test.each<[string, object, string]>([
    [
      'a comma for the decimal point',
      withRate('0,15'),
      'models[0].per_million.input: "0,15" is not a decimal with up to six decimals',
    ],
    ['a number for a rate', withRate(0.15), 'models[0].per_million.input: 0.15 is not a decimal'],
    ['seven decimals', withRate('0.0000001'), 'input: "0.0000001" is not a decimal with up to six'],
    ['thirteen digits', withRate('1000000000000'), 'input: "1000000000000" is not a decimal with'],
    ['a negative rate', withRate('-1'), 'models[0].per_million.input: "-1" is not a decimal'],
    ['an exponent', withRate('1e3'), 'models[0].per_million.input: "1e3" is not a decimal'],
    [
      'a point without digits',
      withRate('1.'),
      'models[0].per_million.input: "1." is not a decimal',
    ],
    ['leading zeros', withRate('00.15'), 'models[0].per_million.input: "00.15" is not a decimal'],
    [
      'a rate with a line break',
      withRate('0.15\n'),
      'models[0].per_million.input: "0.15\\n" is not a decimal',
    ],
    [
      'a price of a call that is a number',
      { models: [{ ...row, per_call: 0.01 }] },
      'models[0].per_call: 0.01 is not a decimal',
    ],
    [
      'no price at all',
      { models: [{ model: 'm', per_million: {} }] },
      'is not a model with a price: per_call, per_million, per_thousand, per_image or per_second',
    ],
    [
      'a second with ten decimals',
      { models: [{ model: 'm', per_second: { audio: '0.0000000001' } }] },
      'models[0].per_second.audio: "0.0000000001" is not a decimal with up to nine decimals',
    ],
    ['a second that is a number', withSecond(1), 'audio: 1 is not a decimal with up to nine'],
    ['a second with thirteen digits', withSecond('1000000000000'), 'is not a decimal with up to'],
    ['a second with leading zeros', withSecond('01'), 'audio: "01" is not a decimal with up to'],
    ['a second with letters', withSecond('1a'), 'audio: "1a" is not a decimal with up to nine'],
    ['a second with a letter first', withSecond('a1'), 'audio: "a1" is not a decimal with up to'],
    ['a second with letters for decimals', withSecond('1.a'), 'audio: "1.a" is not a decimal'],
    [
      'a price of the call that is nothing',
      { models: [{ model: 'm', per_call: '0.00', per_thousand: {}, per_second: {} }] },
      'is not a model with a price: per_call',
    ],
    [
      'prices of seconds among those of a million',
      { models: [{ model: 'm', per_million: { audio: '1' } }] },
      'models[0].per_million: unknown key "audio"; allowed are input, cache_read, ',
    ],
    [
      'two misspelt keys',
      { models: [{ ...row, tier: 'batch', price: 1 }] },
      'models[0]: unknown key "tier", "price"; allowed are provider, model, ',
    ],
    [
      'a caching without rows of its own',
      { base: 'list', models: [], caching: 'work_done' },
      'caching: a book without rows of its own charges cached input as its base does; leave it out, or give the book the rows that it is about',
    ],
    [
      'a book without its name',
      { book: undefined },
      'book: is missing; it must be a string of 1 to 100 characters',
    ],
    [
      'a discount that is a number',
      { base: 'b', discount: 0.2 },
      'discount: 0.2 is not a decimal from 0 to 1 with up to six decimals, such as "0.20"',
    ],
    ['a discount of letters', { base: 'b', discount: '0.x' }, 'discount: "0.x" is not a decimal'],
    ['a discount below zero', { base: 'b', discount: '-0.2' }, 'discount: "-0.2" is not'],
    ['a discount within a word', { base: 'b', discount: 'a0.2' }, 'discount: "a0.2" is not'],
    ['a discount of seven decimals', { base: 'b', discount: '0.1234567' }, 'is not a decimal from'],
    ['a currency that is a number', { currency: 1 }, 'currency: 1 is not a currency that Stripe'],
    [
      'a discount without a base',
      { discount: '0.2' },
      'discount: a discount is taken off the prices of a base; name the book as base',
    ],
    [
      'a discount of more than everything',
      { base: 'b', discount: '1.2' },
      'discount: "1.2" is not a decimal from 0 to 1 with up to six decimals',
    ],
    [
      'a misspelt rate',
      { models: [{ model: 'm', per_million: { ...row.per_million, cache_raed: '0.075' } }] },
      'models[0].per_million: unknown key "cache_raed"; allowed are input, cache_read, cache_write, output, cache_write_1h, input_audio, input_image, ',
    ],
    [
      'a misspelt key of a row',
      { models: [{ ...row, tier: 'batch' }] },
      'models[0]: unknown key "tier"',
    ],
    [
      'a misspelt key of the book',
      { cacheing: 'x' },
      'price book: unknown key "cacheing"; allowed are book',
    ],
    ['an empty name', { book: '' }, 'book: "" is not a string of 1 to 100 characters'],
    [
      'a name of 101 characters',
      { book: 'b'.repeat(101) },
      'is not a string of 1 to 100 characters',
    ],
    ['another kind', { kind: 'price' }, 'kind: "price" is not one of "charge", "cost"'],
    [
      'a currency that we have not tried',
      { currency: 'XBT' },
      'currency: "XBT" is not a currency that Stripe bills, by its three capital letters, such as USD, EUR or JPY',
    ],
    ['a currency in lower case', { currency: 'usd' }, 'currency: "usd" is not a currency'],
    [
      'an effective_from without offset',
      { effective_from: '2026-10-01T00:00:00' },
      'effective_from: "2026-10-01T00:00:00" is not an instant in RFC 3339',
    ],
    [
      'an effective_from without seconds',
      { effective_from: '2026-10-01T00:00Z' },
      'effective_from: "2026-10-01T00:00Z" is not an instant in RFC 3339',
    ],
    [
      'an effective_from on a day that does not exist',
      { effective_from: '2026-02-30T00:00:00Z' },
      'effective_from: "2026-02-30T00:00:00Z" is not an instant in RFC 3339',
    ],
    [
      'another caching',
      { caching: 'free' },
      'caching: "free" is not one of "work_done", "pass_through"',
    ],
    [
      'another service tier',
      { models: [{ ...row, service_tier: 'Batch' }] },
      'models[0].service_tier: "Batch" is not one of "standard", "batch", "flex", "priority"',
    ],
    [
      'half a token as the threshold',
      { models: [{ ...row, above_input_tokens: 0.5 }] },
      'models[0].above_input_tokens: 0.5 is not a whole number of tokens, 0 or more',
    ],
    [
      'a threshold below zero',
      { models: [{ ...row, above_input_tokens: -1 }] },
      'models[0].above_input_tokens: -1 is not a whole number of tokens, 0 or more',
    ],
    ['models that are no array', { models: { 'gpt-4o': row } }, 'is not an array of models'],
    ['no models', { models: [] }, 'models: a book without base and cost_factor needs at least one'],
    ['models left out', { models: undefined }, 'models: a book without base and cost_factor needs'],
    [
      'a row that repeats another',
      { models: [row, { ...row, model: 'gpt-4o' }, { ...row, service_tier: 'standard' }] },
      'models[2]: repeats models[0], {"model":"gpt-4o-mini","service_tier":"standard","above_input_tokens":0}',
    ],
    [
      'a book over itself',
      { base: 'standard', book: 'standard' },
      'base: a book cannot be laid over itself',
    ],
    [
      'a cost book from cost',
      { kind: 'cost', cost_factor: '2' },
      'cost_factor: only a charge book',
    ],
    [
      'a cost-plus book with a base',
      { base: 'other', cost_factor: '2' },
      'base: a cost-plus book prices',
    ],
    [
      'a factor that is a percentage',
      { cost_factor: '25%' },
      'cost_factor: "25%" is not a decimal',
    ],
  ])('%s', (_, change, message) => {
    expect(refusalOf({ ...minimal, ...change }).message).toContain(message);
  });

  test.each([[null], [[]], ['standard'], [12]])('%j for a price book', (json) => {
    expect(refusalOf(json).message).toBe(
      `price book: ${JSON.stringify(json)} is not an object with the keys book, kind, currency, ` +
        'effective_from, caching, base, cost_factor, discount, source, notes, models',
    );
  });

  test('the refusal is of a document and names at most five problems', () => {
    const models = [1, 2, 3, 4, 5, 6, 7].map((index) => ({ ...row, model: index }));
    const refusal = refusalOf({ ...minimal, models });
    expect(refusal.kind).toBe('bad_document');
    expect(refusal.message.split('; ')).toHaveLength(6);
    expect(refusal.message).toMatch(/; and 2 more$/);
  });

  test('five problems are all named, and the remedy says that nothing was stored', () => {
    const models = [1, 2, 3, 4, 5].map((index) => ({ ...row, model: index }));
    const refusal = refusalOf({ ...minimal, models });
    const name = 'is not a string of 1 to 200 characters';
    expect(refusal.message).toBe(
      [0, 1, 2, 3, 4].map((index) => `models[${index}].model: ${index + 1} ${name}`).join('; '),
    );
    expect(refusal.remedy).toEqual([
      'correct the file and import it again; nothing of it was stored',
    ]);
  });

  test('a long value is cut after eighty characters, so that a message stays a line', () => {
    const kinds = 'is not one of "charge", "cost"';
    // With its two quotation marks.
    const longest = 'x'.repeat(78);
    expect(refusalOf({ ...minimal, kind: longest }).message).toBe(`kind: "${longest}" ${kinds}`);
    expect(refusalOf({ ...minimal, kind: `${longest}y` }).message).toBe(
      `kind: "${longest}y… ${kinds}`,
    );
  });

  test('a factor with a base is one problem, and a cost book with a factor another', () => {
    const refusal = refusalOf({ ...minimal, kind: 'cost', base: 'other', cost_factor: '2' });
    expect(refusal.message).toBe(
      'cost_factor: only a charge book can be a multiple of the cost; ' +
        'base: a cost-plus book prices every model, so nothing of its base would be used',
    );
  });

  test('what the parts of a book are is said in full', () => {
    const wrong = { book: 1, effective_from: 1, cost_factor: 1, models: 1, base: 1 };
    expect(refusalOf({ ...minimal, ...wrong }).message).toBe(
      'book: 1 is not a string of 1 to 100 characters; ' +
        'effective_from: 1 is not an instant in RFC 3339 with seconds and an offset, such as ' +
        '"2026-10-01T00:00:00Z" or "2026-10-01T00:00:00+02:00"; ' +
        'base: 1 is not a string of 1 to 100 characters; ' +
        'cost_factor: 1 is not a decimal with up to six decimals, such as "0.15" (a string, not ' +
        'negative, up to twelve digits before the point); models: 1 is not an array of models',
    );
    const none = refusalOf({ ...minimal, models: [] }).message;
    expect(none).toBe('models: a book without base and cost_factor needs at least one model');
  });
});

describe('a price book as it was stored', () => {
  test('keeps the caching that it was given, where it says what is charged', () => {
    const stored = { ...minimal, caching: 'pass_through' };
    expect(readStoredBook(stored).caching).toBe('pass_through');
    const discounted = { ...stored, base: 'list', discount: '0.2', models: [] };
    expect(readStoredBook(discounted).caching).toBe('pass_through');
  });

  test('has none where all is its base’s, though one was kept', () => {
    const stored = { ...minimal, base: 'list', models: [], caching: 'work_done' };
    expect(readStoredBook(stored)).toEqual({ ...minimal, base: 'list', models: [] });
  });
});

function withSecond(audio: unknown): object {
  return { models: [{ model: 'm', per_second: { audio } }] };
}

function withRate(input: unknown): object {
  return { models: [{ model: 'm', per_million: { input, output: '0' } }] };
}

function refusalOf(json: unknown): Refusal {
  try {
    parsePriceBook(json);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('the price book was accepted');
}
