import { createDecipheriv } from 'node:crypto';
import { readJson } from '../json-bounds.ts';
import { textOfBytes } from '../text-of-bytes.ts';
import { at, isObject } from './foreign-value.ts';

/** Tells whether this is the body that LiteLLM's SQS logger sends when it encrypts its payloads. */
export function isLitellmEnvelope(value: object): boolean {
  return at(value, '__encrypted__') === true;
}

export interface LitellmKey {
  /** 32 bytes, for AES-256-GCM. */
  readonly key: Uint8Array;
  /** The text that the sender bound to the message; null when it is configured without. */
  readonly additionalData: string | null;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Decrypts the payload inside. Throws an Error whose message says what does not fit, never what is
 * inside.
 */
export function decryptLitellm(envelope: object, { key, additionalData }: LitellmKey): object {
  if (key.length !== KEY_BYTES) {
    throw new Error(
      `the LiteLLM encryption key has ${key.length} bytes; it must have ${KEY_BYTES}`,
    );
  }
  const nonce = bytesAt(envelope, 'nonce', NONCE_BYTES);
  const tag = bytesAt(envelope, 'tag', TAG_BYTES);
  const ciphertext = bytesAt(envelope, 'ciphertext', null);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(tag);
  if (additionalData !== null) decipher.setAAD(Buffer.from(additionalData, 'utf8'));
  const payload = readJson(finish(decipher, ciphertext));
  if (!isObject(payload)) throw new Error('the decrypted LiteLLM payload is not a JSON object');
  return payload;
}

function bytesAt(envelope: object, name: string, length: number | null): Buffer {
  const text = at(envelope, 'payload', name);
  if (typeof text !== 'string') {
    throw new Error(`payload.${name} of the encrypted LiteLLM message must be a base64 string`);
  }
  const bytes = Buffer.from(text, 'base64');
  if (length !== null && bytes.length !== length) {
    throw new Error(`payload.${name} has ${bytes.length} bytes; it must have ${length}`);
  }
  return bytes;
}

function finish(decipher: ReturnType<typeof createDecipheriv>, ciphertext: Buffer): string {
  try {
    return textOfBytes(Buffer.concat([decipher.update(ciphertext), decipher.final()]));
  } catch {
    throw new Error(
      'the encrypted LiteLLM message does not open with this key and additional data',
    );
  }
}
