import { describe, expect, it } from 'vitest';
import type { Rate } from '../../../src/rating/books/rate.ts';
import type { NameMatch } from '../../../src/rating/books/rate-index.ts';
import { buildRates } from '../../../src/rating/books/rate-index.ts';

let nextId = 0n;

/** A row whose input rate is the figure that a test looks for. */
function row(model: string, input: bigint, change: Partial<Rate> = {}): Rate {
  nextId += 1n;
  return {
    rateId: nextId,
    book: 'standard',
    provider: null,
    model,
    serviceTier: 'standard',
    aboveInputTokens: 0n,
    perCall: 0n,
    input,
    output: 4n,
    cacheRead: 1n,
    cacheWrite: 1n,
    units: null,
    ...change,
  };
}

/** The input rates of what is found for `provider/model`, or for a model that nobody is named with. */
function find(rows: readonly Rate[], asked: readonly [string | null, string], match: NameMatch) {
  const [provider, model] = asked;
  return buildRates(rows)
    .find({ provider, model }, 'standard', match)
    .map(({ input }) => input);
}

describe('a row that is looked for as it is written', () => {
  const rows = [
    row('gpt-4o', 1n),
    row('gpt-4o', 2n, { provider: 'azure' }),
    row('gpt-4o', 3n, { serviceTier: 'batch' }),
    row('o1', 4n, { provider: 'openai' }),
  ];

  it('is that of the provider, in any spelling, else the one that names none', () => {
    expect(find(rows, ['azure', 'gpt-4o'], 'written')).toEqual([2n]);
    expect(find(rows, ['az.ai.openai', 'gpt-4o'], 'written')).toEqual([2n]);
    expect(find(rows, ['groq', 'gpt-4o'], 'written')).toEqual([1n]);
    expect(find(rows, [null, 'gpt-4o'], 'written')).toEqual([1n]);
  });

  it('is that of the only provider, where the call names none', () => {
    expect(find(rows, [null, 'o1'], 'written')).toEqual([4n]);
    expect(find(rows, ['groq', 'o1'], 'written')).toEqual([]);
  });

  it('is no row of another model, tier or spelling', () => {
    expect(find(rows, [null, 'gpt-4'], 'written')).toEqual([]);
    expect(find(rows, [null, 'GPT-4o'], 'written')).toEqual([]);
    const index = buildRates(rows);
    expect(index.find({ provider: null, model: 'gpt-4o' }, 'flex', 'written')).toEqual([]);
    expect(index.find({ provider: 'groq', model: 'gpt-4o' }, 'batch', 'written')).toEqual([
      rows[2],
    ]);
  });

  it('stands in the index with all the others', () => {
    expect(buildRates(rows).rows).toBe(rows);
  });
});

describe('a row in another spelling of its name', () => {
  const rows = [row('gpt-4.1', 1n, { provider: 'openai' }), row('claude-3-haiku-20240307', 2n)];

  it('is found where spellings do not count, and only there', () => {
    expect(find(rows, ['openai', 'GPT-4-1'], 'written')).toEqual([]);
    expect(find(rows, ['openai', 'GPT-4-1'], 'same')).toEqual([1n]);
    expect(find(rows, ['openai', 'GPT-4-1'], 'undated')).toEqual([1n]);
  });

  it('is no row of another date', () => {
    expect(find(rows, [null, 'claude-3-haiku-v1@20240307'], 'same')).toEqual([2n]);
    expect(find(rows, [null, 'claude-3-haiku@20250101'], 'same')).toEqual([]);
    expect(find(rows, [null, 'claude-3-haiku@20250101'], 'undated')).toEqual([2n]);
  });

  it('counts where all spellings of one model cost the same, and not where they differ', () => {
    const alike = [row('gpt-4.1', 5n), row('gpt-4-1', 5n)];
    const differing = [row('gpt-4.1', 5n), row('gpt-4-1', 6n)];
    expect(find(alike, [null, 'GPT-4.1'], 'same')).toEqual([5n]);
    expect(find(differing, [null, 'GPT-4.1'], 'same')).toEqual([]);
  });

  it('answers for one tier alone', () => {
    const batch = [row('gpt-4.1', 5n, { serviceTier: 'batch' }), row('gpt-4.1', 6n)];
    expect(find(batch, [null, 'GPT-4.1'], 'same')).toEqual([6n]);
  });
});

describe('a row of another date', () => {
  const dated = [row('gpt-4o-2024-05-13', 5n), row('gpt-4o-2024-08-06', 2n)];

  it('counts where all dates cost the same', () => {
    expect(find(dated, [null, 'gpt-4o-2025-01-01'], 'undated')).toEqual([]);
    const alike = [row('gpt-4o-2024-05-13', 5n), row('gpt-4o-2024-08-06', 5n)];
    expect(find(alike, [null, 'gpt-4o-2025-01-01'], 'undated')).toEqual([5n]);
  });

  it('is passed over for the one without a date, which speaks for all of them', () => {
    const rows = [...dated, row('gpt-4o', 3n)];
    expect(find(rows, [null, 'gpt-4o-2025-01-01'], 'undated')).toEqual([3n]);
    expect(find([...rows].reverse(), [null, 'gpt-4o-2025-01-01'], 'undated')).toEqual([3n]);
    const agreeing = [row('o1-2024-12-17', 5n), row('o1-2025-02-01', 5n), row('o1', 6n)];
    expect(find(agreeing, [null, 'o1-2025-12-12'], 'undated')).toEqual([6n]);
  });
});

describe('rows of several providers', () => {
  const priced = (change: Partial<Rate>) => [
    row('o1', 5n, { provider: 'openai' }),
    row('o1', 5n, { provider: 'azure', ...change }),
  ];

  it('that cost the same answer a call that names none, the first by name', () => {
    const rows = [row('o1', 5n, { provider: 'openai' }), row('o1', 5n, { provider: 'azure' })];
    const asked = { provider: null, model: 'o1' };
    expect(buildRates(rows).find(asked, 'standard', 'written')).toEqual([rows[1]]);
    expect(buildRates(rows).find(asked, 'standard', 'same')).toEqual([rows[1]]);
  });

  it.each<[string, Partial<Rate>]>([
    ['input', { input: 6n }],
    ['output', { output: 5n }],
    ['cached input', { cacheRead: 2n }],
    ['cache writes', { cacheWrite: 2n }],
    ['calls', { perCall: 1n }],
    ['a length', { aboveInputTokens: 1n }],
    ['a unit that the other has not', { units: { images: 1n } }],
    ['no input', { input: null }],
  ])('that differ in %s leave a call that names none without a price', (_what, change) => {
    expect(find(priced(change), [null, 'o1'], 'written')).toEqual([]);
  });

  it('that have the same units agree only where each costs the same', () => {
    const both = (azure: bigint, unit = 'images') => [
      row('o1', 5n, { provider: 'openai', units: { images: 1n } }),
      row('o1', 5n, { provider: 'azure', units: { [unit]: azure } }),
    ];
    expect(find(both(1n), [null, 'o1'], 'written')).toEqual([5n]);
    expect(find(both(2n), [null, 'o1'], 'written')).toEqual([]);
    expect(find(both(1n, 'pages'), [null, 'o1'], 'written')).toEqual([]);
  });

  it('are told apart by length, in whatever order each lists its own', () => {
    const [low, high] = [{ aboveInputTokens: 0n }, { aboveInputTokens: 500n }];
    const rows = [
      row('o1', 5n, { provider: 'openai', ...low }),
      row('o1', 9n, { provider: 'openai', ...high }),
      row('o1', 9n, { provider: 'azure', ...high }),
      row('o1', 5n, { provider: 'azure', ...low }),
    ];
    expect(find(rows, [null, 'o1'], 'written')).toEqual([9n, 5n]);
    expect(find(rows.slice(0, 3), [null, 'o1'], 'written')).toEqual([]);
  });
});

describe('who is named in the name of a model', () => {
  const rows = [
    row('gpt-4.1', 1n, { provider: 'openai' }),
    row('gpt-4.1', 2n, { provider: 'azure' }),
    row('gpt-4.1', 3n, { provider: 'groq' }),
  ];

  it('is asked where the call names nobody', () => {
    expect(find(rows, [null, 'azure/gpt-4.1'], 'same')).toEqual([2n]);
    expect(find(rows, [null, 'gpt-4.1'], 'same')).toEqual([]);
  });

  it('is asked where the call names somebody who has no such model', () => {
    expect(find(rows, ['anthropic', 'azure/gpt-4.1'], 'same')).toEqual([2n]);
    expect(find(rows, ['groq', 'azure/gpt-4.1'], 'same')).toEqual([3n]);
    expect(find(rows, ['anthropic', 'gpt-4.1'], 'same')).toEqual([]);
  });

  it('is all that a call names where it names nobody whose row it could be', () => {
    const one = [row('gpt-4.1', 1n, { provider: 'openai' })];
    expect(find(one, ['anthropic', 'gpt-4-1'], 'same')).toEqual([]);
    expect(find(one, [null, 'gpt-4-1'], 'same')).toEqual([1n]);
  });

  it.each([
    'litellm',
    'LiteLLM Proxy',
    'portkey',
    'helicone',
    'langwatch',
    'kong',
    'gateway',
    'vercel',
    'strands-agents',
    'autogen',
    'spring_ai',
    'langchain',
    'langgraph',
    'llama_index',
    'crewai',
    'mastra',
    'microsoft.agent_framework',
    'pydantic_ai',
    'semantic_kernel',
    'haystack',
    'unknown',
  ])('is asked, and not %s, which hands calls on and is paid for nothing', (passage) => {
    const own = [...rows, row('gpt-4.1', 9n, { provider: passage })];
    expect(find(own, [passage, 'azure/gpt-4.1'], 'same')).toEqual([2n]);
    // Nobody is named anywhere: a price counts where there is no doubt of it.
    expect(find([row('o1', 7n, { provider: 'openai' })], [passage, 'O1'], 'same')).toEqual([7n]);
  });

  it('is who is paid where a router stands before the maker', () => {
    expect(find(rows, [null, 'groq/openai/gpt-4.1'], 'same')).toEqual([3n]);
  });
});
