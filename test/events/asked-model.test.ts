import { expect, test } from 'vitest';
import { modelsAskedFor } from '../../src/events/asked-model.ts';

const DATED = 'gpt-4o-2024-08-06';
const SONNET = 'claude-sonnet-4-20250514';
const OF_BEDROCK = `anthropic.${SONNET}-v1:0`;
const FLASH = 'gemini-2.0-flash';
const ARN = 'arn:aws:bedrock:us-east-1:123456789012';
const PROFILE = 'application-inference-profile/a1b2c3d4e5f6';

test.each<[string, readonly [string, string], readonly [string, string], string | null]>([
  ['another model', ['mini', 'mini'], ['gpt-4o', 'mini'], 'gpt-4o'],
  ['a name that the gateway answers by, too', ['eu-1', DATED], ['gpt-4o', 'gpt-4o'], 'gpt-4o'],
  ['the deployment of a gateway', ['eu-1', 'eu-1'], ['gpt-4o', 'gpt-4o'], 'gpt-4o'],
  ['no more than which model answered', ['gpt-4o', 'mini'], ['mini', 'mini'], null],
  ['the same with its date', ['gpt-4o', 'gpt-4o'], [DATED, DATED], null],
  ['the same with its provider', ['gpt-4o', DATED], ['openai/gpt-4o', DATED], null],
  [
    'an older one of the name',
    ['gpt-4', 'gpt-4'],
    ['gpt-4-1106-preview', 'gpt-4'],
    'gpt-4-1106-preview',
  ],
  ['the same with its provider and a colon', ['gpt-4o', DATED], ['openai:gpt-4o', DATED], null],
  ['the same in a region', [SONNET, SONNET], [`us.anthropic.${SONNET}-v1:0`, ''], null],
  ['the same with its number', [FLASH, FLASH], [`models/${FLASH}-001`, ''], null],
  ['the same with a tag', ['gpt-4o', 'gpt-4o'], ['openai/gpt-4o:online', ''], null],
  [
    'the address of the same',
    [SONNET, SONNET],
    [`${ARN}:foundation-model/${OF_BEDROCK}`, ''],
    null,
  ],
  ['an address that names none', [SONNET, SONNET], [`${ARN}:${PROFILE}`, ''], null],
  ['several that it may be', ['gpt-4o', DATED], ['fallback:gpt-4o,claude', ''], null],
  ['another size', ['llama3:70b', 'llama3:70b'], ['llama3:8b', 'llama3:8b'], 'llama3:8b'],
  ['nothing', ['gpt-4o', DATED], ['', ''], null],
])('a report around a call says %s', (_what, inner, outer, requested) => {
  const models = ([asked, executed]: readonly [string, string]) => ({ requested: asked, executed });
  const expected = requested === null ? null : { requested, executed: inner[1] };
  expect(modelsAskedFor(models(inner), models(outer))).toEqual(expected);
});
