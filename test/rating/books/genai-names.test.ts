import { type Provider, waitForUpdate } from '@pydantic/genai-prices';
import { expect, test } from 'vitest';
import { EVENT_PROVIDERS, offersOf } from '../../../src/rating/books/genai-names.ts';

const packageProviders: readonly Provider[] = (await waitForUpdate()) ?? [];

/** The names of each provider's models by their ids, one of which may be a lender's model, too. */
const offered = new Map(packageProviders.map(({ id }) => [id, namesById(id)]));

test('each provider of the package stands under its names in events, and most under its own', () => {
  expect(EVENT_PROVIDERS).toEqual({
    ...Object.fromEntries(packageProviders.map(({ id }) => [id, [id]])),
    aws: ['aws.bedrock'],
    azure: ['azure.ai.openai', 'azure.ai.inference'],
    google: ['gcp.gemini', 'gcp.vertex_ai', 'gcp.gen_ai'],
    mistral: ['mistral_ai'],
    moonshotai: ['moonshot_ai'],
    'x-ai': ['x_ai'],
  });
});

test.each([
  ['anthropic', 'claude-3-haiku', ['claude-3-haiku-20240307']],
  ['anthropic', 'claude-3-sonnet', ['claude-3-sonnet-20240229']],
  ['anthropic', 'claude-3-opus-latest', ['claude-3-opus-20240229']],
  [
    'anthropic',
    'claude-3-5-sonnet',
    ['claude-3-5-sonnet-20240620', 'claude-3-5-sonnet-20241022', 'claude-3-5-sonnet-latest'],
  ],
  ['anthropic', 'claude-3-5-haiku-latest', ['claude-3-5-haiku-20241022']],
  ['anthropic', 'claude-3-7-sonnet-latest', ['claude-3-7-sonnet-20250219']],
  ['anthropic', 'claude-sonnet-4-0', ['claude-sonnet-4-20250514']],
  ['anthropic', 'claude-opus-4-1', ['claude-opus-4-1-20250805']],
  ['anthropic', 'claude-sonnet-4-5', ['claude-sonnet-4-5-20250929']],
  ['anthropic', 'claude-haiku-4-5', ['claude-haiku-4-5-20251001']],
  ['anthropic', 'claude-opus-4-5', ['claude-opus-4-5-20251101']],
  ['openai', 'computer-use', ['computer-use-preview', 'computer-use-preview-2025-03-11']],
  ['google', 'gemini-2.0-flash', ['gemini-2.0-flash-exp', 'gemini-2.0-flash-001']],
  ['google', 'gemini-1.5-flash', ['gemini-1.5-flash-001', 'gemini-1.5-flash-002']],
  ['google', 'gemini-1.5-pro', ['gemini-1.5-pro-001', 'gemini-1.5-pro-002']],
  ['google', 'gemini-2.0-flash-lite', ['gemini-2.0-flash-lite-001']],
  [
    'google',
    'gemini-2.5-pro',
    [
      'gemini-2.5-pro-preview-03-25',
      'gemini-2.5-pro-preview-05-06',
      'gemini-2.5-pro-preview-06-05',
    ],
  ],
  ['google', 'claude-3-5-sonnet', ['claude-3-5-sonnet-v2@20241022']],
  ['google', 'claude-3-7-sonnet', ['claude-3-7-sonnet@20250219']],
  ['google', 'claude-4-sonnet', ['claude-sonnet-4@20250514']],
  ['google', 'claude-4-opus', ['claude-opus-4@20250514', 'claude-opus-4-1@20250805']],
  ['google', 'claude-sonnet-4-5', ['claude-sonnet-4-5@20250929']],
  ['google', 'claude-haiku-4-5', ['claude-haiku-4-5@20251001']],
])('%s offers %s by its dated names, which the package lists nowhere', (provider, model, names) => {
  expect(offered.get(provider)?.get(model)).toEqual(expect.arrayContaining(names));
});

test.each<[string, string, readonly string[]]>([
  [
    'aws',
    'amazon.nova-lite-v1:0',
    [
      'amazon.nova-lite-v1:0',
      ...['us', 'eu', 'apac', 'au', 'jp', 'global'].map(
        (place) => `${place}.amazon.nova-lite-v1:0`,
      ),
    ],
  ],
  // What costs otherwise all over the world is a model of its own in the package.
  [
    'aws',
    'global.anthropic.claude-sonnet-4-5-20250929-v1:0',
    ['global.anthropic.claude-sonnet-4-5-20250929-v1:0'],
  ],
  ['aws', 'global.openai.gpt-5.6-sol', ['global.openai.gpt-5.6-sol']],
  [
    'aws',
    'regional.openai.gpt-5.6-sol',
    ['openai.gpt-5.6-sol', 'us.openai.gpt-5.6-sol', 'regional.openai.gpt-5.6-sol', 'gpt-5.6-sol'],
  ],
  ['aws', 'mistral.mistral-7b-instruct-v0:2', ['mistral.mistral-7b-instruct-v0:2']],
  ['azure', 'gpt-4o', ['gpt-4o', 'gpt-4o-2024-08-06', 'gpt-4o-2024-11-20']],
  [
    'azure',
    'claude-sonnet-4-5',
    ['claude-sonnet-4-5', 'claude-sonnet-4.5', 'claude-sonnet-4-5-20250929'],
  ],
  ['azure', 'ft:gpt-4o', ['ft:gpt-4o']],
])('%s offers %s by these names and no others', (provider, model, names) => {
  expect(offered.get(provider)?.get(model)).toEqual(names);
});

test('each name is that of one model', () => {
  for (const { id } of packageProviders) {
    const names = [...(offered.get(id)?.values() ?? [])].flat();
    expect(names, id).toEqual([...new Set(names)]);
    expect(names.length, id).toBeGreaterThan(0);
  }
});

test('an offer names its provider in the package and in events', () => {
  const events = ['gcp.gemini', 'gcp.vertex_ai'];
  for (const offer of offersOf('google', events)) {
    expect(offer).toMatchObject({ packageId: 'google', providers: events });
  }
});

test('a provider that the package does not have is an error', () => {
  expect(() => offersOf('nobody', ['nobody'])).toThrow('the package has no provider nobody');
});

function namesById(providerId: string): ReadonlyMap<string, readonly string[]> {
  const byId = Map.groupBy(offersOf(providerId, [providerId]), ({ model }) => model.id);
  return new Map([...byId].map(([id, offers]) => [id, offers.flatMap(({ names }) => names)]));
}
