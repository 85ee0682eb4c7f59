import type { S3Parts } from '../aws/s3-address.ts';
import type { ReadSettings } from '../events/read-item.ts';
import type { StatusParts } from '../month/status/tell-status.ts';
import type { FoldsForReading, Parts } from '../parts.ts';
import type { Remedy } from '../remedy.ts';
import type { StripeParts } from '../stripe/stripe-parts.ts';
import type { WebhookParts } from '../webhooks/webhook-parts.ts';

/** Everything that the routes' use cases work with. */
export interface ApiParts
  extends Parts,
    S3Parts,
    WebhookParts,
    Pick<StatusParts, 'queue' | 'destinationFault'> {
  readonly reading: ReadSettings;
  /** The words in which a remedy is kept with what a long piece of work said; left out, the requests to make. */
  readonly phrase?: (remedy: Remedy) => string;
  readonly folds: FoldsForReading;
  /** It is null without a key of Stripe's: what needs it is refused, and the rest is answered. */
  readonly stripeParts: StripeParts | null;
}
