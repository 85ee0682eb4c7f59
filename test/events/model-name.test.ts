import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readModelName } from '../../src/events/model-name.ts';
import { cases } from '../support/cases.ts';

describe('one form of the names of models', () => {
  test.each<[written: string, provider: string | null, name: string, undated: string]>([
    ['gpt-4o', null, 'gpt-4o', 'gpt-4o'],
    ['GPT-4.1', null, 'gpt-4-1', 'gpt-4-1'],
    ['gpt-4o-2024-08-06', null, 'gpt-4o-20240806', 'gpt-4o'],
    ['openai/gpt-4o', 'openai', 'gpt-4o', 'gpt-4o'],
    ['litellm_proxy/openai/gpt-4o', 'openai', 'gpt-4o', 'gpt-4o'],
    ['openrouter/openai/gpt-4o', 'openrouter', 'gpt-4o', 'gpt-4o'],
    ['azure/gpt-35-turbo', 'azure.ai.openai', 'gpt-3-5-turbo', 'gpt-3-5-turbo'],
    ['meta-llama/Llama-3.3-70B', null, 'meta-llama/llama-3-3-70b', 'meta-llama/llama-3-3-70b'],
    ['models/gemini-2.5-pro', null, 'gemini-2-5-pro', 'gemini-2-5-pro'],
    ['gemini-2.0-flash-001', null, 'gemini-2-0-flash-001', 'gemini-2-0-flash'],
    [
      'projects/p/locations/eu/publishers/google/models/gemini-2.5-pro',
      'gcp.vertex_ai',
      'gemini-2-5-pro',
      'gemini-2-5-pro',
    ],
    [
      'us.anthropic.claude-3-5-sonnet-20241022-v2:0',
      'aws.bedrock',
      'claude-3-5-sonnet-20241022',
      'claude-3-5-sonnet',
    ],
    [
      'arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-20250514-v1:0',
      'aws.bedrock',
      'claude-sonnet-4-20250514',
      'claude-sonnet-4',
    ],
    [
      'bedrock/eu-central-1/anthropic.claude-3-haiku-20240307-v1:0',
      'aws.bedrock',
      'claude-3-haiku-20240307',
      'claude-3-haiku',
    ],
    ['amazon.nova-lite-v1:0', 'aws.bedrock', 'nova-lite', 'nova-lite'],
    ['amazon.titan-embed-text-v2:0', 'aws.bedrock', 'titan-embed-text-v2', 'titan-embed-text-v2'],
    ['claude-3-5-sonnet-v2@20241022', null, 'claude-3-5-sonnet-20241022', 'claude-3-5-sonnet'],
    ['claude-3-5-sonnet-latest', null, 'claude-3-5-sonnet-latest', 'claude-3-5-sonnet'],
    [
      'anthropic/claude-4.5-sonnet-20250929',
      'anthropic',
      'claude-sonnet-4-5-20250929',
      'claude-sonnet-4-5',
    ],
    ['ft:gpt-4o-mini-2024-07-18:acme::abc', null, 'ft:gpt-4o-mini-20240718', 'ft:gpt-4o-mini'],
    ['  gpt-4o ', null, 'gpt-4o', 'gpt-4o'],
    [
      'publishers/google/models/gemini-2.5-pro',
      'gcp.vertex_ai',
      'gemini-2-5-pro',
      'gemini-2-5-pro',
    ],
    [
      'bedrock/arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0',
      'aws.bedrock',
      'nova-pro',
      'nova-pro',
    ],
    [
      'bedrock/converse/arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/amazon.nova-pro-v1:0',
      'aws.bedrock',
      'nova-pro',
      'nova-pro',
    ],
    ['bedrock/us-gov-west-1/amazon.nova-pro-v1:0', 'aws.bedrock', 'nova-pro', 'nova-pro'],
    ['azure/global-standard/gpt-4o', 'azure.ai.openai', 'gpt-4o', 'gpt-4o'],
    ['anthropic/claude-3-7-sonnet:thinking', 'anthropic', 'claude-3-7-sonnet', 'claude-3-7-sonnet'],
    ['gpt-4o-2024-08-06-eu', null, 'gpt-4o-20240806-eu', 'gpt-4o-20240806-eu'],
    ['claude-sonnet-4@default', null, 'claude-sonnet-4', 'claude-sonnet-4'],
    ['claude-3-haiku@20240307', null, 'claude-3-haiku-20240307', 'claude-3-haiku'],
    ['claude-3-haiku-v12@20240307', null, 'claude-3-haiku-20240307', 'claude-3-haiku'],
    ['gemini-1.5-flash@002', null, 'gemini-1-5-flash-002', 'gemini-1-5-flash'],
    ['claude-3-haiku-48k-20240307', null, 'claude-3-haiku-20240307', 'claude-3-haiku'],
    ['claude-3-haiku-20240307-v1', null, 'claude-3-haiku-20240307', 'claude-3-haiku'],
    ['claude-3-haiku-20240307-v12:10:200k', null, 'claude-3-haiku-20240307', 'claude-3-haiku'],
    ['amazon.nova-pro-v1:10:300k', 'aws.bedrock', 'nova-pro', 'nova-pro'],
    ['amazon.titan-embed-v12:10:512k', 'aws.bedrock', 'titan-embed-v12', 'titan-embed-v12'],
    ['claude-4-opus', null, 'claude-opus-4', 'claude-opus-4'],
  ])('%s', (written, provider, name, undated) => {
    expect(readModelName(written)).toEqual({ provider, name, undated });
  });

  test.each([
    // A provider or a gateway is a model's name where nothing stands behind it.
    'openai',
    'gateway',
    // These only end, or only begin, as something does that is taken away.
    'my-litellm/gpt-4o',
    'chatty/gpt-4o',
    'my-arn:aws:bedrock:us-east-1::foundation-model/nova',
    'my-publishers/google/models/gemini',
    'my-anthropic.claude',
    'left:gpt-4o:acme',
    'gpt-4o:betamax',
    'claude-sonnet@latest-v2',
    'claude-haiku@202403071',
    'gemini-flash@0021',
    'gemini-flash@1',
    'my-claude-3-haiku-48k-20240307-eu',
    'claude-3-haiku-48k-2',
    'claude-3-haiku-20240307-v1:0-eu',
    'nova-pro-v1:0-eu',
    'titan-embed-v2:0-eu',
    'my-gpt-35-turbo',
    'my-claude-4-opus',
    'claude-4-opusculum',
    'gpt-4o-latest-eu',
    // A version and a day are no date, and neither is a longer number.
    'grok-4-07-09',
    'gpt-4o-2024-08-061',
    // No address has two lines.
    'publishers/google/models/gemini\nother',
    'arn:aws:bedrock:us-east-1::foundation-model/nova\nother',
  ])('nothing is taken away from %j', (written) => {
    expect(readModelName(written)).toEqual({ provider: null, name: written, undated: written });
  });

  test('a geography counts at the beginning alone', () => {
    const name = 'claude-us.v2';
    expect(readModelName('anthropic.claude-us.v2')).toEqual({
      ...{ provider: 'aws.bedrock', name, undated: name },
    });
  });

  test('a model has one name, whatever stands before it and behind it', () => {
    const model = fc.constantFrom('claude-sonnet-4-20250514', 'claude-3-haiku-20240307');
    const gateway = fc.constantFrom('', 'litellm/', 'openrouter/', 'models/', 'bedrock/converse/');
    const maker = fc.constantFrom('', 'us.anthropic.', 'eu.anthropic.', 'anthropic.', 'anthropic/');
    const version = fc.constantFrom('', '-v1:0', '-v2:0:48k', ':thinking', ':beta');
    fc.assert(
      fc.property(model, gateway, maker, version, (name, before, by, behind) => {
        expect(readModelName(`${before}${by}${name}${behind}`).name).toBe(name);
      }),
      cases(200),
    );
  });

  test('what the world is asked for keeps its geography, since it has a price of its own', () => {
    expect(readModelName('global.anthropic.claude-sonnet-4-20250514-v1:0').name).toBe(
      'global.claude-sonnet-4-20250514',
    );
  });

  test('an ARN that names no model stays as it is', () => {
    const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3';
    expect(readModelName(arn)).toEqual({ provider: null, name: arn, undated: arn });
  });

  test('an ARN that names no model is not read in its parts either', () => {
    const arn = 'arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a1.2-v1:0';
    expect(readModelName(arn).name).toBe(arn);
  });

  test('a preview is another model than the one that it became', () => {
    const { undated } = readModelName('gemini-2.5-flash-preview-05-20');
    expect(undated).not.toBe(readModelName('gemini-2.5-flash').undated);
  });

  test('reading what was read changes nothing', () => {
    const names = [
      'us.anthropic.claude-3-5-sonnet-20241022-v2:0',
      'claude-4.5-opus',
      'gpt-35-turbo',
    ];
    for (const written of names) {
      const { name } = readModelName(written);
      expect(readModelName(name).name).toBe(name);
    }
  });
});

describe('names that were read', () => {
  test('are remembered, and forgotten in a flood of others', () => {
    const first = readModelName('openai/gpt-4o');
    readModelName('openai/gpt-4.1');
    expect(readModelName('openai/gpt-4o')).toBe(first);
    for (let count = 0; count <= 20_000; count += 1) readModelName(`flood-${count}`);
    expect(readModelName('openai/gpt-4o')).not.toBe(first);
    expect(readModelName('openai/gpt-4o')).toEqual(first);
  });
});
