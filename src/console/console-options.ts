import type { ApiParts } from '../api/api-parts.ts';

export interface ConsoleOptions {
  readonly parts: ApiParts;
  readonly seller: Seller;
  /** Origins that may show a customer's page within a page of their own. */
  readonly frameOrigins: readonly string[];
  /** Where customers reach this server; null takes the address by which an operator does. */
  readonly publicUrl: string | null;
}

/** Whom customers buy from, as their page says it. */
export interface Seller {
  readonly name: string;
  /** It is null where there is no picture. */
  readonly logo: { readonly type: string; readonly body: Uint8Array<ArrayBuffer> } | null;
}
