import type { Parts } from '../parts.ts';

export interface WebhookParts extends Pick<Parts, 'database' | 'clock' | 'log'> {
  /** Whether endpoints may be plain HTTP and private addresses; else they are HTTPS and public ones. */
  readonly allowsPrivateWebhooks: boolean;
}
