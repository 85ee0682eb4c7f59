import type { ApiParts } from '../api/api-parts.ts';
import type { ProxyUsers } from '../api/proxy-users.ts';

export interface ConsoleOptions {
  readonly parts: ApiParts;
  /** Whom a proxy signs in; null where everybody signs in with a key. */
  readonly users: ProxyUsers | null;
  /** The address under which customers reach the server; null where it is the one that the console is asked under. */
  readonly publicUrl: string | null;
  /** Origins that may show a customer's page within a page of their own. */
  readonly frameOrigins: readonly string[];
}
