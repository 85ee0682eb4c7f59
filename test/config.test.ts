import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';

const OPTIONAL = [
  ...['STRIPE_API_KEY', 'STRIPE_API_KEY_FILE', 'STRIPE_API_BASE', 'STRIPE_WEBHOOK_SECRET'],
  ...['DATABASE_URL', 'AWS_REGION', 'SPANLEDGER_EMAIL_KEY', 'SPANLEDGER_EMAIL_IDENTIFIERS'],
  ...['SPANLEDGER_MODEL_MAP', 'SPANLEDGER_OLDEST_DAYS', 'SPANLEDGER_CORS_ORIGINS'],
  ...['SPANLEDGER_LITELLM_AAD', 'SPANLEDGER_INGEST_FOLDER_MB', 'SPANLEDGER_LOG_LEVEL'],
];

test('a variable that is empty, as compose files write it, is not set', () => {
  const empty = Object.fromEntries(OPTIONAL.map((name) => [name, '']));
  expect(readConfig(empty)).toEqual(readConfig({}));
});

test('a variable with a wrong value is refused by name', () => {
  expect(() => readConfig({ STRIPE_API_KEY: ' ' })).toThrow('STRIPE_API_KEY: must begin with');
});
