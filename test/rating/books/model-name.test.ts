import { describe, expect, test } from 'vitest';
import { readModelName } from '../../../src/rating/books/model-name.ts';

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
  ])('%s', (written, provider, name, undated) => {
    expect(readModelName(written)).toEqual({ provider, name, undated });
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
