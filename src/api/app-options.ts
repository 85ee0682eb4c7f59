import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import type { EventKeeper } from '../ingest/taking/event-keeper.ts';
import type { ApiParts } from './api-parts.ts';
import type { LoopLoad } from './loop-load.ts';
import type { ProxyUsers } from './proxy-users.ts';
import type { WebhookOptions } from './webhook-door.ts';

export interface AppOptions {
  readonly parts: ApiParts;
  /** Null is no endpoint for webhooks: it is refused, and everything else is answered. */
  readonly webhook: WebhookOptions | null;
  /** Where events of producers are kept; null where they are refused. */
  readonly keeper: EventKeeper | null;
  /** Pages for people beside the routes, with their own headers; null for none. */
  readonly pages: Hono<{ Bindings: HttpBindings }> | null;
  /** Whom a proxy signs in; null where everybody needs a key. */
  readonly users: ProxyUsers | null;
  /** Origins whose pages may ask from a browser. */
  readonly corsOrigins: readonly string[];
  /** The secret by which LangWatch's gateway signs; null where it needs a key, as everybody. */
  readonly langwatchSecret: string | null;
  readonly load: LoopLoad;
  /** Whether the server takes no new requests any more. */
  readonly isDraining: () => boolean;
}
