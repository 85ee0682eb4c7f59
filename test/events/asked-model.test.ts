import { expect, test } from 'vitest';
import { modelsAskedFor } from '../../src/events/asked-model.ts';

const DATED = 'gpt-4o-2024-08-06';

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
  ['nothing', ['gpt-4o', DATED], ['', ''], null],
])('a report around a call says %s', (_what, inner, outer, requested) => {
  const models = ([asked, executed]: readonly [string, string]) => ({ requested: asked, executed });
  const expected = requested === null ? null : { requested, executed: inner[1] };
  expect(modelsAskedFor(models(inner), models(outer))).toEqual(expected);
});
