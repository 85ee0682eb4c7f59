import type { EventKeeper } from '../ingest/taking/event-keeper.ts';
import type { ApiParts } from './api-parts.ts';
import type { WebhookOptions } from './webhook-door.ts';

export interface AppOptions {
  readonly parts: ApiParts;
  readonly webhook: WebhookOptions | null;
  readonly keeper: EventKeeper | null;
  /** Whether the server takes no new requests any more. */
  readonly isDraining: () => boolean;
}
