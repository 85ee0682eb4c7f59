import type { PriceBookDocument } from '../rating/books/price-book-document.ts';
import { parsePriceBook } from '../rating/books/price-book-document.ts';
import type { SetTenantRequest } from '../tenants/tenant-answer.ts';

/** The made-up tenants, models and prices of the demo. */

export interface DemoTenant extends SetTenantRequest {
  /** The weight is its part of the traffic, against the others. */
  readonly weight: number;
}

const LIVE = { mode: 'live', price_book: 'standard' } as const;

export const DEMO_TENANTS: readonly DemoTenant[] = [
  { ...LIVE, tenant_id: 'acme-robotics', weight: 30, time_zone: 'UTC' },
  { ...LIVE, tenant_id: 'northwind-ai', weight: 22, time_zone: 'America/New_York' },
  { ...LIVE, tenant_id: 'initech', weight: 16, time_zone: 'Europe/Berlin' },
  {
    ...LIVE,
    tenant_id: 'umbrella-bio',
    weight: 12,
    time_zone: 'Asia/Kolkata',
    price_book: 'enterprise',
  },
  {
    ...LIVE,
    tenant_id: 'hooli',
    weight: 9,
    time_zone: 'America/Los_Angeles',
    price_book: 'enterprise',
  },
  { ...LIVE, tenant_id: 'stark-labs', weight: 6, time_zone: 'Australia/Adelaide' },
  { ...LIVE, tenant_id: 'globex', weight: 3, time_zone: 'UTC', mode: 'shadow' },
];

/** Sends usage without having been registered, and so appears in shadow (R11). */
export const UNKNOWN_TENANT = 'wonka-trial';

export interface DemoModel {
  readonly provider: string;
  readonly model: string;
  readonly operation: string;
  readonly weight: number;
  /** What a gateway falls back to when this one fails. */
  readonly fallback: string | null;
}

const CHAT = { operation: 'chat', fallback: null } as const;

export const DEMO_MODELS: readonly DemoModel[] = [
  { ...CHAT, provider: 'openai', model: 'gpt-4o-mini', weight: 34 },
  { ...CHAT, provider: 'openai', model: 'gpt-4o', weight: 22, fallback: 'gpt-4o-mini' },
  {
    ...CHAT,
    provider: 'anthropic',
    model: 'claude-sonnet-4-5',
    weight: 20,
    fallback: 'claude-haiku-4-5',
  },
  { ...CHAT, provider: 'anthropic', model: 'claude-haiku-4-5', weight: 10 },
  { ...CHAT, provider: 'gcp.gemini', model: 'gemini-2.5-flash', weight: 9 },
  {
    ...CHAT,
    provider: 'openai',
    model: 'text-embedding-3-small',
    operation: 'embeddings',
    weight: 5,
  },
];

/**
 * Returns what the tenants pay: one book for work done, one that passes the provider's cache rates
 * on.
 */
export function demoChargeBooks(effectiveFrom: string): readonly PriceBookDocument[] {
  const rows = (factor: readonly [string, string, string, string][]) =>
    factor.map(([name, input, output, cacheRead]) => ({
      model: name,
      per_million: { input, output, cache_read: cacheRead, cache_write: input },
    }));
  const head = { kind: 'charge', currency: 'USD', effective_from: effectiveFrom };
  return [
    parsePriceBook({ ...head, book: 'standard', caching: 'work_done', models: rows(STANDARD) }),
    parsePriceBook({
      ...head,
      book: 'enterprise',
      caching: 'pass_through',
      models: rows(ENTERPRISE),
    }),
  ];
}

/** Model, then dollars a million tokens: input, output, cached input. */
const STANDARD: readonly [string, string, string, string][] = [
  ['gpt-4o-mini', '0.24', '0.96', '0.24'],
  ['gpt-4o', '4.00', '16.00', '4.00'],
  ['claude-sonnet-4-5', '4.80', '24.00', '4.80'],
  ['claude-haiku-4-5', '1.60', '8.00', '1.60'],
  ['gemini-2.5-flash', '0.48', '4.00', '0.48'],
  ['text-embedding-3-small', '0.04', '0', '0.04'],
];

const ENTERPRISE: readonly [string, string, string, string][] = [
  ['gpt-4o-mini', '0.18', '0.72', '0.09'],
  ['gpt-4o', '3.00', '12.00', '1.50'],
  ['claude-sonnet-4-5', '3.60', '18.00', '0.36'],
  ['claude-haiku-4-5', '1.20', '6.00', '0.12'],
  ['gemini-2.5-flash', '0.36', '3.00', '0.09'],
  ['text-embedding-3-small', '0.024', '0', '0.024'],
];
