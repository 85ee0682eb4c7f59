import { expect, test } from 'vitest';
import { parseModelMap } from '../../src/events/model-map.ts';
import { readBody } from '../../src/events/read-body.ts';
import { nativeEvent } from '../support/ledger.ts';
import { RECEIVED_AT } from '../support/said-event.ts';

const FILE = {
  deployments: [
    { name: 'prod-chat', at: 'azure', model: 'gpt-4o-2024-08-06' },
    { name: 'fast', model: 'gpt-4o-mini', provider: 'OpenAI' },
    { name: 'fast', at: 'anthropic', model: 'claude-haiku-4-5' },
  ],
};

function event(change: object, file: object | null = FILE) {
  const models = file === null ? null : parseModelMap(JSON.stringify(file), 'models.json');
  const context = { receivedAt: RECEIVED_AT, litellmKey: null, attributes: {}, models };
  const [item] = readBody(JSON.stringify(nativeEvent({ ...change })), context);
  if (item?.kind !== 'event') throw new Error(JSON.stringify(item));
  return item;
}

function models(change: object) {
  const { requestedModel, executedModel, provider, furtherTags } = event(change).event;
  return [requestedModel, executedModel, provider, furtherTags['deployment']];
}

test.each<[string, object, unknown[]]>([
  [
    'a deployment is its model, and what was written stays as a tag',
    { provider: 'azure', requested_model: 'prod-chat' },
    ['gpt-4o-2024-08-06', 'gpt-4o-2024-08-06', 'azure.ai.openai', 'prod-chat'],
  ],
  [
    'the executed model stays where it is known',
    { provider: 'az.ai.openai', requested_model: 'Prod-Chat', executed_model: 'gpt-4o-2024-11-20' },
    ['gpt-4o-2024-08-06', 'gpt-4o-2024-11-20', 'azure.ai.openai', 'prod-chat'],
  ],
  [
    'a deployment at one provider is none at another',
    { provider: 'openai', requested_model: 'prod-chat' },
    ['prod-chat', 'prod-chat', 'openai', undefined],
  ],
  [
    'the provider before a deployment says where it is',
    { provider: 'litellm', requested_model: 'azure/prod-chat' },
    ['gpt-4o-2024-08-06', 'gpt-4o-2024-08-06', 'litellm', 'prod-chat'],
  ],
  [
    'an alias says who is paid',
    { provider: 'portkey', requested_model: 'fast' },
    ['gpt-4o-mini', 'gpt-4o-mini', 'openai', 'fast'],
  ],
  [
    'the name at the provider goes before the name at any',
    { provider: 'anthropic', requested_model: 'fast' },
    ['claude-haiku-4-5', 'claude-haiku-4-5', 'anthropic', 'fast'],
  ],
  [
    'an alias of what was requested leaves who executed',
    { provider: 'azure', requested_model: 'fast', executed_model: 'gpt-4o-mini-2024-07-18' },
    ['gpt-4o-mini', 'gpt-4o-mini-2024-07-18', 'azure.ai.openai', 'fast'],
  ],
  [
    'any other model is called by its own name',
    { provider: 'azure', requested_model: 'gpt-4o' },
    ['gpt-4o', 'gpt-4o', 'azure.ai.openai', undefined],
  ],
])('%s', (_, change, expected) => expect(models(change)).toEqual(expected));

test('a map that changes makes no conflict of what comes again', () => {
  const sent = { provider: 'azure', requested_model: 'prod-chat' };
  expect(event(sent).digest).toEqual(event(sent, null).digest);
});

test('every mistake of a map is named at once', () => {
  const file = {
    deployments: [
      { name: 'a', model: 'gpt-4o' },
      { name: 'A', model: 'gpt-4o-mini' },
      { name: 'b', model: 'a' },
      { name: 'c', model: 'c' },
    ],
  };
  const said = [
    'models.json is not a model map: deployments[1].name: "A" stands in deployments[0], too',
    'deployments[2].model: "a" is a deployment of this file, too; name the model that it is',
    'deployments[3].model: "c" is the deployment itself, which says nothing',
  ].join('; ');
  expect(() => parseModelMap(JSON.stringify(file), 'models.json')).toThrow(said);
});

test.each<[string, string, string]>([
  ['is not JSON', '{"deployments": [', 'models.json is not a model map: it is not JSON ('],
  ['is a list', '[]', 'the file: must be an object {"deployments"'],
  ['has another field', '{"deployments":[],"deployment":[]}', '"deployment" is not a field of it'],
  [
    'misspells fields and a provider',
    '{"deployments":[{"nam":"a","model":1,"provider":"azuer"}]}',
    'deployments[0].name: must be a string of 1 to 200 characters without NUL or lone surrogates; deployments[0].model: must be a string of 1 to 200 characters without NUL or lone surrogates; deployments[0].provider: must be the name of a provider, such as "azure" or "openai"; leave it out where it is one of your own, and the calls\' own provider stays; deployments[0]: "nam" is not a field of it',
  ],
])('a map that %s is refused', (_, text, message) => {
  expect(() => parseModelMap(text, 'models.json')).toThrow(message);
});
