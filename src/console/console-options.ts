import type { ApiParts } from '../api/api-parts.ts';

export interface ConsoleOptions {
  readonly parts: ApiParts;
  /** Origins that may show a customer's page within a page of their own. */
  readonly frameOrigins: readonly string[];
}
