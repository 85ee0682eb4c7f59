import { readFileSync } from 'node:fs';
import type { Config } from '../config.ts';
import { required } from '../config.ts';
import { explainFile } from '../files.ts';
import { Refusal } from '../refusal.ts';
import type { EmailPolicy } from './email-identifiers.ts';
import type { LitellmKey } from './foreign/litellm-encrypted.ts';
import { type ModelMap, parseModelMap } from './model-map.ts';
import type { ReadSettings } from './read-item.ts';
import { OLDEST_DAYS } from './read-item.ts';

/** How events are read, by the environment; throws a `Refusal` where a variable that this needs is not set. */
export function readSettings(config: Config): ReadSettings {
  const { SPANLEDGER_OLDEST_DAYS: oldestDays = OLDEST_DAYS } = config;
  return {
    litellmKey: litellmKey(config),
    emails: emailPolicy(config),
    oldestDays,
    models: readModelMap(config),
  };
}

/**
 * Reads what deployments are, from the file that the environment names; null where it names none.
 */
export function readModelMap({ SPANLEDGER_MODEL_MAP: given }: Config): ModelMap | null {
  if (given === undefined) return null;
  // The variable may hold the map itself, as one does whose value was read from a file.
  if (given.trimStart().startsWith('{')) return parseModelMap(given, 'SPANLEDGER_MODEL_MAP');
  return parseModelMap(readMapFile(given), `${given}, which SPANLEDGER_MODEL_MAP names,`);
}

function readMapFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Refusal(
      'misconfigured',
      `SPANLEDGER_MODEL_MAP: ${explainFile(error, path)?.message ?? String(error)}`,
      'name a file that is there and that this user may read, or unset the variable',
    );
  }
}

function litellmKey(config: Config): LitellmKey | null {
  const { SPANLEDGER_LITELLM_KEY, SPANLEDGER_LITELLM_AAD } = config;
  if (SPANLEDGER_LITELLM_KEY === undefined) return null;
  const key = Buffer.from(SPANLEDGER_LITELLM_KEY, 'base64');
  return { key, additionalData: SPANLEDGER_LITELLM_AAD ?? null };
}

/** Reads from the environment how addresses are treated; throws a `Refusal` if they are hashed and there is no key. */
export function emailPolicy(config: Config): EmailPolicy {
  const kind = config.SPANLEDGER_EMAIL_IDENTIFIERS;
  return kind === 'hash' ? { kind, key: required(config, 'SPANLEDGER_EMAIL_KEY') } : { kind };
}
