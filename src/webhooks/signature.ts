import { createHmac } from 'node:crypto';

/**
 * Writes the secret as it is shown: the prefix tells what it is, as Standard Webhooks writes it.
 */
export function writeSecret(secret: Buffer): string {
  return `whsec_${secret.toString('base64')}`;
}

/**
 * Returns the headers of Standard Webhooks: the id stays the same over all tries, the instant is
 * that of the try.
 */
export function signedHeaders(
  message: { readonly id: string; readonly body: string; readonly secret: Buffer },
  atSeconds: number,
): Readonly<Record<string, string>> {
  const { id, body, secret } = message;
  const signature = createHmac('sha256', secret).update(`${id}.${atSeconds}.${body}`);
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(atSeconds),
    'webhook-signature': `v1,${signature.digest('base64')}`,
  };
}
