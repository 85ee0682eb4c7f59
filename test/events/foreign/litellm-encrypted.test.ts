import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  decryptLitellm,
  isLitellmEnvelope,
} from '../../../src/events/foreign/litellm-encrypted.ts';

const vector: { key_b64: string; aad: string; body: { payload: Record<string, string> } } =
  JSON.parse(
    readFileSync(new URL('../../fixtures/litellm/sqs-encrypted.json', import.meta.url), 'utf8'),
  );
const key = Buffer.from(vector.key_b64, 'base64');

test('an encrypted body opens with its key and additional data', () => {
  expect(isLitellmEnvelope(vector.body)).toBe(true);
  expect(decryptLitellm(vector.body, { key, additionalData: vector.aad })).toEqual({
    id: 'chatcmpl-enc-1',
    status: 'success',
    model: 'gpt-4o-mini',
    prompt_tokens: 10,
    completion_tokens: 20,
    total_tokens: 30,
    metadata: { user_api_key_team_id: 'acme' },
  });
});

test('other objects are no encrypted bodies', () => {
  expect(isLitellmEnvelope({ __encrypted__: 'yes' })).toBe(false);
});

const { payload } = vector.body;

test.each<[string, object, Uint8Array, string | null, RegExp]>([
  ['another key', { payload }, Buffer.alloc(32, 8), vector.aad, /does not open with this key/],
  ['other additional data', { payload }, key, 'else', /does not open with this key/],
  ['no additional data', { payload }, key, null, /does not open with this key/],
  ['a short key', { payload }, Buffer.alloc(16), vector.aad, /key has 16 bytes; it must have 32/],
  ['no payload', {}, key, vector.aad, /payload\.nonce .* must be a base64 string/],
  ['a cut tag', { payload: { ...payload, tag: 'AAAA' } }, key, vector.aad, /tag has 3 bytes/],
])('a body with %s is refused', (_what, envelope, someKey, additionalData, message) => {
  expect(() => decryptLitellm(envelope, { key: someKey, additionalData })).toThrow(message);
});
