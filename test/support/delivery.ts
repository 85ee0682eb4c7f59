import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { readBody } from '../../src/events/read-body.ts';
import type { ItemOutcome } from '../../src/ingest/record-batch.ts';
import { recordBatch } from '../../src/ingest/record-batch.ts';
import { ReferenceCache } from '../../src/ledger/posting/reference-cache.ts';
import { randomFrom } from './faulty-queue.ts';
import { nativeEvent } from './ledger.ts';

/** Many deliveries of the same events by many workers, against one worker that has each once, in order. */

const AT = '2026-10-20T12:00:00Z';
const MODELS = ['gpt-4o', 'gpt-4o-mini', 'unheard-of'];

/** Events of every kind whose entries do not depend on their order: no conflicts, no late attempts. */
export function orderlessEvents(count: number, seed: number): readonly object[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, (_, n) => {
    const tenant_id = n % 17 === 0 ? null : `tenant-${n % 40}`;
    return nativeEvent({
      event_id: `evt-${n}`,
      source: n % 5 === 0 ? 'gateway' : 'app',
      occurred_at: `2026-10-${String(1 + (n % 19)).padStart(2, '0')}T10:00:00.${String(n % 1000).padStart(3, '0')}Z`,
      status: n % 13 === 0 ? 'error' : 'ok',
      operation: n % 29 === 0 ? 'execute_tool' : 'chat',
      requested_model: MODELS[n % 3],
      response_id: `response-${n}`,
      usage: {
        input_tokens: Math.floor(random() * 4000),
        output_tokens: Math.floor(random() * 800),
      },
      tenant_id,
      ...(n % 11 === 0
        ? {
            members: [
              { member_id: 'a', tenant_id: 'tenant-1', weight: 1 },
              { member_id: 'b', tenant_id: 'tenant-2', weight: 2 },
              { member_id: 'c' },
            ],
          }
        : {}),
    });
  });
}

export interface Deliveries {
  readonly workers: number;
  /** Of each event. */
  readonly copies: number;
  readonly batch: number;
  readonly seed: number;
}

/** Delivers every event so many times, shuffled over the workers, who all work at once. */
export async function deliverAtOnce(
  database: Database,
  events: readonly object[],
  how: Deliveries,
): Promise<readonly ItemOutcome[]> {
  const all = Array.from({ length: how.copies }, () => events).flat();
  const shuffled = shuffle(all, how.seed);
  const share = Math.ceil(shuffled.length / how.workers);
  const outcomes = await Promise.all(
    Array.from({ length: how.workers }, (_, worker) =>
      deliverInOrder(database, shuffled.slice(worker * share, (worker + 1) * share), how.batch),
    ),
  );
  return outcomes.flat();
}

/** Delivers to one worker with its own cache, batch after batch. */
export async function deliverInOrder(
  database: Database,
  events: readonly object[],
  batch: number,
): Promise<readonly ItemOutcome[]> {
  const cache = new ReferenceCache();
  const recordedAt = parseInstant(AT);
  const context = { receivedAt: recordedAt, litellmKey: null, attributes: {} };
  const outcomes: ItemOutcome[] = [];
  for (let start = 0; start < events.length; start += batch) {
    const body = JSON.stringify({ events: events.slice(start, start + batch) });
    const items = readBody(body, context);
    const recorded = await recordBatch(database, cache, { items, recordedAt });
    outcomes.push(...recorded.map(({ outcome }) => outcome));
  }
  return outcomes;
}

/** What a run decides: ids, and when an entry was recorded. */
const OF_THE_RUN: ReadonlySet<string> = new Set(['entry_id', 'corrects_entry_id', 'recorded_at']);

/** Returns the auditors' view without what a run decides. */
export async function entriesButForIds(database: Database) {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    "select * from audit.entries order by tenant_id, source, event_id, coalesce(member_id, ''), revision",
  );
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !OF_THE_RUN.has(name))),
  );
}

function shuffle<Item>(items: readonly Item[], seed: number): readonly Item[] {
  const random = randomFrom(seed);
  const drawn = items.map((item) => ({ item, at: random() }));
  return drawn.sort((a, b) => a.at - b.at).map(({ item }) => item);
}
