import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type InstantMs, parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import type { ReadContext } from '../../src/events/read-body.ts';
import { readBody } from '../../src/events/read-body.ts';
import type { ItemOutcome } from '../../src/ingest/record-batch.ts';
import { recordBatch } from '../../src/ingest/record-batch.ts';
import { tellApart } from '../../src/ingest/tell-apart.ts';
import { ReferenceCache } from '../../src/ledger/posting/reference-cache.ts';
import { parsePriceBook } from '../../src/rating/books/price-book-document.ts';
import { importPriceBook } from '../../src/rating/books/price-book-store.ts';
import { setTenant } from '../../src/tenants/set-tenant.ts';

/** The path of an event into the ledger, without a queue: what most tests begin with. */

/** Returns the shared price books of the scenarios, by file name without `.json`. */
export function sharedBook(name: string): unknown {
  const path = fileURLToPath(new URL(`../scenarios/books/${name}.json`, import.meta.url));
  return JSON.parse(readFileSync(path, 'utf8'));
}

const BOOKS_IMPORTED_AT = '2026-09-01T00:00:00Z';

export async function importBooks(database: Database, ...names: readonly string[]): Promise<void> {
  for (const name of names) await importBook(database, sharedBook(name));
}

export async function importBook(database: Database, json: unknown, at = BOOKS_IMPORTED_AT) {
  const { answer } = await importPriceBook(database, parsePriceBook(json), parseInstant(at));
  return answer;
}

export async function makeTenant(
  database: Database,
  tenantId: string,
  change: TenantChange & { readonly created?: string } = {},
): Promise<void> {
  const { created = '2026-09-15T00:00:00Z', timeZone, anchorDay, priceBook } = change;
  const clock = () => parseInstant(created);
  await setTenant(
    { database, clock },
    {
      tenant_id: tenantId,
      mode: change.mode,
      ...{ time_zone: timeZone, anchor_day: anchorDay },
      ...{ price_book: priceBook, price_book_from: change.priceBookFrom },
      stripe_customer: change.stripeCustomer,
    },
  );
}

/** What of a tenant a test sets; what is absent stays as it is. */
export interface TenantChange {
  readonly mode?: 'shadow' | 'live';
  readonly timeZone?: string;
  readonly anchorDay?: number;
  readonly priceBook?: string;
  readonly priceBookFrom?: InstantMs;
  readonly stripeCustomer?: string;
}

type ReceiveSettings = Partial<
  Pick<ReadContext, 'models' | 'attributes' | 'emails' | 'oldestDays'> & {
    /** Ids of the messages; by default equal bodies are one message that was delivered again. */
    readonly messageIds: readonly string[];
    /** What a worker that goes on keeps from batch to batch; a new one by default. */
    readonly cache: ReferenceCache;
  }
>;

/** Reads and records message bodies as one batch, as a worker does; answers for each event. */
export async function receive(
  database: Database,
  bodies: readonly string[],
  at: string,
  settings: ReceiveSettings = {},
): Promise<readonly ItemOutcome[]> {
  const receivedAt = parseInstant(at);
  const context = { receivedAt, litellmKey: null, attributes: {}, ...settings };
  const items = bodies.flatMap((body, index) =>
    tellApart(readBody(body, context), settings.messageIds?.[index] ?? body),
  );
  const batch = { items, recordedAt: receivedAt, emails: settings.emails };
  const recorded = await recordBatch(database, settings.cache ?? new ReferenceCache(), batch);
  return recorded.map(({ outcome }) => outcome);
}

/** Receives native events. */
export function receiveEvents(
  database: Database,
  events: readonly object[],
  at = '2026-10-20T12:00:00Z',
): Promise<readonly ItemOutcome[]> {
  return receive(database, [JSON.stringify({ events })], at);
}

/** Makes a native event that is complete and charged, changed where the test says so. */
export function nativeEvent(change: Readonly<Record<string, unknown>> = {}) {
  return {
    event_id: 'evt-1',
    occurred_at: '2026-10-15T12:00:00Z',
    status: 'ok',
    provider: 'openai',
    requested_model: 'gpt-4o',
    tenant_id: 'acme',
    usage: { input_tokens: 1000, output_tokens: 100 },
    ...change,
  };
}
