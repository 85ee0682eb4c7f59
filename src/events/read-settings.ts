import type { Config } from '../config.ts';
import { required } from '../config.ts';
import type { EmailPolicy } from './email-identifiers.ts';
import type { LitellmKey } from './foreign/litellm-encrypted.ts';
import type { ReadSettings } from './read-item.ts';
import { OLDEST_DAYS } from './read-item.ts';

/** How events are read, by the environment; throws a `Refusal` where a variable that this needs is not set. */
export function readSettings(config: Config): ReadSettings {
  const { SPANLEDGER_OLDEST_DAYS: oldestDays = OLDEST_DAYS } = config;
  return { litellmKey: litellmKey(config), emails: emailPolicy(config), oldestDays };
}

function litellmKey(config: Config): LitellmKey | null {
  const { SPANLEDGER_LITELLM_KEY, SPANLEDGER_LITELLM_AAD } = config;
  if (SPANLEDGER_LITELLM_KEY === undefined) return null;
  const key = Buffer.from(SPANLEDGER_LITELLM_KEY, 'base64');
  return { key, additionalData: SPANLEDGER_LITELLM_AAD ?? null };
}

function emailPolicy(config: Config): EmailPolicy {
  const kind = config.SPANLEDGER_EMAIL_IDENTIFIERS;
  return kind === 'hash' ? { kind, key: required(config, 'SPANLEDGER_EMAIL_KEY') } : { kind };
}
